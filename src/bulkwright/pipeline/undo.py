"""Runs an undo: records that a job created are removed, those that it updated are restored.

The resources of the job are undone from the last to the first, each in two steps: its new records,
then its updated ones. A step is done in chunks, in the order of the records' ids. A chunk is one
transaction that has locked the module and holds the changes, its ledger entry, the counters and the
check of the fence. So an interrupted undo continues behind its last chunk.

A record is undone only if the job wrote it last (WRITER in store/tables.py). Unique values may have
been exchanged by the job: then the records of a chunk lose theirs before they get the former ones,
and a chunk ends behind the last record that holds a value of another one.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from bulkwright.domain.errors import (
    BulkwrightError,
    LeaseLost,
    ModuleNotAvailable,
    WorkerFailed,
)
from bulkwright.domain.job import JobStatus, Lease, LedgerEntry, PartLease
from bulkwright.domain.limits import CHUNK_LOCK_SECONDS, UNDO_CHUNK_RECORDS
from bulkwright.domain.outcome import Counts
from bulkwright.domain.undo_job import KeptReason, UndoJob, UndoOutcome
from bulkwright.events.events import JobEnded, JobStarted, RecordsUndone, ResultLost
from bulkwright.files import DamagedFile
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.csv_lines import write_line, write_lines
from bulkwright.pipeline.join import store_result
from bulkwright.pipeline.part_run import Interrupted
from bulkwright.pipeline.result import deflate
from bulkwright.ports import Removal
from bulkwright.store.tables import key_column
from bulkwright.store.undos import UndoneResource

HEADER = ("MODULE", "RECORD_ID", "OUTCOME", "REASON")
"""The columns of the result."""
_LEAST_RECORDS = 500
_LINES = {"id": pl.Int64, "outcome": pl.String, "reason": pl.String}
_REMOVED, _RESTORED, _KEPT = (pl.lit(outcome.value) for outcome in UndoOutcome)
_CHANGED, _DELETED, _KEY_TAKEN = (pl.lit(reason.value) for reason in KeptReason)


def run_undo(lease: Lease, job: UndoJob, attempt: int, ctx: JobContext) -> None:
    """Run a claimed undo to its end.

    If it cannot be done, the job ends FAILED with the code of the error; what was undone before
    stays so, and a new undo continues it. Raises LeaseLost if another worker has the lease now,
    Interrupted if the worker was stopped, and errors without a code as they are; all of them leave
    the job as it was after its last chunk.
    """
    try:
        part = ctx.claims.claim_part(lease, 0)
        if part is not None:
            entries = ctx.ledger.entries(job.id, 0)
            ctx.observe(JobStarted(job.id, attempt, sum(entry.rows for entry in entries)))
            _Undo(lease, part, job, entries, ctx).run()
    except LeaseLost:
        raise
    except BulkwrightError as error:
        fail_undo(lease, job, error.code, ctx)
        return
    _finish(lease, job, JobStatus.COMPLETED, None, ctx)


def fail_undo(lease: Lease, job: UndoJob, code: str, ctx: JobContext) -> None:
    """End an undo as FAILED. Its result lists what was undone until then."""
    _finish(lease, job, JobStatus.FAILED, code, ctx)


@dataclass(frozen=True, slots=True)
class _Undone:
    """What a chunk does."""

    lines: pl.DataFrame
    """The result: `id`, `outcome`, and the `reason`, which is empty for most."""
    last_id: int
    """The next chunk begins behind it."""


class _Step:
    """One step of an undo: the new or the updated records of one resource."""

    def __init__(self, job: UndoJob, resource: UndoneResource, ctx: JobContext) -> None:
        module = ctx.modules.module(job.org_id, resource.module)
        if module is None:
            raise ModuleNotAvailable
        self.module = module
        self.job = job
        self.images = ctx.records.images
        self.ranges = ctx.undos.created_ranges(job.undone_id, resource.position)
        """The consecutive ids of new records, ascending."""

    def begin(self) -> None:
        """Prepare the step, before its first chunk. Belongs inside a transaction."""

    def chunk(self, after: int, most: int) -> _Undone | None:
        """Undo about `most` records with ids above `after`; None if there are none."""
        raise NotImplementedError

    def is_new(self, ids: pl.Series) -> pl.Series:
        """Whether the records with these ids are new ones of the resource."""
        if not self.ranges:
            return pl.repeat(value=False, n=ids.len(), eager=True)
        firsts, lasts = (pl.Series(ends, dtype=pl.Int64) for ends in zip(*self.ranges, strict=True))
        at = firsts.search_sorted(ids, side="right").cast(pl.Int64) - 1
        inside = ids <= lasts.gather(at.clip(lower_bound=0))
        return (at >= 0) & inside


class _NewRecords(_Step):
    """Removes the records that the job has created."""

    def chunk(self, after: int, most: int) -> _Undone | None:
        """Undo about `most` records with ids above `after`; None if there are none."""
        wanted = list(_pieces(self.ranges, after, most))
        if not wanted:
            return None
        undone_id, now = self.job.undone_id, self.job.created_time
        found = pl.concat([self.images.created(self.module, undone_id, *piece) for piece in wanted])
        ids = pl.concat(
            [pl.int_range(first, last + 1, dtype=pl.Int64, eager=True) for first, last in wanted]
        )
        alone = (pl.col("writer") == undone_id) & (pl.col("marked") == 0)
        gone = pl.col("writer").is_null()
        lines = (
            ids.alias("id")
            .to_frame()
            .join(found, on="id", how="left", maintain_order="left")
            .select(
                "id",
                pl.when(gone | alone).then(_REMOVED).otherwise(_KEPT).alias("outcome"),
                pl.when(gone).then(_DELETED).when(~alone).then(_CHANGED).alias("reason"),
            )
        )
        if not self.job.dry_run:
            by = Removal(self.job.created_by.id, now)
            for piece in wanted:
                self.images.remove(self.module, undone_id, piece, by)
        return _Undone(lines, wanted[-1][1])


class _UpdatedRecords(_Step):
    """Restores the records that the job has updated."""

    def __init__(self, job: UndoJob, resource: UndoneResource, ctx: JobContext) -> None:
        super().__init__(job, resource, ctx)
        self._columns = resource.columns
        keys = [key_column(field) for field in self.module.unique_fields]
        self._keys = [key for key in keys if key in resource.columns]

    def begin(self) -> None:
        """Prepare the step, before its first chunk. Belongs inside a transaction."""
        self.images.begin(self.module, self.job.undone_id)

    def chunk(self, after: int, most: int) -> _Undone | None:
        """Undo about `most` records with ids above `after`; None if there are none."""
        module, undone_id = self.module, self.job.undone_id
        while True:
            found = self.images.updated(module, undone_id, after, most)
            if found.is_empty():
                return None
            ids = (int(found["id"][0]), int(found["id"][-1]))
            holders = {key: self._holders(ids, key) for key in self._keys}
            if all(_are_inside(of_key, ids[1]) for of_key in holders.values()):
                break
            most *= 2
        new = self.is_new(found["id"])
        own = (found["writer"] == undone_id) & (found["marked"] == 0)
        taken = _without_keys(list(holders.values()))
        left_out = [*taken, *found["id"].filter(new & own)]
        if left_out:
            self.images.keep_changes(module, undone_id, left_out)
        if not self.job.dry_run:
            parked = [key for key, of_key in holders.items() if not of_key.is_empty()]
            self.images.restore(module, undone_id, ids, self._columns, parked)
        lines = _restored_lines(found.filter(~new), undone_id, taken)
        return _Undone(lines, ids[1])

    def _holders(self, ids: tuple[int, int], key: str) -> pl.DataFrame:
        """Who holds former keys: `id`, `holder`, and whether that is `movable`."""
        found = self.images.holders(self.module, self.job.undone_id, ids, key)
        new = self.is_new(found["holder"])
        leaves = pl.when(new).then(pl.col("imaged") == 0).otherwise(pl.col("imaged") == 1)
        movable = (pl.col("writer") == self.job.undone_id) & leaves
        return found.select("id", "holder", movable.alias("movable"))


class _Undo:
    """One undo that this worker has claimed."""

    def __init__(
        self,
        lease: Lease,
        part: PartLease,
        job: UndoJob,
        entries: Sequence[LedgerEntry],
        ctx: JobContext,
    ) -> None:
        self._lease = lease
        self._part = part
        self._job = job
        self._ctx = ctx
        self._chunks = len(entries)
        self._records = sum(entry.rows for entry in entries)
        self._last = entries[-1] if entries else None
        self._most = min(UNDO_CHUNK_RECORDS, ctx.chunk_rows)

    def run(self) -> None:
        """Undo everything that is not undone yet."""
        ctx, begun = self._ctx, time.monotonic()  # clock: a duration for the log
        first = 0 if self._last is None else self._last.resume_text
        for number, step in enumerate(self._steps()):
            if number < first:
                continue
            after = 0
            if self._last is not None and number == first:
                after = self._last.resume_row
            else:
                ctx.records.images.ensure(step.module)
                with ctx.claims.held(self._lease):
                    step.begin()
            while (last_id := self._chunk(step, number, after)) is not None:
                after = last_id
                if ctx.stop.is_set:
                    raise Interrupted
                if ctx.after_chunk is not None:
                    ctx.after_chunk()
        if self._chunks == 0:  # an undo of nothing has a result too
            with ctx.claims.chunk(self._part, self._lease):
                nothing = _Undone(pl.DataFrame(schema=_LINES), 0)
                ctx.ledger.add(self._part, self._store_piece("", 0, nothing))
        seconds = time.monotonic() - begun  # clock: a duration for the log
        ctx.observe(RecordsUndone(self._job.id, self._records, seconds))

    def _steps(self) -> Iterator[_Step]:
        for resource in self._ctx.undos.resources(self._job.undone_id):
            yield _NewRecords(self._job, resource, self._ctx)
            yield _UpdatedRecords(self._job, resource, self._ctx)

    def _chunk(self, step: _Step, number: int, after: int) -> int | None:
        """Do one chunk of a step in one transaction. Return its last id; None behind the last."""
        ctx = self._ctx
        with ctx.claims.chunk(self._part, self._lease):
            begun = time.monotonic()  # clock: a duration for the size of the next chunks
            ctx.records.service.lock(step.module)
            undone = step.chunk(after, self._most)
            if undone is None:
                return None
            ctx.ledger.add(self._part, self._store_piece(step.module.api_name, number, undone))
        seconds = time.monotonic() - begun  # clock: a duration for the size of the next chunks
        fitting = int(self._most * CHUNK_LOCK_SECONDS / seconds)
        most = min(UNDO_CHUNK_RECORDS, ctx.chunk_rows, 2 * self._most)
        self._most = min(most, max(_LEAST_RECORDS, fitting))
        self._chunks += 1
        self._records += undone.lines.height
        return undone.last_id

    def _store_piece(self, module: str, number: int, undone: _Undone) -> LedgerEntry:
        """Make the result lines of a chunk durable and return its ledger entry."""
        name = f"undo-{self._chunks:08d}-{self._lease.fence}"
        out, quoted = io.BytesIO(), self._ctx.quote_formulas
        if self._chunks == 0:
            write_line(HEADER, out, quote_formulas=quoted)
        named = pl.lit(module).alias("module")
        write_lines(undone.lines.select(named, *_LINES), out, quote_formulas=quoted)
        piece, packed = deflate(name, out.getvalue())
        self._ctx.files.put_piece(self._job.id, name, packed)
        removed, restored, kept = (
            int((undone.lines["outcome"] == outcome.value).sum()) for outcome in UndoOutcome
        )
        return LedgerEntry(
            resource=0,
            chunk=self._chunks,
            first_row=self._records,
            rows=undone.lines.height,
            counts=Counts(removed, restored, kept),
            resume_text=number,
            resume_row=undone.last_id,
            piece=piece,
        )


def _pieces(ranges: Sequence[tuple[int, int]], after: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut the first `most` ids above `after` out of ranges of consecutive ids."""
    for first, last in ranges:
        if last <= after:
            continue
        begin = max(first, after + 1)
        end = min(last, begin + most - 1)
        yield begin, end
        most -= end - begin + 1
        if most == 0:
            return


