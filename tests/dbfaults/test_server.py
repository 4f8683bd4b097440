"""The database server is down, full or locked by another client: all waits, then continues."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.dbfaults.conftest import Stand
from tests.support.postgres import OwnServer
from tests.support.processes import free_port, until
from tests.support.site import Api, Asked, Customer, Site, locked, own_rows
from tests.support.site_checks import judge

SECONDS = 8.0
"""The most time an API takes to respond, whatever is wrong with its database."""


@pytest.fixture
def site(own: OwnServer, tmp_path: Path) -> Iterator[Site]:
    """A deployment on a server that may be stopped."""
    database = own.database()
    with Site(tmp_path, database) as made:
        yield made
    own.drop(database)


def _refuses(api: Api, customer: Customer) -> None:
    """Checks that the API responds with a code within seconds and is alive."""
    begun = time.monotonic()
    answer = api.get(customer, "/crm/v2/org")
    assert time.monotonic() - begun < SECONDS
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "postgres" not in answer.text.lower()
    assert api.get(customer, "/healthz").status_code == 200


def _answers(api: Api, customer: Customer, seconds: float = SECONDS) -> None:
    """Checks that the API works, or works after a short time."""
    assert until(lambda: api.get(customer, "/crm/v2/org").status_code == 200, seconds, 0.1)


def _sound(site: Site, api: Api, jobs: list[Asked]) -> None:
    assert [api.ended(job) for job in jobs] == ["COMPLETED"] * len(jobs), site.log
    judged = judge(site, api, jobs)
    assert judged.sound, judged
    assert "Traceback" not in site.log


def test_the_server_crashes_in_the_middle_of_a_job(own: OwnServer, site: Site) -> None:
    """Coded responses while it is down; then all continues by itself, from the last chunk."""
    (customer,) = site.customers()
    api = site.api()
    job = api.ask(customer, own_rows("s", 30_000), "insert")
    workers = [site.worker(), site.worker()]
    assert until(lambda: site.chunks(job) >= 3, pause=0.005)
    own.stop("immediate")
    try:
        for _ in range(3):
            _refuses(api, customer)
    finally:
        own.start()
    _answers(api, customer)
    _sound(site, api, [job, api.ask(customer, own_rows("t", 100))])
    assert all(worker.poll() is None for worker in workers)
    assert site.log.count("waiting: ") <= 8


@pytest.mark.long
def test_a_long_outage_delays_no_process_afterwards(own: OwnServer, site: Site) -> None:
    """Seconds after the server is back, API and worker are too, however long it was down."""
    (customer,) = site.customers()
    api = site.api()
    site.worker()
    _sound(site, api, [api.ask(customer, own_rows("a", 100))])
    own.stop()
    try:
        gone = time.monotonic()
        while time.monotonic() - gone < 14:
            _refuses(api, customer)
            time.sleep(0.2)
    finally:
        own.start()
    back = time.monotonic()
    _answers(api, customer, 5)
    job = api.ask(customer, own_rows("b", 100))
    assert api.ended(job) == "COMPLETED"
    assert time.monotonic() - back < 20


def test_programs_that_start_while_the_server_is_down(own: OwnServer, tmp_path: Path) -> None:
    """`serve` reports it in one line and ends; `worker` reports it and waits."""
    gone = f"postgresql://user:Geh31m@127.0.0.1:{free_port()}/nowhere"
    with Site(tmp_path, gone) as site:
        serving = site.run("serve", "--port", 0, "--workers", 0)
        assert serving.wait(300) == 1
        (line,) = site.log.splitlines()
        assert "cannot serve the database: the database server cannot be reached" in line
    database = own.database()
    own.stop()
    (tmp_path / "b").mkdir()
    with Site(tmp_path / "b", database) as site:
        try:
            worker = site.worker()
            assert until(lambda: "waiting: " in site.log)
            time.sleep(1.5)
            assert worker.poll() is None
            assert len(site.log.splitlines()) == 1, site.log
        finally:
            own.start()
        (customer,) = site.customers()
        api = site.api()
        _sound(site, api, [api.ask(customer, own_rows("w", 50))])
        own.drop(database)


def test_no_connection_is_left(own: OwnServer, site: Site) -> None:
    """Other clients have taken all of them: coded responses, and jobs that wait."""
    (customer,) = site.customers()
    api = site.api()
    site.worker()
    before = api.ask(customer, own_rows("a", 50))
    _sound(site, api, [before])
    with ExitStack() as taken:
        first = psycopg.connect(own.url, autocommit=True, application_name="foreign")
        taken.enter_context(closing(first))

        def ours() -> int:
            ended = first.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'bulkwright'"
            )
            return ended.rowcount

        def full() -> bool:
            try:
                while True:
                    foreign = psycopg.connect(own.url, application_name="foreign")
                    taken.enter_context(closing(foreign))
            except psycopg.OperationalError:
                return ours() == 0

        assert until(full)
        for _ in range(2):
            _refuses(api, customer)
        assert until(lambda: "no connection is left" in site.log), site.log
    _answers(api, customer)
    _sound(site, api, [before, api.ask(customer, own_rows("b", 50))])


def test_a_server_that_is_read_only(own: OwnServer, site: Site) -> None:
    """A former primary is read-only: coded responses, until it is the primary again."""
    (customer,) = site.customers()
    api = site.api()
    site.worker()
    before = api.ask(customer, own_rows("a", 50))
    _sound(site, api, [before])
    name = urlsplit(site.database).path.removeprefix("/")
    own.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    own.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND application_name = 'bulkwright'"
    )
    assert until(lambda: api.get(customer, "/crm/v2/org").status_code == 200, SECONDS)
    answer = api.upload(customer, own_rows("u", 5))
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert until(lambda: "waiting: the database server is read-only" in site.log), site.log
    own.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert api.upload(customer, own_rows("u", 5)).status_code == 200
    _sound(site, api, [before, api.ask(customer, own_rows("b", 50))])


@pytest.mark.parametrize("what", ["the job", pytest.param("the table", marks=pytest.mark.long)])
def test_another_client_holds_a_lock(stand: Stand, what: str) -> None:
    """Longer than any statement may take: the job waits, all others continue."""
    site, api = stand.site, stand.api
    customer, other = site.customers(2)
    before = api.ask(customer, own_rows("a", 50))
    assert api.ended(before) == "COMPLETED"
    locks = {
        "the job": f"SELECT id FROM jobs WHERE org_id = {customer.org} FOR UPDATE",
        "the table": f'LOCK TABLE "org{customer.org}_Leads" IN ACCESS EXCLUSIVE MODE',
    }
    job = api.ask(customer, own_rows("l", 50_000))
    assert until(lambda: site.chunks(job) >= 2, pause=0.005)
    with locked(site.database, locks[what]):
        begun = time.monotonic()
        seen = api.details(job)["resource"][0]["file"]
        another = api.ask(other, own_rows("o", 50))
        assert api.ended(another) == "COMPLETED", site.log
        while time.monotonic() - begun < 5:
            assert api.details(job)["resource"][0]["file"] == seen
            time.sleep(0.2)
        assert "took too long" in site.log
    _sound(site, api, [before, job])


def test_another_client_locks_the_table_of_uploads(stand: Stand) -> None:
    """The upload is rejected with a code, within seconds; the next one is accepted."""
    (customer,) = stand.site.customers()
    with locked(stand.site.database, "LOCK TABLE uploads IN SHARE MODE"):
        begun = time.monotonic()
        answer = stand.api.upload(customer, own_rows("u", 5))
        assert time.monotonic() - begun < SECONDS
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    _sound(stand.site, stand.api, [stand.api.ask(customer, own_rows("u", 5))])
