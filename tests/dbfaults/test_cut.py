"""Connections that are cut at the worst moments: each chunk still counts once."""

from __future__ import annotations

import random
import time

import pytest
from tests.dbfaults.conftest import Stand
from tests.dbfaults.proxy import (
    Fault,
    Proxy,
    bytes_sent,
    commit_after,
    copy_data,
    statement_with,
)
from tests.support.processes import until
from tests.support.site import own_rows
from tests.support.site_checks import judge

ROWS = 2_000
"""Ten chunks."""
SEED = 20_260


def _goes_on(stand: Stand, fault: Fault, *, eaten: bool) -> None:
    """Runs a job during a fault; the job ends as if there was none."""
    (customer,) = stand.site.customers()
    struck = stand.proxy.struck
    (stand.proxy.eat_answer_to if eaten else stand.proxy.cut_at)(fault)
    job = stand.api.ask(customer, own_rows("c", ROWS))
    assert stand.api.ended(job) == "COMPLETED", stand.site.log
    assert until(lambda: stand.proxy.struck == struck + 1)
    judged = judge(stand.site, stand.api, [job])
    assert judged.sound, judged
    assert "Traceback" not in stand.site.log


@pytest.mark.parametrize("nth", [1, pytest.param(5, marks=pytest.mark.long), 10])
def test_the_answer_to_a_chunks_commit_is_lost(stand: Stand, nth: int) -> None:
    """The worker cannot know whether the chunk was committed; the ledger does."""
    _goes_on(stand, commit_after("INSERT INTO ledger", nth), eaten=True)


def test_the_answer_to_a_jobs_end_is_lost(stand: Stand) -> None:
    """The job has ended."""
    _goes_on(stand, commit_after("finished_time"), eaten=True)


def test_the_answer_to_a_claim_is_lost(stand: Stand) -> None:
    """No worker runs the job until the claim has expired."""
    _goes_on(stand, commit_after("served_time"), eaten=True)


@pytest.mark.parametrize("nth", [pytest.param(1, marks=pytest.mark.long), 10])
def test_a_commit_does_not_arrive(stand: Stand, nth: int) -> None:
    """The chunk is repeated."""
    _goes_on(stand, commit_after("INSERT INTO ledger", nth), eaten=False)


@pytest.mark.parametrize(("after", "nth"), [(0, 1), (5_000, 5)])
def test_a_connection_breaks_in_the_middle_of_a_copy(stand: Stand, after: int, nth: int) -> None:
    """No row of that chunk is stored."""
    _goes_on(stand, copy_data(after, nth), eaten=False)


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.long)])
def test_connections_break_anywhere(stand: Stand, times: int) -> None:
    """After `sent` bytes, whatever message is in transit."""
    chance = random.Random(SEED)
    for _ in range(times):
        _goes_on(stand, bytes_sent(chance.randrange(250_000)), eaten=chance.random() < 0.5)


def test_a_slow_way_delays_and_no_more(stand: Stand) -> None:
    """Ten milliseconds for every message, in both directions."""
    (customer,) = stand.site.customers()
    stand.proxy.delay = 0.01
    try:
        job = stand.api.ask(customer, own_rows("d", 600))
        assert stand.api.ended(job) == "COMPLETED", stand.site.log
    finally:
        stand.proxy.delay = 0.0
    assert judge(stand.site, stand.api, [job]).sound


def test_connections_are_ended_by_the_server(stand: Stand) -> None:
    """`pg_terminate_backend` at random moments, for workers and API."""
    (customer,) = stand.site.customers()
    jobs = [stand.api.ask(customer, own_rows(f"t{n}", 6_000), "insert") for n in range(3)]
    chance = random.Random(SEED)
    kills = 0

    def kill() -> bool:
        nonlocal kills
        time.sleep(chance.uniform(0.02, 0.4))
        kills += stand.site.number(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'bulkwright'"
        )
        return kills >= 12

    assert until(kill)
    assert [stand.api.ended(job) for job in jobs] == ["COMPLETED"] * 3, stand.site.log
    judged = judge(stand.site, stand.api, jobs)
    assert judged.sound, judged
    assert "Traceback" not in stand.site.log


def test_the_answer_to_an_upload_is_lost(stand: Stand) -> None:
    """The client gets no upload; if the row was committed, its file exists."""
    (customer,) = stand.site.customers()
    with Proxy(stand.site.database) as way:
        api = stand.site.api(way.url)
        for strike, fault in (
            (way.eat_answer_to, commit_after("INSERT INTO uploads")),
            (way.cut_at, statement_with("INSERT INTO uploads")),
        ):
            strike(fault)
            answer = api.upload(customer, own_rows("u", 10))
            assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
        way.eat_answer_to(commit_after("INSERT INTO jobs"))
        sent = api.upload(customer, own_rows("u", 10)).json()["details"]["file_id"]
        assert api.create(customer, sent, "upsert").status_code == 500
        job = api.ask(customer, own_rows("u", 10))
        assert api.ended(job) == "COMPLETED"
    noted = stand.site.ask("SELECT id FROM uploads WHERE org_id = %s", customer.org)
    kept = {path.stem for path in (stand.site.data / "files" / "uploads").iterdir()}
    assert {str(number) for (number,) in noted} <= kept
    assert len(noted) == 3  # the one whose response was lost, and two that were acknowledged
