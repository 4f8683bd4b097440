"""An idle worker starts a job at once, on both stores; and it needs no wake-up to find one.

In most tests the polls are an hour apart, so that only a wake-up explains that a job runs.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from tests.support.processes import fault_environment, start, until
from tests.support.receivers import Receiver
from tests.support.served import Served, leads

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store.sqlite.wakeups import wake_folder
from bulkwright.wiring import open_services

HOUR = 3600.0

Serve = Callable[..., Served]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of a new database; empty for SQLite."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres").database()
    return url


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts a server whose workers and dispatcher poll every `poll` seconds."""
    with ExitStack() as stack:

        def begin(*options: str, poll: float = HOUR) -> Served:
            polls: dict[str, dict[str, object]] = {
                "bulkwright.runtime.worker": {"POLL_SECONDS": poll},
                "bulkwright.callback.dispatcher": {"_POLL_SECONDS": poll},
            }
            environment = fault_environment(tmp_path / "faults", polls)
            where = ["--database", database] if database else []
            served = Served(tmp_path / "data", *where, *options, environment=environment)
            return stack.enter_context(served)

        yield begin


def settings_of(served: Served, database: str) -> Settings:
    """The settings of the processes of a server."""
    return Settings(served.data, database=database)


def create(services: Services, file_id: str, *, wake: bool = True) -> str:
    """Create a job as the development user, in this process; its id."""
    (org,) = services.accounts.orgs()
    (user,) = services.accounts.users(org.id)
    caller = Caller(org.id, user.id, scope.normalise(scope.EVERY))
    request = JobRequest(Operation.INSERT, (ResourceRequest("Leads", file_id),))
    return str(services.jobs.create(caller, request, wake=wake).id)


def idle(served: Served) -> None:
    """Wait until a worker has found that there is no job any more."""
    served.ended(served.begin(leads(1, "first-")))


def received(receiver: Receiver, count: int) -> bool:
    """Wait until `count` callbacks have arrived."""
    return until(lambda: len(receiver.letters) == count)


def test_a_job_of_the_api_wakes_the_worker(serve: Serve) -> None:
    served = serve()
    for n in range(3):
        served.ended(served.begin(leads(1, f"p{n}-")))


def test_a_job_of_another_process_wakes_the_worker(serve: Serve, database: str) -> None:
    """It was created by this process, which is neither the server nor a worker."""
    served = serve()
    idle(served)
    with open_services(settings_of(served, database)) as services:
        served.ended(create(services, served.file_id(leads(1))))


def test_a_worker_of_no_server_is_woken(serve: Serve, database: str) -> None:
    """`bulkwright worker` on the same store, as on another machine; the server has none."""
    served = serve("--workers", "0")
    where = ["--database", database] if database else []
    worker = start("worker", "--data", served.data, *where, env=served._environment)
    try:
        for n in range(2):
            served.ended(served.begin(leads(1, f"p{n}-")))
    finally:
        worker.terminate()
        worker.communicate(timeout=300)


def test_the_poll_finds_a_job_without_a_wake_up(serve: Serve, database: str) -> None:
    """None was sent for this job."""
    served = serve(poll=0.2)
    idle(served)
    with open_services(settings_of(served, database)) as services:
        served.ended(create(services, served.file_id(leads(1)), wake=False))


def test_no_poll_and_no_wake_up(serve: Serve, database: str) -> None:
    """The tests above show something: without both, the job waits for the next wake-up."""
    served = serve()
    idle(served)
    with open_services(settings_of(served, database)) as services:
        waiting = create(services, served.file_id(leads(1, "a")), wake=False)
        assert served.details(waiting)["status"] == "ADDED"
        woken = create(services, served.file_id(leads(1, "b")))
    served.ended(woken)
    served.ended(waiting)


def test_a_killed_worker_keeps_no_one_waiting(serve: Serve) -> None:
    """Jobs are created while it is dead; the next worker runs them, and is woken too."""
    served = serve()
    idle(served)
    (dead,) = served.workers
    os.kill(dead, signal.SIGKILL)
    jobs = [served.begin(leads(1, f"p{n}-")) for n in range(3)]
    assert until(lambda: served.workers not in ([], [dead]))
    for job in jobs:
        served.ended(job)
    served.ended(served.begin(leads(1, "last-")))


def test_a_stopped_worker_keeps_no_one_waiting(serve: Serve) -> None:
    """It reads no wake-up; another worker does."""
    served = serve("--workers", "2")
    served.wait_for_workers(2)
    idle(served)
    stopped, _ = served.workers
    os.kill(stopped, signal.SIGSTOP)
    try:
        served.ended(served.begin(leads(1, "a-")))
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_the_job_of_a_killed_worker_wakes_another(serve: Serve) -> None:
    """The server ends its lease, and the worker that idles meanwhile claims the job."""
    served = serve("--workers", "2")
    served.wait_for_workers(2)
    idle(served)
    faults = served.data.parent / "faults"
    file_id = served.file_id(leads(1, "k-"))
    first = set(served.workers)
    (faults / "poison" / file_id).touch()
    made = served.ask(file_id)
    assert made.status_code == 201, made.text
    # Each attempt ends one of the two first workers.
    assert until(lambda: len(first & set(served.workers)) < 2)
    (faults / "poison" / file_id).unlink(missing_ok=True)
    served.ended(made.json()["details"]["id"], statuses=("COMPLETED", "FAILED"))


def test_a_callback_leaves_without_a_poll(serve: Serve) -> None:
    served = serve()
    with Receiver() as receiver:
        for n in range(2):
            served.ended(served.begin(leads(1, f"p{n}-"), receiver.url))
            assert received(receiver, n + 1)


def test_a_worker_stops_while_it_waits(serve: Serve) -> None:
    """A signal ends the wait of an hour."""
    served = serve()
    idle(served)
    assert served.stop() == 0
    assert "Traceback" not in served.log


def test_a_stop_leaves_no_pipe(tmp_path: Path) -> None:
    with Served(tmp_path / "data") as served:
        idle(served)
        folder = wake_folder(settings_of(served, "").database_path)
        topics = {path.name.partition("-")[0] for path in folder.iterdir()}
        assert topics == {"jobs", "callbacks"}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_cut_connection_loses_no_job(serve: Serve, database: str) -> None:
    """Whatever listens is cut several times; every job and every callback is still noticed."""
    served = serve()
    idle(served)
    with psycopg.connect(database, autocommit=True) as admin, Receiver() as receiver:
        for n in range(3):
            cut = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN %'"
            ).fetchall()
            assert cut, "nothing listened"
            served.ended(served.begin(leads(1, f"p{n}-"), receiver.url))
            assert received(receiver, n + 1)
