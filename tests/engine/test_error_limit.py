"""A job with a limit of errors ends behind the chunk that passes it, also in several parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.bench import Bench, Done
from tests.support.part_workers import helping, workers_of
from tests.support.stores import Store

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.errors import TooManyErrors
from bulkwright.domain.job import Job, JobStatus, Operation, ResourceStatus
from bulkwright.domain.request import JobRequest, ResourceRequest

pytestmark = pytest.mark.slow

CHUNK = 5


def text(rows: int, bad: int) -> str:
    """Leads; every row of which the number can be divided by `bad` has no address."""
    return "Last_Name,Email\n" + "".join(
        f"N{n},{'none' if n % bad == 0 else f'n{n}@x.example'}\n" for n in range(rows)
    )


def create(bench: Bench, content: str, limit: ErrorLimit) -> Job:
    """A job with a limit."""
    resource = ResourceRequest("Leads", str(bench.upload(content)), None, "Email")
    request = JobRequest(Operation.UPSERT, (resource,), error_limit=limit)
    return bench.services.jobs.create(bench.caller, request)


def ran(bench: Bench, content: str, limit: ErrorLimit, chunk_rows: int = CHUNK) -> Done:
    """The job at its end."""
    job = create(bench, content, limit)
    with bench.chunks(chunk_rows):
        assert bench.worker.run_one(job.id)
    done = bench.done(job.id)
    reported = {number for number in done.ids if number is not None}
    assert reported <= {record["id"] for record in bench.records()}
    assert done.job.counts.added + done.job.counts.updated == len(reported)
    return done


def check_stopped(done: Done, processed: int, rows: int) -> None:
    """It has done that many rows, and the result says so."""
    job, resource = done.job, done.job.resources[0]
    assert (job.status, job.code) == (JobStatus.FAILED, TooManyErrors.code)
    assert (resource.status, resource.code) == (ResourceStatus.FAILED, TooManyErrors.code)
    assert job.counts.total == processed == rows - done.statuses.count("UNPROCESSED")
    assert done.statuses[processed:] == ["UNPROCESSED"] * (rows - processed)


def test_a_job_stops_behind_the_chunk_with_one_row_too_many(bench: Bench) -> None:
    """Two in a chunk of five: the limit is passed in the third."""
    done = ran(bench, text(40, 2), ErrorLimit(rows=5))
    assert done.job.counts.skipped == 8
    check_stopped(done, 15, 40)


def test_a_job_may_have_as_many_as_the_limit(bench: Bench) -> None:
    done = ran(bench, text(40, 10), ErrorLimit(rows=4))
    assert (done.job.status, done.job.code) == (JobStatus.COMPLETED, None)
    assert done.job.counts.skipped == 4


@pytest.mark.parametrize("chunk_rows", [1, 7, 1000])
def test_no_error_is_allowed(bench: Bench, chunk_rows: int) -> None:
    """The size of chunks does not decide whether the job fails, also in its last chunk."""
    content = text(20, 21).replace("N0,none", "N0,n@x.example")
    assert ran(bench, content, ErrorLimit(rows=0), chunk_rows).job.status is JobStatus.COMPLETED
    done = ran(bench, f"{content}last,none\n", ErrorLimit(rows=0), chunk_rows)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, TooManyErrors.code)
    assert "UNPROCESSED" not in done.statuses


def test_a_share_of_few_rows_is_judged_at_the_end(bench: Bench) -> None:
    """Every row is processed, and the job is FAILED all the same."""
    done = ran(bench, text(40, 2), ErrorLimit(percent=49.9))
    check_stopped(done, 40, 40)
    assert ran(bench, text(40, 2), ErrorLimit(percent=50.0)).job.status is JobStatus.COMPLETED


def test_a_share_of_many_rows_is_judged_after_each_chunk(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows are bad alone, which a share of few rows does not judge."""
    monkeypatch.setattr("bulkwright.domain.error_limit.PERCENT_LEAST_ROWS", 20)
    good = text(60, 61).replace("N0,none", "N0,n@x.example")
    assert ran(bench, good, ErrorLimit(percent=10)).job.status is JobStatus.COMPLETED
    check_stopped(ran(bench, text(60, 5), ErrorLimit(percent=10)), 20, 60)
    early = good.replace("Last_Name,Email\n", "Last_Name,Email\na,none\nb,none\n")
    assert ran(bench, early, ErrorLimit(percent=10)).job.status is JobStatus.COMPLETED


def test_an_interrupted_worker_leaves_the_end_to_the_next_one(bench: Bench) -> None:
    """What the chunk has decided is committed with it."""
    job = create(bench, text(40, 2), ErrorLimit(rows=0))
    bench.worker._ctx.stop.is_set = True
    with bench.chunks(CHUNK):
        assert bench.worker.run_one(job.id)
    now = bench.services.jobs.details(bench.org.id, job.id)
    assert (now.status, now.early_end, now.counts.total) == (
        JobStatus.INPROGRESS, TooManyErrors.code, CHUNK,
    )  # fmt: skip
    bench.worker._ctx.stop.is_set = False
    assert bench.worker.run_one(job.id)
    check_stopped(bench.done(job.id), CHUNK, 40)


@pytest.fixture
def benches(store: Store, tmp_path: Path) -> Iterator[list[Bench]]:
    """Three workers on a fresh deployment of each store."""
    with (
        store.copy(tmp_path / "data") as database,
        workers_of(tmp_path / "data", database, 3) as made,
    ):
        yield made


@pytest.mark.parametrize("rows", [0, 3, 30])
def test_all_parts_stop(benches: list[Bench], rows: int) -> None:
    """Each part that runs then may end its chunk; none begins another one."""
    bench, *others = benches
    total = 200
    with ExitStack() as stack:
        for one in benches:
            stack.enter_context(one.chunks(10, 400))
        stack.enter_context(bench.parts(3, at_once=2))
        job = create(bench, text(total, 4), ErrorLimit(rows=rows))
        with helping(others):
            assert bench.worker.run_one(job.id)
    done = bench.done(job.id)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, TooManyErrors.code)
    assert len(done.rows) == total
    # Of at most three chunks at the same time, each has at most all rows of a chunk.
    assert rows < done.job.counts.skipped <= rows + 30
    assert done.statuses.count("UNPROCESSED") == total - done.job.counts.total
    stored = {record["Email"] for record in bench.records()}
    assert {r["Email"] for r in done.rows if r["STATUS"] == "ADDED"} == stored
