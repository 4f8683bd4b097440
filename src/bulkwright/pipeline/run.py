"""Runs a job: the loop over the chunks of each resource.

A chunk is one database transaction that holds its records, its ledger entry, the counters and the
check of the lease's fence. Its result part is durable on the disk before the commit. So the worker
can be killed at any moment: the next worker begins at the first chunk that was not committed, and
the outcome is that of an undisturbed run.

Reading and conforming need no store, so the next chunk is read on another thread while the records
of this one are written. The result lines of a chunk are also made on another thread, as soon as the
record ids are known. Polars, inflate, deflate and the driver all release the GIL.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future

import polars as pl

from bulkwright.domain.errors import BulkwrightError, LeaseLost, LimitExceeded, WorkerFailed
from bulkwright.domain.job import Job, JobStatus, Lease, LedgerEntry, default_bytes
from bulkwright.domain.outcome import Counts, Outcome, SkipReason
from bulkwright.events.events import ChunkCommitted, JobEnded, JobStarted, ResultLost
from bulkwright.files import DamagedFile
from bulkwright.pipeline import result
from bulkwright.pipeline.background import Background
from bulkwright.pipeline.conform import Conformed, conform
from bulkwright.pipeline.context import Interrupted, JobContext
from bulkwright.pipeline.join import Member, join_parts
from bulkwright.pipeline.keys import normalised
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk, Start
from bulkwright.pipeline.result import RowResults
from bulkwright.pipeline.source import open_source
from bulkwright.pipeline.targets import open_target
from bulkwright.pipeline.targets.target import Decided, Target
from bulkwright.ports import ParentRecords, RecordSink


def run_job(lease: Lease, job: Job, attempt: int, ctx: JobContext) -> None:
    """Run a claimed job to its end.

    If it cannot be processed, the job ends FAILED with the code of the error. Raises LeaseLost if
    another worker has the lease now, Interrupted if the worker was stopped, and errors without a
    code as they are; all of them leave the job as it was after its last chunk.
    """
    try:
        for position in range(len(job.resources)):
            _run_resource(lease, job, position, attempt, ctx)
            if position + 1 < len(job.resources):  # the end of the job completes the last one
                ctx.claims.complete_resource(lease, position)
    except LeaseLost:
        raise
    except BulkwrightError as error:
        fail_job(lease, job, error.code, ctx)
    else:
        _finish(lease, job, JobStatus.COMPLETED, None, ctx)


def fail_job(lease: Lease, job: Job, code: str, ctx: JobContext, *, read_rest: bool = True) -> None:
    """End a job as FAILED. Rows that were not reached are UNPROCESSED in its result.

    Resources after the one that the job had reached are SKIPPED (`ClaimStore.finish`).

    With `read_rest` false the upload is not read again: its rows may be what kills workers.
    """
    for position in range(len(job.resources) if read_rest else 0):
        try:
            with open_source(job, position, ctx) as source:
                for chunk in source.chunks(_start(ctx.ledger.entries(job.id, position)), ctx):
                    _commit_unprocessed(lease, chunk, source.plan, ctx)
        except LeaseLost:
            raise
        except BulkwrightError:
            continue  # rows that cannot be read cannot be listed in the result
    _finish(lease, job, JobStatus.FAILED, code, ctx)


def _run_resource(lease: Lease, job: Job, position: int, attempt: int, ctx: JobContext) -> None:
    entries = ctx.ledger.entries(job.id, position)
    counts = sum((e.counts for e in entries), Counts())
    start = _start(entries)
    ctx.observe(JobStarted(job.id, attempt, start.row))
    with open_source(job, position, ctx) as source, Background(ctx.threads) as background:
        plan = source.plan
        chunks = _Prefetch((conform(c, plan) for c in source.chunks(start, ctx)), background)
        chunks.begin_next()
        ctx.claims.begin(lease, source.dialect.encoding)
        _ensure_indexes(plan, ctx.records.service)
        target = open_target(plan, ctx)
        begun = time.monotonic()  # clock: a duration for the log and the metrics
        added = default_bytes(plan.resource.mappings)
        while (conformed := chunks.take()) is not None:
            rows = conformed.chunk.first_row + conformed.chunk.rows
            if added * rows > ctx.limits.default_bytes:
                raise LimitExceeded
            entry, reasons = _commit_chunk(lease, conformed, plan, target, background, chunks, ctx)
            counts += entry.counts
            share = min(1.0, entry.resume_text / max(1, source.text_bytes))
            now = time.monotonic()  # clock: a duration for the log and the metrics
            seconds, begun = now - begun, now
            ctx.observe(
                ChunkCommitted(job.id, entry.rows, counts, share, entry.counts, seconds, reasons)
            )
            if ctx.stop.is_set:
                raise Interrupted


def _commit_chunk(
    lease: Lease,
    conformed: Conformed,
    plan: Plan,
    target: Target,
    background: Background,
    chunks: _Prefetch,
    ctx: JobContext,
) -> tuple[LedgerEntry, dict[tuple[SkipReason, str], int]]:
    """Process one chunk in one transaction; return its ledger entry and why rows were skipped."""
    with ctx.claims.chunk(lease):
        begun = time.monotonic()  # clock: a duration for the size of the next chunks
        target.lock()
        decided = target.decide(conformed)
        results = _results(decided, dry=ctx.dry)
        making = background.begin(_store_part, lease, conformed.chunk, plan, results, ctx)
        chunks.begin_next()
        target.write(decided)
        _remember_parents(conformed.chunk, plan, decided.ids, ctx.records.parents)
        entry = making.result()
        ctx.ledger.add(lease, entry)
    seconds = time.monotonic() - begun  # clock: a duration for the size of the next chunks
    ctx.pace.note(plan, entry.rows, seconds)
    return entry, decided.matched.conformed.row_errors.counts()


def _commit_unprocessed(lease: Lease, chunk: Chunk, plan: Plan, ctx: JobContext) -> None:
    """Report the rows of a chunk as UNPROCESSED; the counters do not count them."""
    with ctx.claims.chunk(lease):
        entry = _store_part(lease, chunk, plan, RowResults.unprocessed(chunk.rows), ctx)
        ctx.ledger.add(lease, entry)


def _results(decided: Decided, *, dry: bool) -> RowResults:
    matched = decided.matched
    # The ids of a dry run's new records are rolled back with it.
    ids = matched.record if dry else decided.ids
    return RowResults(matched.outcome, ids, matched.conformed.row_errors.cells())


def _store_part(
    lease: Lease, chunk: Chunk, plan: Plan, results: RowResults, ctx: JobContext
) -> LedgerEntry:
    """Make the result lines of a chunk durable and return its ledger entry."""
    name = result.part_name(plan.position, chunk.number, lease.fence)
    lines = result.render_lines(chunk, plan, results, quote_formulas=ctx.quote_formulas)
    part, packed = result.deflate(name, lines)
    ctx.files.put_part(lease.job_id, name, packed)
    counts = Counts(
        added=results.count(Outcome.ADDED),
        updated=results.count(Outcome.UPDATED),
        skipped=results.count(Outcome.SKIPPED),
    )
    return LedgerEntry(
        plan.position,
        chunk.number,
        chunk.first_row,
        chunk.rows,
        counts,
        chunk.resume_text,
        chunk.resume_row,
        part,
        chunk.stray_quotes,
    )


def _finish(lease: Lease, job: Job, status: JobStatus, code: str | None, ctx: JobContext) -> None:
    """Join the parts into the result, then end the job.

    If a part is damaged, the job has no result rather than a wrong one, and is FAILED.
    """
    now = ctx.jobs.job(job.org_id, job.id)
    assert now is not None
    sha256 = None
    try:
        sha256 = join_parts(job.id, _members(now, ctx), ctx.files)
    except DamagedFile as damage:
        ctx.observe(ResultLost(job.id, str(damage)))
        status, code = JobStatus.FAILED, code or WorkerFailed.code
    ctx.claims.finish(lease, status, code=code, has_result=sha256 is not None, result_sha256=sha256)
    ctx.files.delete_parts(job.id)
    ctx.observe(JobEnded(job.id, status, code, now.counts))


def _members(job: Job, ctx: JobContext) -> Iterator[Member]:
    for position, resource in enumerate(job.resources):
        name = result.member_name(resource.module, resource.file_name)
        yield name, ctx.ledger.entries(job.id, position)


def _start(entries: list[LedgerEntry]) -> Start:
    if not entries:
        return Start()
    last = entries[-1]
    return Start(last.chunk + 1, last.first_row + last.rows, last.resume_text, last.resume_row)


def _ensure_indexes(plan: Plan, sink: RecordSink) -> None:
    """Create the indexes by which the rows of the plan find records, where they are missing."""
    if plan.find_by is not None:
        sink.ensure_index(plan.module, plan.find_by.field)
    for column in plan.columns:
        if column.lookup_module is not None and column.lookup_field is not None:
            sink.ensure_index(column.lookup_module, column.lookup_field)


def _remember_parents(chunk: Chunk, plan: Plan, ids: pl.Series, parents: ParentRecords) -> None:
    """Store the records of these rows by the texts by which children in the same job find them."""
    for column in plan.parent_columns:
        parents.remember(plan.job.id, column, normalised(chunk.cells[str(column)]), ids)


class _Prefetch:
    """Conforms the next chunk on another thread, one at a time."""

    def __init__(self, chunks: Iterator[Conformed], background: Background) -> None:
        self._chunks = chunks
        self._background = background
        self._next: Future[Conformed | None] | None = None

    def begin_next(self) -> None:
        """Begin with the next chunk. Call it when the thread of the caller no longer uses Polars.

        If it begins any earlier, both compete for the cores: that took 6 % longer.
        """
        if self._next is None:
            self._next = self._background.begin(next, self._chunks, None)

    def take(self) -> Conformed | None:
        """Return the next chunk as soon as it is ready; None after the last."""
        self.begin_next()
        taken, self._next = self._next, None
        assert taken is not None
        return taken.result()