def _are_inside(holders: pl.DataFrame, last_id: int) -> bool:
    """Whether the chunk has all records that must leave the keys of its records."""
    return not holders.select((pl.col("movable") & (pl.col("holder") > last_id)).any()).item()


def _without_keys(holders: Sequence[pl.DataFrame]) -> list[int]:
    """Return the records of a chunk that do not get their former keys back.

    Others hold these keys and keep them: records that the job did not write last, or records that
    do not get their own former keys back.
    """
    pairs = [row for of_key in holders for row in of_key.iter_rows()]
    taken = {record for record, _, movable in pairs if not movable}
    grown = -1
    while grown != len(taken):
        grown = len(taken)
        taken |= {record for record, holder, _ in pairs if holder in taken}
    return sorted(taken)


def _restored_lines(found: pl.DataFrame, undone_id: int, taken: Sequence[int]) -> pl.DataFrame:
    """The result lines of updated records: `id`, `outcome`, `reason`."""
    writer = pl.col("writer")
    gone, mixed = pl.col("gone") == 1, pl.col("marked") == 1
    blocked = pl.col("id").is_in(list(taken))
    own = writer == undone_id
    restored_before = writer == pl.col("before")
    changed = mixed | ~(own | restored_before)
    reason = (
        pl.when(gone).then(_DELETED).when(changed).then(_CHANGED).when(blocked).then(_KEY_TAKEN)
    )
    outcome = pl.when(gone | changed | blocked).then(_KEPT).otherwise(_RESTORED)
    return found.select("id", outcome.alias("outcome"), reason.alias("reason"))


def _finish(
    lease: Lease, job: UndoJob, status: JobStatus, code: str | None, ctx: JobContext
) -> None:
    """Join the pieces into the result, then end the job.

    If a piece is damaged, the job has no result rather than a wrong one, and is FAILED.
    """
    sha256 = None
    try:
        name = f"undo-{job.undone_id}.csv"
        sha256 = store_result(job.id, {name: ctx.ledger.entries(job.id, 0)}, ctx.files)
    except DamagedFile as damage:
        ctx.observe(ResultLost(job.id, str(damage)))
        status, code = JobStatus.FAILED, code or WorkerFailed.code
    ctx.claims.finish(lease, status, code=code, has_result=sha256 is not None, result_sha256=sha256)
    if status is JobStatus.COMPLETED and not job.dry_run:
        with ctx.undos.transaction():
            ctx.undos.release_images(job.org_id, job.undone_id)
    ctx.files.delete_pieces(job.id)
    ctx.observe(JobEnded(job.id, status, code))
