"""Two APIs, several workers, one database: the short form of `python -m tests.cluster`."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.cluster.__main__ import Load, run
from tests.support.processes import until
from tests.support.receivers import Receiver, answer, later
from tests.support.site import Site, own_rows
from tests.support.site_checks import judge

SEED = int(os.environ.get("BULKWRIGHT_TEST_SEED", "20260"))


@pytest.mark.slow
def test_workers_are_killed_all_the_time(site: Site) -> None:
    """Every job is COMPLETED, every row is stored and answered once."""
    outcome = run(site, Load(jobs=40, rows=1_000, orgs=4, workers=3, pause=0.5), SEED)
    print(f"seed {SEED}: {outcome}")
    assert outcome.findings.sound, outcome.findings
    assert outcome.kills >= 1
    assert outcome.findings.rows == 40 * 1_000


def test_a_second_api_sends_no_callback_again(site: Site) -> None:
    """It starts while callbacks are under way; each is sent once, by one of the two."""
    (customer,) = site.customers()
    with Receiver(later(answer(200), 0.5)) as receiver:
        place = urlsplit(receiver.url).netloc
        allow = ("--callback-allow", place)
        first = site.api("", 0, *allow)
        site.worker()
        callback = {"url": receiver.url, "method": "post"}
        jobs = [
            first.ask(customer, own_rows(f"c{n}", 5), "upsert", callback=callback)
            for n in range(12)
        ]
        assert until(lambda: receiver.letters), site.log
        second = site.api("", 0, *allow)
        assert [second.ended(job) for job in jobs] == ["COMPLETED"] * 12, site.log
        delivered = "SELECT count(*) FROM outbox WHERE state = 'delivered'"
        assert until(lambda: site.number(delivered) == 12, pause=0.1), site.log
        times = Counter(letter.headers["webhook-id"] for letter in receiver.letters)
    assert set(times.values()) == {1}
    assert len(times) == 12
    assert judge(site, second, jobs).sound


def test_what_one_api_took_the_other_knows(site: Site) -> None:
    """An upload at one, its job at the other, its result from both."""
    (customer,) = site.customers()
    one, two = site.api(), site.api()
    site.worker()
    sent = one.upload(customer, own_rows("x", 5)).json()["details"]["file_id"]
    made = two.create(customer, sent, "insert")
    assert made.status_code == 201, made.text
    asked = one.ask(customer, own_rows("y", 5))
    assert two.ended(asked) == "COMPLETED"
    assert one.result(asked) == two.result(asked)


def test_credentials_for_development_are_written_by_one_server(site: Site) -> None:
    """Two of them would write each other's: the second is refused, in one line."""
    site.api("", 0, "--dev")
    second = site.run("serve", "--dev", "--port", 0, "--workers", 0)
    assert second.wait(300) == 1
    assert "is already served by another server" in site.log


def test_the_check_sees_what_is_broken(site: Site) -> None:
    """A record that is gone, another record's value, one too many, a wrong count, no end."""
    (customer,) = site.customers()
    api, worker = site.api(), site.worker()
    jobs = [api.ask(customer, own_rows(f"v{n}", 5)) for n in range(2)]
    assert [api.ended(job) for job in jobs] == ["COMPLETED"] * 2
    worker.terminate()
    worker.wait(300)
    assert judge(site, api, jobs).sound
    table = f'"org{customer.org}_Leads"'
    third = "\"Last_Name\" = 'v0r3'"
    with closing(psycopg.connect(site.database, autocommit=True)) as foreign:
        for statement, kind in (
            (f'UPDATE {table} SET "No_of_Employees" = 77 WHERE {third}', "wrong"),
            (f"DELETE FROM {table} WHERE {third}", "lost"),
            (f"UPDATE {table} SET id = 1 WHERE \"Last_Name\" = 'v1r1'", "wrong"),
            (f"UPDATE {table} SET \"Email\" = 'a@x.example' WHERE id = 1", "doubled"),
            ("UPDATE resources SET added = added + 1", "wrong"),
            ("UPDATE jobs SET status = 'INPROGRESS'", "stuck"),
        ):
            before = judge(site, api, jobs)
            foreign.execute(statement.encode())
            after = judge(site, api, jobs)
            assert getattr(after, kind) > getattr(before, kind), (statement, after)
            assert not after.sound
