"""Ends jobs of which nothing may stay unless all of their rows are stored.

Such a job stops at the first row that is skipped (`ErrorLimit`). What it has stored until then is
undone by an undo, which is a job of its own (undo.py): chunk by chunk, exactly once, whatever is
killed meanwhile. The job ends when that undo has ended:

1. One transaction takes its parts from all workers, adds the undo, records the code with which the
   job ends, and releases the job. From here on no row of it can be stored.
2. A worker runs the undo. The job cannot be claimed meanwhile.
3. A worker claims the job again. The rows that were stored become UNPROCESSED in its result, apart
   from those whose records another writer has changed meanwhile: the undo has kept these.

Step 3 can be repeated at any point: it reads the ledger and the pieces that it has written itself.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from zoneinfo import ZoneInfo

import polars as pl

from bulkwright.domain.errors import UndoFailed
from bulkwright.domain.job import Job, JobStatus, Lease, LedgerEntry, Split
from bulkwright.domain.outcome import Counts, Outcome
from bulkwright.domain.undo_job import UndoJob, UndoOutcome
from bulkwright.files import Area, DamagedFile
from bulkwright.pipeline import result
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.join import piece_bytes

_STORED = (Outcome.ADDED.value, Outcome.UPDATED.value)


class Undoing(Exception):
    """The job was released, and can be claimed again when its undo has ended."""


def undo_stored(lease: Lease, job: Job, code: str, ctx: JobContext) -> str:
    """Undo what a job has stored, and return the code with which it ends then.

    Its parts must be taken from other workers. Raises Undoing while there is something to undo, and
    LeaseLost.
    """
    if ctx.dry:
        return code  # nothing of it stays
    undo = None if job.undo_id is None else ctx.undos.job(job.org_id, job.undo_id)
    if job.ending is not None and undo is not None:
        return job.ending if undo.status is JobStatus.COMPLETED else UndoFailed.code
    done = sum((ctx.parts.done(job.id, p) for p in range(len(job.resources))), Counts())
    if not done.added + done.changed:
        return code
    undo = UndoJob(
        id=ctx.modules.take_ids(1),
        org_id=job.org_id,
        undone_id=job.id,
        dry_run=False,
        created_by=job.created_by,
        created_time=ctx.clock.now().astimezone(ZoneInfo(job.time_zone)),
        time_zone=job.time_zone,
    )
    ctx.claims.begin_undo(lease, job, undo, code)
    raise Undoing


def forget_stored(lease: Lease, job: Job, ctx: JobContext) -> None:
    """Report the rows of a job as UNPROCESSED whose records are not as they have left them.

    Of divided resources, the lines of all parts have to be merged again afterwards. Raises
    LeaseLost, and DamagedFile if a piece is damaged; then no row counts as stored.
    """
    kept = _kept(job, ctx)
    try:
        for position, resource in enumerate(job.resources):
            if resource.split is not None:
                of_module = kept.get(resource.module, pl.Series([], dtype=pl.String))
                _forget(lease, job, position, resource.split, of_module, ctx)
    except DamagedFile:
        with ctx.claims.held(lease):
            ctx.ledger.forget_stored(job.id)
        raise
    finally:
        ctx.claims.count_again(lease)


def _forget(
    lease: Lease, job: Job, position: int, split: Split, kept: pl.Series, ctx: JobContext
) -> None:
    for part in range(split.parts):
        for entry in ctx.ledger.entries(job.id, position, part):
            if not entry.counts.added + entry.counts.updated:
                continue
            (packed,) = piece_bytes(job.id, [entry], ctx.files)
            name = f"{entry.piece.name}-{lease.fence}"
            if split.is_divided:
                header, lines, at = result.unpack_lines(packed)
                lines, counts = _without_stored(lines, kept, entry)
                piece, packed = result.pack_lines(name, lines, at, header)
            else:
                head, lines = result.read_lines(packed, entry.piece, header=entry.chunk == 0)
                lines, counts = _without_stored(lines, kept, entry)
                text = result.render_lines(lines, head, quote_formulas=False)
                piece, packed = result.deflate(name, text)
            ctx.files.put_piece(job.id, name, packed)
            with ctx.claims.held(lease):
                ctx.ledger.replace(job.id, replace(entry, counts=counts, piece=piece))


def _without_stored(
    lines: pl.DataFrame, kept: pl.Series, entry: LedgerEntry
) -> tuple[pl.DataFrame, Counts]:
    """The lines of a chunk, of which the kept records alone are stored, and their counts."""
    status, record_id = lines.columns[-3:-1]
    is_kept = pl.col(record_id).is_in(kept.implode()).fill_null(value=False)
    undone = pl.col(status).is_in(_STORED) & ~is_kept
    lines = lines.with_columns(
        pl.when(undone).then(pl.lit(Outcome.UNPROCESSED.value)).otherwise(status).alias(status),
        pl.when(~undone).then(pl.col(record_id)).alias(record_id),
    )
    added, updated = (int((lines[status] == outcome).sum()) for outcome in _STORED)
    return lines, Counts(added, updated, entry.counts.skipped)


def _kept(job: Job, ctx: JobContext) -> dict[str, pl.Series]:
    """The ids of the records that the undo has kept, by module."""
    undo = None if job.undo_id is None else ctx.undos.job(job.org_id, job.undo_id)
    if ctx.dry or undo is None or not undo.kept:
        return {}
    with (
        ctx.files.open(Area.RESULTS, undo.id, undo.result_sha256) as file,
        zipfile.ZipFile(file) as archive,
    ):
        text = archive.read(f"undo-{job.id}.csv")
    lines = pl.read_csv(io.BytesIO(text), infer_schema=False)
    lines = lines.filter(pl.col("OUTCOME") == UndoOutcome.KEPT.value)
    return {str(module): rows["RECORD_ID"] for (module,), rows in lines.group_by("MODULE")}
