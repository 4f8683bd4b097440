"""An aborted job: what was committed stays, nothing is stored later, and the rest is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.test_job_states import create
from tests.support.bench import Bench, Done
from tests.support.part_workers import helping, workers_of

from bulkwright.domain.audit import Action
from bulkwright.domain.errors import JobHasEnded, LeaseLost, ResourceNotFound
from bulkwright.domain.job import Job, JobStatus, Split
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.events.events import ChunkCommitted, Event

ROWS = 60
CHUNK = 5


def text(rows: int = ROWS) -> str:
    """Leads with an e-mail address each."""
    return "Last_Name,Email\n" + "".join(f"N{n},n{n}@x.example\n" for n in range(rows))


def abort(bench: Bench, job_id: int) -> Job:
    """Abort a bulk write."""
    job = bench.services.job_control.abort(bench.org.id, job_id)
    assert isinstance(job, Job)
    return job


@contextmanager
def observed(bench: Bench, observe: Callable[[Event], None]) -> Iterator[None]:
    """Let the worker cut small chunks, and call `observe`."""
    before = bench.worker._ctx
    bench.worker._ctx = replace(before, observe=observe, chunk_rows=CHUNK)
    yield
    bench.worker._ctx = before


def ended(bench: Bench, job_id: int) -> Done:
    """The job after some worker has ended it."""
    assert bench.worker.run_one(job_id)
    assert bench.services.jobs.details(bench.org.id, job_id).status.is_final
    return bench.done(job_id)


def check(bench: Bench, done: Done, stored: int) -> None:
    """The job is FAILED, that many rows are stored, and the result says the same of each row."""
    job = done.job
    assert (job.status, job.code, job.has_result) == (JobStatus.FAILED, "ABORTED", True)
    assert job.abort_time is not None and job.ended_time is not None
    assert done.statuses.count("ADDED") == job.counts.total == len(bench.records()) == stored
    assert done.statuses.count("UNPROCESSED") == len(done.rows) - stored
    records = {record["id"]: record["Email"] for record in bench.records()}
    rows = zip(done.ids, done.rows, strict=True)
    assert records == {number: row["Email"] for number, row in rows if number}


def test_a_job_that_has_not_begun_never_starts(bench: Bench) -> None:
    job = bench.create(text())
    assert abort(bench, job.id).status is JobStatus.ADDED
    check(bench, ended(bench, job.id), stored=0)


def test_a_running_job_ends_after_its_current_chunk(bench: Bench) -> None:
    """The abort comes after the third chunk; the worker loses the job, the next one ends it."""
    job = bench.create(text())
    chunks: list[Event] = []

    def observe(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            chunks.append(event)
            if len(chunks) == 3:
                abort(bench, job.id)

    with observed(bench, observe):
        assert bench.worker.run_one(job.id)
        assert len(bench.records()) == 3 * CHUNK
        check(bench, ended(bench, job.id), stored=3 * CHUNK)
    assert len(chunks) == 3


def test_a_worker_that_was_paused_cannot_write_after_the_abort(bench: Bench) -> None:
    """Neither a chunk of its part, nor anything of the job, nor its end."""
    job, claims = bench.create(text()), bench.services.claims
    claimed = claims.claim("paused", job.id)
    assert claimed is not None
    lease = claimed[0]
    split, part = claims.begin(lease, 0, None, Split(chunk_rows=CHUNK, chunk_bytes=10_000))
    assert part is not None and not split.is_divided
    abort(bench, job.id)
    for writing in (claims.chunk(part), claims.chunk(part, lease), claims.held(lease)):
        with pytest.raises(LeaseLost), writing:
            raise AssertionError("the claim holds")
    with pytest.raises(LeaseLost):
        claims.finish(lease, JobStatus.COMPLETED, code=None, has_result=False)
    check(bench, ended(bench, job.id), stored=0)


def test_resources_that_were_not_begun_are_skipped(bench: Bench) -> None:
    """And those that are done stay COMPLETED."""
    job = create(bench, 3)

    def observe(event: Event) -> None:
        if isinstance(event, ChunkCommitted) and bench.records("Contacts"):
            bench.services.job_control.abort(bench.org.id, job.id)

    with observed(bench, observe):
        assert bench.worker.run_one(job.id)
        assert bench.worker.run_one(job.id)
    job = bench.services.jobs.details(bench.org.id, job.id)
    assert [r.status for r in job.resources] == ["COMPLETED", "FAILED", "SKIPPED"]
    assert [r.code for r in job.resources] == [None, "ABORTED", None]
    assert bench.records("Deals") == []


def test_an_abort_is_repeated_and_refused_by_name(bench: Bench) -> None:
    """It is recorded once. An ended job, and one of another org, are not aborted."""
    job, org = bench.create(text(1)), bench.org.id
    first = abort(bench, job.id)
    assert abort(bench, job.id).abort_time == first.abort_time
    ended(bench, job.id)
    assert abort(bench, job.id).status is JobStatus.FAILED
    (entry,) = bench.services.audit.newest(10, action=Action.JOB_ABORTED)
    assert (entry.org_id, entry.detail) == (org, str(job.id))
    done = bench.run(text(2)).job
    with pytest.raises(JobHasEnded, match="COMPLETED"):
        abort(bench, done.id)
    for wrong in ((org + 1, job.id), (org, 1)):
        with pytest.raises(ResourceNotFound):
            bench.services.job_control.abort(*wrong)


def test_the_attempts_of_an_aborted_job_begin_again(bench: Bench) -> None:
    """A job that is about to be given up is ABORTED all the same, with its rows listed."""
    job = bench.create(text())
    for _ in range(3):
        claimed = bench.services.claims.claim("dies", job.id)
        assert claimed is not None
        bench.services.claims.end_leases("dies")
    abort(bench, job.id)
    check(bench, ended(bench, job.id), stored=0)


def test_a_bulk_read_is_aborted(bench: Bench) -> None:
    """Before it has begun, and while a worker reads: that has no result then."""
    bench.run(text())
    wanted = ReadRequest("Leads", ReadQuery())
    for begun in (False, True):
        job = bench.services.reads.create(bench.caller, wanted)
        claimed = bench.services.claims.claim("reads", job.id) if begun else None
        bench.services.job_control.abort(bench.org.id, job.id)
        if claimed is not None:
            with pytest.raises(LeaseLost), bench.services.claims.held(claimed[0]):
                pass
        assert bench.worker.run_one(job.id)
        after = bench.services.reads.details(bench.org.id, job.id)
        assert (after.status, after.code, after.has_result) == (
            JobStatus.FAILED, "ABORTED", False,
        )  # fmt: skip


def test_all_parts_end(postgres_only: Bench, tmp_path: Path) -> None:
    """Three workers run parts of the job; after the abort none of them stores a row."""
    bench = postgres_only
    url = bench.services.settings.database
    rows = 300
    with workers_of(tmp_path / "data", url, 2) as helpers:
        job = bench.create(text(rows), "Leads", "upsert", find_by="Email")
        counted: list[int] = []

        def observe(event: Event) -> None:
            if isinstance(event, ChunkCommitted) and event.counts.total >= 20 and not counted:
                abort(bench, job.id)
                counted.append(len(bench.records()))

        for one in (bench, *helpers):
            one.worker._ctx = replace(
                one.worker._ctx, chunk_rows=CHUNK, chunk_bytes=500, most_parts=4, observe=observe
            )
        with helping(helpers):
            while not bench.services.jobs.details(bench.org.id, job.id).status.is_final:
                bench.worker.run_one(job.id)
        assert 0 < counted[0] < rows
        check(bench, bench.done(job.id), stored=counted[0])
