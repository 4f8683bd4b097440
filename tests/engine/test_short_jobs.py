"""A worker runs short jobs while it runs a long one: between its chunks, or on a thread."""

from __future__ import annotations

import errno
import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.support.bench import Bench

from bulkwright.domain.job import Job, Operation
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.undo_job import UndoRequest
from bulkwright.events.events import ChunkCommitted, Event, JobEnded
from bulkwright.runtime import short_jobs, worker
from bulkwright.store.claims import ClaimStore

ROWS = 6


@pytest.fixture(autouse=True)
def every_job_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first chunk on."""
    monkeypatch.setattr(short_jobs, "LONG_JOB_SECONDS", 0.0)


def create(bench: Bench, rows: int, **more: Any) -> Job:
    """Add a job."""
    text = "Last_Name\n" + "Boyle\n" * rows
    resource = ResourceRequest("Leads", str(bench.upload(text)))
    return bench.services.jobs.create(
        bench.caller, JobRequest(Operation.INSERT, (resource,), **more)
    )


def run_next(bench: Bench) -> list[tuple[int, str]]:
    """Run the next job, a chunk a row; the chunks and ends of jobs, in their order."""
    bench.events.clear()
    with bench.chunks(rows=1):
        assert bench.worker.run_one()
    found = []
    for event in bench.events:
        if isinstance(event, ChunkCommitted):
            found.append((event.job_id, "chunk"))
        elif isinstance(event, JobEnded):
            found.append((event.job_id, "end"))
    return found


def test_short_jobs_run_between_the_chunks_of_a_long_one(bench: Bench) -> None:
    """Both are whole, and the short one ends first."""
    long, short = create(bench, ROWS), create(bench, 1)
    assert run_next(bench) == [
        (long.id, "chunk"),
        (short.id, "chunk"),
        (short.id, "end"),
        *[(long.id, "chunk")] * (ROWS - 1),
        (long.id, "end"),
    ]
    assert [len(bench.done(job.id).rows) for job in (long, short)] == [ROWS, 1]


def test_a_short_job_makes_way_for_no_other(bench: Bench) -> None:
    """Jobs that run between chunks run one after the other, as they were created."""
    long, *short = (create(bench, rows) for rows in (ROWS, 2, 2, 2))
    ends = [job for job, what in run_next(bench) if what == "end"]
    assert ends == [*(job.id for job in short), long.id]


def test_a_job_that_has_just_begun_runs_to_its_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that short jobs do not make way for each other."""
    monkeypatch.setattr(short_jobs, "LONG_JOB_SECONDS", 3600.0)
    first, second = create(bench, 2), create(bench, 1)
    assert run_next(bench) == [(first.id, "chunk")] * 2 + [(first.id, "end")]
    assert run_next(bench)[-1] == (second.id, "end")


def test_other_jobs_wait_for_the_end_of_the_long_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is not small, a dry run, a bulk read."""
    monkeypatch.setattr(worker, "SHORT_JOB_BYTES", 200)
    long = create(bench, ROWS)
    waiting = {
        create(bench, 1, dry=True).id,
        bench.services.reads.create(bench.caller, ReadRequest("Leads", ReadQuery())).id,
    }
    names = [f"name {number * 7919 % 1000}" for number in range(200)]
    resource = ResourceRequest("Leads", str(bench.upload("\n".join(["Last_Name", *names]))))
    large = bench.services.jobs.create(bench.caller, JobRequest(Operation.INSERT, (resource,)))
    assert {job for job, _ in run_next(bench)} == {long.id}
    rest = set()
    while bench.worker.run_one():
        rest |= {e.job_id for e in bench.events if isinstance(e, JobEnded)}
    assert rest == {long.id, *waiting, large.id}


def test_a_short_job_that_fails_leaves_the_long_one_alone(bench: Bench) -> None:
    """Its error is its own."""
    long = create(bench, ROWS)
    resource = ResourceRequest("Leads", str(bench.upload(b"Last_Name\n\xff\xfe\x00")))
    short = bench.services.jobs.create(bench.caller, JobRequest(Operation.INSERT, (resource,)))
    ends = [job for job, what in run_next(bench) if what == "end"]
    assert ends == [short.id, long.id]
    assert bench.done(long.id).job.status.value == "COMPLETED"
    assert len(bench.done(long.id).rows) == ROWS


def test_short_jobs_run_between_the_chunks_of_an_undo(bench: Bench) -> None:
    """An undo of many records is long too."""
    done = create(bench, ROWS)
    run_next(bench)
    undo = bench.services.undos.create(bench.caller, UndoRequest(done.id))
    short = create(bench, 1)
    ends = [job for job, what in run_next(bench) if what == "end"]
    assert ends == [short.id, undo.id]


def test_an_outage_of_the_look_for_short_jobs_leaves_the_worker_alone(
    postgres_only: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread beside the long job looks again; the job meets an outage by itself."""
    looked = threading.Event()
    claim = ClaimStore.claim

    def failing(self: ClaimStore, *words: Any, **more: Any) -> Any:
        if more.get("most_bytes") is None:
            return claim(self, *words, **more)
        looked.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    def wait(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            assert looked.wait(60)

    monkeypatch.setattr(ClaimStore, "claim", failing)
    bench = postgres_only
    long = create(bench, ROWS)
    ctx = replace(bench.worker._ctx, short_jobs_beside=True, observe=wait)
    monkeypatch.setattr(bench.worker, "_ctx", ctx)
    assert bench.worker.run_one()
    assert bench.done(long.id).statuses == ["ADDED"] * ROWS
