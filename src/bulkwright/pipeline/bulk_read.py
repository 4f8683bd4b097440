"""Runs a bulk read: the records of a module, in the order of their ids, become a CSV in a zip.

All chunks are read in one snapshot, so the CSV shows one moment, and no writer waits for it. Each
chunk is made a durable piece while the next one is read. When all are read, one transaction that
checks the fence adds them to the ledger together with the counts. From then on the job has its
result, whichever worker joins the pieces. An attempt that ended before has left nothing but pieces
that no ledger names: the next attempt reads again, in a snapshot of its own.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

from bulkwright.domain.errors import (
    BulkwrightError,
    LeaseLost,
    ModuleNotAvailable,
    WorkerFailed,
)
from bulkwright.domain.job import JobStatus, Lease, LedgerEntry
from bulkwright.domain.limits import READ_CHUNK_ROWS, READ_ROWS
from bulkwright.domain.module import Field, Module
from bulkwright.domain.outcome import Counts
from bulkwright.domain.read_job import ReadJob, ReadResult, Selection
from bulkwright.events.events import JobEnded, JobStarted, RecordsRead, ResultLost
from bulkwright.files import DamagedFile
from bulkwright.pipeline.background import Background
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.join import store_result
from bulkwright.pipeline.part_run import Interrupted
from bulkwright.pipeline.record_lines import last_id_of, render_records
from bulkwright.pipeline.result import deflate
from bulkwright.ports import ChunkSize, ReadRecords
from bulkwright.store import tables
from bulkwright.store.reads import bound_from


def run_read(lease: Lease, job: ReadJob, attempt: int, ctx: JobContext) -> None:
    """Run a claimed bulk read to its end.

    If it cannot be read, the job ends FAILED with the code of the error. Raises LeaseLost if
    another worker has the lease now, Interrupted if the worker was stopped, and errors without a
    code as they are; the job is read again then.
    """
    try:
        if job.read is None:
            ctx.observe(JobStarted(job.id, attempt, 0))
            _read(lease, job, ctx)
    except LeaseLost:
        raise
    except BulkwrightError as error:
        fail_read(lease, job, error.code, ctx)
        return
    _finish(lease, job, ctx)


def fail_read(lease: Lease, job: ReadJob, code: str, ctx: JobContext) -> None:
    """End a bulk read as FAILED, without a result."""
    ctx.claims.finish(lease, JobStatus.FAILED, code=code, has_result=False)
    ctx.files.delete_pieces(job.id)
    ctx.observe(JobEnded(job.id, JobStatus.FAILED, code))


def columns_of(module: Module, names: Sequence[str] | None) -> tuple[Field, ...]:
    """Return the fields of a CSV: `id`, then those that were asked for, or every stored one.

    Raises ModuleNotAvailable if the module has lost one.
    """
    stored = tables.stored_fields(module)
    if names is None:
        return stored
    fields = {f.api_name: f for f in stored}
    missing = [name for name in names if name not in fields]
    if missing:
        raise ModuleNotAvailable(f"The module has no field {missing[0]} any more.")
    return tuple(fields[name] for name in dict.fromkeys(("id", *names)))


@dataclass(frozen=True, slots=True)
class _RecordChunk:
    """Consecutive records."""

    number: int
    first_row: int
    records: ReadRecords


def _read(lease: Lease, job: ReadJob, ctx: JobContext) -> None:
    """Read all records and make their pieces durable, then add them to the ledger."""
    module = ctx.modules.module(job.org_id, job.module)
    if module is None:
        raise ModuleNotAvailable
    fields = columns_of(module, job.query.fields)
    begun = time.monotonic()  # clock: a duration for the log and the metrics
    entries: list[LedgerEntry] = []
    rows, last_id, more = 0, job.query.after or 0, False
    with (
        ctx.records.reader.snapshot(),
        closing(_records(job, module, fields, ctx)) as chunks,
        Background(ctx.threads) as background,
    ):
        making: Future[LedgerEntry] | None = None
        for number, records in enumerate(chunks):
            kept = records[: READ_ROWS - rows]
            more = more or len(records) > len(kept)
            if number and not len(kept):
                continue
            if making is not None:
                entries.append(making.result())
            chunk = _RecordChunk(number, rows, kept)
            making = background.begin(_store_piece, lease, chunk, fields, job, ctx)
            rows += len(kept)
            last_id = last_id_of(kept) if len(kept) else last_id
            if ctx.stop.is_set:
                raise Interrupted
        assert making is not None
        entries.append(making.result())
    result = ReadResult(rows, last_id, more)
    with ctx.claims.held(lease):
        for entry in entries:
            ctx.ledger.add_read(lease, entry)
        ctx.reads.set_result(lease, result)
    seconds = time.monotonic() - begun  # clock: a duration for the log and the metrics
    ctx.observe(RecordsRead(job.id, result.rows, seconds))


def _records(
    job: ReadJob, module: Module, fields: Sequence[Field], ctx: JobContext
) -> Generator[ReadRecords]:
    """Yield the records of a job, and one more if there are more; call it inside a snapshot."""
    skipped = (job.query.page - 1) * READ_ROWS if job.query.after is None else 0
    criteria = bound_from(job.bound.criteria, module)
    wanted = Selection(criteria, job.query.after, skipped, READ_ROWS + 1)
    size = ChunkSize(min(READ_CHUNK_ROWS, ctx.chunk_rows), ctx.chunk_bytes)
    yield from ctx.records.reader.read(module, fields, wanted, size)


def _store_piece(
    lease: Lease, chunk: _RecordChunk, fields: Sequence[Field], job: ReadJob, ctx: JobContext
) -> LedgerEntry:
    """Make the lines of a chunk durable and return its ledger entry."""
    name = f"{chunk.number:08d}-{lease.fence}"
    lines = render_records(
        chunk.records,
        fields,
        job.time_zone,
        header=chunk.number == 0,
        quote_formulas=ctx.quote_formulas,
    )
    piece, packed = deflate(name, lines)
    ctx.files.put_piece(job.id, name, packed)
    return LedgerEntry(
        resource=0,
        chunk=chunk.number,
        first_row=chunk.first_row,
        rows=len(chunk.records),
        counts=Counts(),
        resume_text=0,
        resume_row=0,
        piece=piece,
    )


def _finish(lease: Lease, job: ReadJob, ctx: JobContext) -> None:
    """Join the parts into the result, then end the job.

    If a piece is damaged, the job has no result rather than a wrong one, and is FAILED.
    """
    try:
        sha256 = store_result(job.id, {f"{job.id}.csv": ctx.ledger.entries(job.id, 0)}, ctx.files)
    except DamagedFile as damage:
        ctx.observe(ResultLost(job.id, str(damage)))
        fail_read(lease, job, WorkerFailed.code, ctx)
        return
    ctx.claims.finish(lease, JobStatus.COMPLETED, code=None, has_result=True, result_sha256=sha256)
    ctx.files.delete_pieces(job.id)
    ctx.observe(JobEnded(job.id, JobStatus.COMPLETED, None))
