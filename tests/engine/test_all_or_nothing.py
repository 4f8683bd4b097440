"""Jobs of which nothing stays unless all of their rows are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.engine import existing
from tests.engine.test_undo import everything, undo, upserted
from tests.support.bench import Bench, Done

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.job import Job, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.undo_errors import AlreadyUndone
from bulkwright.domain.undo_job import UndoRequest
from bulkwright.events.events import ChunkCommitted, JobAttemptFailed

pytestmark = pytest.mark.slow

FIRST = "Last_Name,Email,Company\n" + "".join(f"L{n},l{n}@x.example,C{n}\n" for n in range(6))
MIXED = (
    "Last_Name,Email,Company\n"
    + "".join(f"M{n},l{n}@x.example,D{n}\n" for n in range(9))
    + "L5,l5@x.example,C5\nBad,none,\nLast,last@x.example,Z\n"
)
"""Half of the records exist; the last row but one is refused."""


def create(bench: Bench, text: str, operation: str = "upsert", **more: Any) -> Job:
    """Add a job of which nothing stays unless all of its rows are stored."""
    find_by = None if operation == "insert" else "Email"
    resource = ResourceRequest("Leads", str(bench.upload(text)), find_by=find_by)
    request = JobRequest(Operation(operation), (resource,), all_or_nothing=True, **more)
    return bench.services.jobs.create(bench.caller, request)


def run(bench: Bench, job: Job, chunk_rows: int | None = 2) -> Done:
    """Let the worker run everything that waits; the job as it ended."""
    bench.events.clear()
    with bench.chunks(chunk_rows):
        while bench.worker.run_one(job.id):
            pass
    for event in bench.events:
        if isinstance(event, JobAttemptFailed):
            raise event.error
    return bench.done(job.id)


@pytest.mark.parametrize("chunk_rows", [None, 1, 2])
@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_one_refused_row_leaves_the_store_as_it_was(
    bench: Bench, operation: str, chunk_rows: int | None
) -> None:
    """The result says of each row whether it was refused; no other row counts as stored."""
    bench.run(FIRST)
    stored = everything(bench)
    done = run(bench, create(bench, MIXED, operation), chunk_rows)
    assert everything(bench) == stored
    job = done.job
    assert (job.status, job.code) == (JobStatus.FAILED, "TOO_MANY_ERRORS")
    assert (job.counts.added, job.counts.updated, job.counts.unchanged) == (0, 0, 0)
    refused = [n for n, status in enumerate(done.statuses) if status == "SKIPPED"]
    assert refused and len(done.rows) == 12
    assert set(done.statuses) == {"SKIPPED", "UNPROCESSED"}
    assert not any(done.ids)
    assert [row["Last_Name"] for row in done.rows] == [f"M{n}" for n in range(9)] + [
        "L5", "Bad", "Last",
    ]  # fmt: skip
    assert bench.services.jobs.unprocessed(job) == 12 - len(refused)
    assert job.counts.skipped == len(refused)


def test_all_rows_are_stored_or_none(bench: Bench) -> None:
    """Without a refused row it is a job like any other, which can be undone too."""
    bench.run(FIRST)
    stored = everything(bench)
    job = run(bench, create(bench, MIXED.replace("Bad,none", "Good,good@x.example"))).job
    assert (job.status, job.code, job.undo_id) == (JobStatus.COMPLETED, None, None)
    assert (job.counts.added, job.counts.updated) == (5, 7)
    undone, _ = undo(bench, job.id)
    assert (undone.removed, undone.restored, undone.kept) == (5, 6, 0)
    assert everything(bench) == stored


def test_the_job_ends_after_its_undo(bench: Bench) -> None:
    """Between them it is not claimed; the undo is an undo like any other, and not repeated."""
    bench.run(FIRST)
    job = create(bench, MIXED)
    with bench.chunks(2):
        assert bench.worker.run_one(job.id)
    now = bench.services.jobs.details(bench.org.id, job.id)
    assert (now.status, now.ending) == (JobStatus.INPROGRESS, "TOO_MANY_ERRORS")
    assert now.undo_id is not None
    claimed = bench.services.claims.claim("host/other")
    assert claimed is not None and claimed[1].id == now.undo_id
    assert bench.services.claims.claim("host/third") is None
    bench.services.claims.release(claimed[0])
    done = run(bench, job)
    assert done.job.status is JobStatus.FAILED
    with pytest.raises(AlreadyUndone):
        bench.services.undos.create(bench.caller, UndoRequest(job.id))


def test_an_abort_leaves_nothing(bench: Bench) -> None:
    bench.run(FIRST)
    stored = everything(bench)
    job = create(bench, MIXED)
    ctx = bench.worker._ctx

    def observe(event: object) -> None:
        if isinstance(event, ChunkCommitted):
            bench.services.job_control.abort(bench.org.id, job.id)

    bench.worker._ctx = replace(ctx, observe=observe)
    with bench.chunks(2):
        assert bench.worker.run_one(job.id)
    bench.worker._ctx = ctx
    assert everything(bench) != stored
    done = run(bench, job)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, "ABORTED")
    assert done.statuses == ["UNPROCESSED"] * 12
    assert everything(bench) == stored


def test_what_another_writer_has_changed_stays_and_is_named(bench: Bench) -> None:
    """A job that overlaps writes a record before the undo: the row stays as it is reported."""
    bench.run(FIRST)
    job = create(bench, MIXED)
    with bench.chunks(2):
        assert bench.worker.run_one(job.id)
    other = upserted(bench, "Other,l1@x.example,O", "Other,l7@x.example,O").ids
    done = run(bench, job)
    kept = {n: row for n, row in enumerate(done.rows) if row["STATUS"] in ("ADDED", "UPDATED")}
    assert {n: row["STATUS"] for n, row in kept.items()} == {1: "UPDATED", 7: "ADDED"}
    assert [int(row["RECORD_ID"]) for row in kept.values()] == other
    assert (done.job.counts.added, done.job.counts.updated) == (1, 1)
    assert done.job.undo_id is not None
    undone = bench.services.undos.details(bench.org.id, done.job.undo_id)
    assert (undone.removed, undone.restored, undone.kept) == (3, 5, 2)
    names = [record["Last_Name"] for record in bench.records()]
    assert names == ["L0", "Other", "L2", "L3", "L4", "L5", "Other"]


def test_images_are_kept_although_jobs_keep_none(bench: Bench) -> None:
    """They are released at the end of the job."""
    bench.run(FIRST)
    stored = everything(bench)
    bench.worker._ctx = replace(bench.worker._ctx, keep_images=False)
    done = run(bench, create(bench, MIXED))
    assert done.job.code == "TOO_MANY_ERRORS"
    assert everything(bench) == stored
    good = run(bench, create(bench, MIXED.replace("Bad,none", "Good,good@x.example")))
    assert good.job.status is JobStatus.COMPLETED
    split = good.job.resources[0].split
    assert split is not None and split.images is None


def test_an_undo_that_fails_is_reported(bench: Bench) -> None:
    """What the job has stored stays, and its result says so, until a new undo has completed."""
    bench.run(FIRST)
    stored = everything(bench)
    job = create(bench, MIXED)
    with bench.chunks(2):
        assert bench.worker.run_one(job.id)
    now = bench.services.jobs.details(bench.org.id, job.id)
    assert now.undo_id is not None
    bench.services.job_control.abort(bench.org.id, now.undo_id)
    done = run(bench, job)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, "UNDO_FAILED")
    assert (done.job.counts.added, done.job.counts.updated) == (4, 7)
    assert done.statuses.count("ADDED") == 4
    undo(bench, job.id)
    assert everything(bench) == stored


def test_a_dry_run_has_the_same_result(bench: Bench) -> None:
    bench.run(FIRST)
    stored = everything(bench)
    dry = create(bench, MIXED, dry=True)
    with bench.chunks(2):
        assert bench.worker.run_one(dry.id)
    expected = bench.done(dry.id)
    assert everything(bench) == stored
    done = run(bench, create(bench, MIXED))
    assert expected.text == done.text
    assert (expected.job.code, expected.job.counts) == (done.job.code, done.job.counts)


def test_a_job_that_has_stored_nothing_needs_no_undo(bench: Bench) -> None:
    bench.run(FIRST)
    text = FIRST + "Bad,none,\n"
    done = run(bench, create(bench, text))
    assert done.statuses == ["UNPROCESSED"] * 6 + ["SKIPPED"]
    assert (done.job.code, done.job.undo_id) == ("TOO_MANY_ERRORS", None)


def test_parts_leave_nothing(postgres_only: Bench) -> None:
    bench = postgres_only
    bench.run(FIRST)
    stored = everything(bench)
    job = create(bench, MIXED)
    with bench.parts(3, at_once=2), bench.chunks(2, 100):
        while bench.worker.run_one(job.id):
            pass
    done = bench.done(job.id)
    assert done.job.resources[0].split is not None and done.job.resources[0].split.parts == 3
    assert everything(bench) == stored
    assert set(done.statuses) == {"SKIPPED", "UNPROCESSED"} and len(done.rows) == 12
    assert done.job.counts.added + done.job.counts.updated == 0


def test_an_existing_table_is_refused(bench: Bench) -> None:
    existing.run(bench, "CREATE TABLE things (id {id}, name TEXT)")
    module = existing.offer(bench, "things").api_name
    resource = ResourceRequest(module, str(bench.upload("name\nA\n")))
    request = JobRequest(Operation.INSERT, (resource,), all_or_nothing=True)
    with pytest.raises(InvalidData, match="existing table"):
        bench.services.jobs.create(bench.caller, request)
