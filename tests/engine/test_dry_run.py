"""A dry run has the result of a real run, and stores nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.bench import Bench, Done, opened

from bulkwright.domain.job import Callback, Job, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.events.events import ChunkCommitted, Event, JobEnded, WorkerPolled
from bulkwright.files import Area
from bulkwright.pipeline import dry_run

pytestmark = pytest.mark.slow

BEFORE = "Last_Name,Email\nBoyle,p@x.example\nKay,k@x.example\n"
FILE = """Last_Name,Email,No_of_Employees,Lead_Source
Boyle,p@x.example,1,Trade Show
May,m@x.example,2,Fair
Kay,k@x.example,none,
May,M@x.example,3,Fair
,n@x.example,,
Lee,no address,,
Noh,m@x.example,4,Street
Roy,r@x.example,,
"""


def create(bench: Bench, content: str, operation: str = "upsert", **more: Any) -> Job:
    """Add a dry run."""
    find_by = None if operation == "insert" else "Email"
    resource = ResourceRequest("Leads", str(bench.upload(content)), find_by=find_by)
    request = JobRequest(Operation(operation), (resource,), dry=True, **more)
    return bench.services.jobs.create(bench.caller, request)


def run(bench: Bench, content: str, operation: str = "upsert", rows: int = 2) -> Done:
    """Run a dry run to its end, in small chunks."""
    job = create(bench, content, operation)
    with bench.chunks(rows):
        assert bench.worker.run_one(job.id)
    return bench.done(job.id)


def contents(bench: Bench, *without: str) -> dict[str, Sequence[object]]:
    """Every row of every table, but those of these."""
    database = bench.services.database
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        if database.dialect == "sqlite"
        else "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    return {
        row["name"]: sorted(map(str, database.sql(f'SELECT * FROM "{row["name"]}"')))
        for row in database.sql(names)
        if row["name"] not in without
    }


JOB_TABLES = ("jobs", "resources", "parts", "uploads", "orgs", "sequence", "counters", "audit")


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_the_result_is_that_of_a_real_run(bench: Bench, operation: str) -> None:
    """To the byte, apart from the ids of new records; later rows see the keys of earlier ones."""
    bench.run(BEFORE)
    before = contents(bench, *JOB_TABLES)
    dry = run(bench, FILE, operation)
    assert contents(bench, *JOB_TABLES) == before
    find_by = None if operation == "insert" else "Email"
    real = bench.run(FILE, operation=operation, find_by=find_by, chunk_rows=2)
    known = {str(record["id"]) for record in bench.records()[:2]}
    wanted = [row if row["RECORD_ID"] in known else {**row, "RECORD_ID": ""} for row in real.rows]
    assert dry.rows == wanted
    job, twin = dry.job, real.job
    assert (job.status, job.dry, job.counts) == (JobStatus.COMPLETED, True, twin.counts)
    assert job.resources[0].reading == twin.resources[0].reading
    assert job.character_encoding == twin.character_encoding


def test_nothing_but_the_result_stays(bench: Bench) -> None:
    """No piece, no other result, no copy; the callback is sent, and the ledger is empty."""
    job = create(bench, BEFORE, callback=Callback("https://example.com/end"))
    assert bench.worker.run_one(job.id)
    files = bench.services.settings.data
    stored = [p.relative_to(files) for p in files.rglob("*") if p.is_file()]
    kept = [p for p in stored if p.parts[0] in ("files", "scratch") and p.name != "owner"]
    assert sorted(map(str, kept)) == [
        f"files/results/{job.id}.zip", f"files/uploads/{job.resources[0].file_id}.zip",
    ]  # fmt: skip
    database = bench.services.database
    assert database.sql("SELECT count(*) AS n FROM ledger")[0]["n"] == 0
    assert [d.job_id for d in bench.services.outbox.newest(bench.org.id, 9)] == [job.id]
    assert bench.records() == []


def test_its_rows_are_not_counted_as_stored(bench: Bench) -> None:
    """The events are its start, signs that the worker works, and its end."""
    job = create(bench, BEFORE)
    bench.events.clear()
    assert bench.worker.run_one(job.id)
    kinds = {type(event) for event in bench.events}
    assert ChunkCommitted not in kinds and WorkerPolled in kinds
    (ended,) = (event for event in bench.events if isinstance(event, JobEnded))
    assert (ended.job_id, ended.counts and ended.counts.added) == (job.id, 2)


@contextmanager
def in_the_middle(bench: Bench, act: Any) -> Iterator[None]:
    """Call `act` on another thread, so with another session, after the start of a dry run."""
    before = bench.worker._ctx
    done: list[Event] = []

    def observe(event: Event) -> None:
        if isinstance(event, WorkerPolled) and not done:
            done.append(event)
            with ThreadPoolExecutor(1) as threads:
                threads.submit(act).result()

    bench.worker._ctx = replace(before, observe=observe, chunk_rows=1)
    yield
    bench.worker._ctx = before


def test_an_aborted_dry_run_ends(bench: Bench) -> None:
    job = create(bench, BEFORE)
    with in_the_middle(bench, lambda: bench.services.job_control.abort(bench.org.id, job.id)):
        assert bench.worker.run_one(job.id)
        assert not bench.services.jobs.details(bench.org.id, job.id).status.is_final
        assert bench.worker.run_one(job.id)
    done = bench.done(job.id)
    assert (done.job.code, done.statuses) == ("ABORTED", ["UNPROCESSED"] * 2)
    assert bench.records() == []


def test_a_dry_run_whose_worker_stops_begins_again(bench: Bench) -> None:
    """It is not counted as an attempt, and nothing of it is left."""
    job = create(bench, BEFORE)
    with in_the_middle(bench, bench.worker.stop):
        assert bench.worker.run_one(job.id)
    bench.worker._ctx.stop.is_set = False
    assert bench.services.jobs.details(bench.org.id, job.id).status is JobStatus.INPROGRESS
    assert bench.records() == []
    assert bench.worker.run_one(job.id)
    assert bench.done(job.id).statuses == ["ADDED", "ADDED"]


def test_a_dry_run_that_is_killed_before_its_end_begins_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result is replaced, and the file of its twin is a stray."""

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    job = create(bench, BEFORE)
    for place in ("_keep_result", "run_job"):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(dry_run, place, kill)
            bench.worker.run_one(job.id)
        bench.services.claims.end_leases(bench.worker._identity)
    assert bench.worker.run_one(job.id)
    assert bench.done(job.id).statuses == ["ADDED", "ADDED"]
    assert bench.records() == []


def test_writers_do_not_wait_for_a_dry_run(bench: Bench, tmp_path: Path) -> None:
    """In the middle of it another process writes, also for another module."""
    job = create(bench, BEFORE)

    def write() -> None:
        with opened(tmp_path / "data", bench.services.settings.database) as other:
            other.run("Last_Name\nOther\n", "Contacts")

    with in_the_middle(bench, write):
        assert bench.worker.run_one(job.id)
    assert len(bench.records("Contacts")) == 1
    assert bench.done(job.id).statuses == ["ADDED", "ADDED"]


def test_a_file_that_cannot_be_read_fails_as_in_a_real_run(bench: Bench) -> None:
    job = create(bench, BEFORE)
    with bench.services.files.incoming() as incoming:
        incoming.write(b"PK")
        incoming.save(Area.UPLOADS, job.resources[0].file_id)
    assert bench.worker.run_one(job.id)
    ended = bench.services.jobs.details(bench.org.id, job.id)
    assert (ended.status, ended.code, ended.has_result) == (
        JobStatus.FAILED, "INVALID_FILE_FORMAT", False,
    )  # fmt: skip
    assert ended.resources[0].status == "FAILED"
