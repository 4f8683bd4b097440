"""A worker that is paused, stopped, or killed by its job; chunks and leases as they are.

Kills at every commit point and at any time are in test_points.py.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.crash.victim import Strike, arm, sabotaged, set_up_sabotage
from tests.support.processes import kill, start, until
from tests.support.watch import Watch, free, write_leads

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.limits import LEASE_SECONDS
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.settings import Settings
from bulkwright.wiring import open_services

SOME = 30_000
"""Rows of the job where four chunks are enough."""


@pytest.fixture(scope="module")
def fewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upload with fewer rows."""
    folder = tmp_path_factory.mktemp("fewer")
    write_leads(folder / "leads.csv", SOME)
    with zipfile.ZipFile(folder / "leads.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.write(folder / "leads.csv", "leads.csv")
    return folder / "leads.zip"


def add_job(data: Path, path: Path) -> int:
    """Add a job as the API does, in a process that runs none."""
    with open_services(Settings(data)) as services:
        org = services.setup.create_org("Zylker")
        user = services.setup.create_user(org, "Patricia", "Boyle", "p@zylker.example")
        caller = Caller(org.id, user.id, scope.normalise(scope.EVERY))
        with services.files.incoming() as incoming:
            incoming.write(path.read_bytes())
            upload = services.uploads.receive(caller, path.name, incoming)
        mappings = tuple(
            FieldMapping(n, i) for i, n in enumerate(("Last_Name", "Email", "Description"))
        )
        resource = ResourceRequest("Leads", str(upload.id), mappings, "Email")
        return services.jobs.create(caller, JobRequest(Operation.INSERT, (resource,))).id


@contextmanager
def paused_worker(watch: Watch, folder: Path, chunk: int) -> Iterator[subprocess.Popen[str]]:
    """Start a worker that stops itself after this many commits of chunks; kill it in the end.

    However slow the test is, the job of a stopped worker does not end.
    """
    stop = Strike("stop", "P7-after", chunk, "stop")
    set_up_sabotage(folder, watch.data)
    arm(folder, [stop])
    worker = start("worker", "--data", watch.data, env={**os.environ, **sabotaged(folder)})
    try:
        assert until(lambda: state_of(worker.pid) == "T"), worker.poll()
        assert (watch.status, watch.chunks) == ("INPROGRESS", chunk)
        assert free(watch), "the worker holds the lock of the database, which others need"
        yield worker
    finally:
        kill(worker)


def state_of(pid: int) -> str:
    """The state of a process, as /proc says it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.slow
def test_a_worker_that_wakes_up_too_late_changes_nothing(
    fewer: Path, watch: Watch, tmp_path: Path
) -> None:
    """Paused past its lease, it finds the job taken over; what the other did stays as it is."""
    job_id = add_job(watch.data, fewer)
    result = watch.data / "files" / "results" / f"{job_id}.zip"
    with paused_worker(watch, tmp_path / "sabotage", 2) as paused:
        other = start("worker", "--data", watch.data)
        try:
            assert until(lambda: watch.status != "INPROGRESS", LEASE_SECONDS + 60)
            watch.check(result, SOME)
            before = (result.read_bytes(), watch.ask("SELECT * FROM jobs"), files(watch))
            ledger = watch.ask("SELECT * FROM ledger")
        finally:
            other.terminate()
            other.communicate(timeout=300)
        os.kill(paused.pid, signal.SIGCONT)
        time.sleep(1.0)
        paused.terminate()
        _, err = paused.communicate(timeout=300)
        assert "another worker has claimed it" in err
        assert paused.returncode == 0
        assert (result.read_bytes(), watch.ask("SELECT * FROM jobs"), files(watch)) == before
        assert watch.ask("SELECT * FROM ledger") == ledger
        watch.check(result, SOME)


def files(watch: Watch) -> list[Path]:
    """All files of the file area but those that are still being written."""
    found = (p for p in (watch.data / "files").rglob("*") if p.is_file())
    return sorted(p for p in found if p.parent.name != "incoming")


def is_claimed_or_failed(watch: Watch, claims: int) -> bool:
    """Whether the job has been claimed since `claims` were counted, or is FAILED."""
    return watch.number("SELECT lease_token FROM jobs") > claims or watch.status == "FAILED"


@pytest.mark.slow
def test_a_job_that_kills_its_worker_three_times_is_given_up(
    tmp_path: Path, watch: Watch, leads: Path
) -> None:
    """Without any progress between: FAILED with a code, and the service continues."""
    path = tmp_path / "leads.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.write(leads, "leads.csv")
    add_job(watch.data, path)
    for _ in range(5):
        claims = watch.number("SELECT lease_token FROM jobs")
        worker = start("worker", "--data", watch.data)
        claimed = until(
            partial(is_claimed_or_failed, watch, claims),
            LEASE_SECONDS + 110,
            pause=0.002,
        )
        assert claimed
        if watch.number("SELECT attempts FROM jobs") > 3:
            until(lambda: watch.status == "FAILED")
        kill(worker)
        assert watch.chunks == 0 or watch.status == "FAILED"
        if watch.status == "FAILED":
            break
        with closing(sqlite3.connect(watch.path)) as connection, connection:
            # As the supervisor does for a worker that it has seen die.
            connection.execute("UPDATE jobs SET lease_until = 0")
    assert watch.ask("SELECT status, code FROM jobs") == [("FAILED", "INTERNAL_ERROR")]
    assert watch.number(f"SELECT count(*) FROM {watch.table()}") == 0


@pytest.mark.slow
def test_the_next_worker_does_not_wait_for_a_dead_one(
    fewer: Path, watch: Watch, tmp_path: Path
) -> None:
    """Killed without a supervisor, as in a restart of everything: its lease ends at once."""
    job_id = add_job(watch.data, fewer)
    with paused_worker(watch, tmp_path / "sabotage", 1) as first:
        kill(first)
    done = watch.chunks
    ((holder,),) = watch.ask("SELECT lease_holder FROM jobs")
    second = start("worker", "--data", watch.data)

    def goes_on() -> bool:
        # However slow the machine is, the lease of the first worker does not end by itself.
        end = int((time.time() + LEASE_SECONDS) * 1e6)
        renew = "UPDATE jobs SET lease_until = ? WHERE lease_holder = ? AND lease_until > 0"
        with closing(sqlite3.connect(watch.path, timeout=30)) as connection, connection:
            connection.execute(renew, (end, holder))
        return watch.chunks > done

    try:
        assert until(goes_on)
        assert until(lambda: watch.status == "COMPLETED")
        watch.check(watch.data / "files" / "results" / f"{job_id}.zip", SOME)
    finally:
        kill(second)


@pytest.mark.slow
def test_sigterm_gives_the_job_back_at_once(fewer: Path, watch: Watch, tmp_path: Path) -> None:
    """A worker that is asked to stop ends after its chunk; the next one need not wait."""
    job_id = add_job(watch.data, fewer)
    with paused_worker(watch, tmp_path / "sabotage", 1) as first:
        first.terminate()
        os.kill(first.pid, signal.SIGCONT)
        _, err = first.communicate(timeout=300)
        assert first.returncode == 0, err
    done = watch.chunks
    assert watch.status == "INPROGRESS" and done >= 1
    assert watch.number("SELECT coalesce(lease_until, 0) FROM jobs") == 0
    second = start("worker", "--data", watch.data)
    assert until(lambda: watch.chunks > done)
    assert until(lambda: watch.status == "COMPLETED")
    second.terminate()
    second.communicate(timeout=300)
    watch.check(watch.data / "files" / "results" / f"{job_id}.zip", SOME)


def test_write_leads_is_what_expected_says(tmp_path: Path) -> None:
    """The generator itself: twenty rows, two of them duplicates."""
    write_leads(tmp_path / "small.csv", 20)
    lines = (tmp_path / "small.csv").read_text().splitlines()
    keys = [line.split(",")[1] for line in lines[1:]]
    assert len(keys) == 20 and len(set(keys)) == 18
