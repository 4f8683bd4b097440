"""Runs one part of a resource: the loop over its chunks.

A chunk is one database transaction that holds its records, its ledger entry, the counters of its
part and the check of the part's fence. Its piece of the result is durable on the disk before the
commit. So the worker can be killed at any moment: the next worker begins at the first chunk that
was not committed, and the outcome is that of an undisturbed run.

Reading and conforming need no store, so the next chunk is read on another thread while the records
of this one are written. The result lines of a chunk are also made on another thread, as soon as the
record ids are known. Polars, inflate, deflate and the driver all release the GIL.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import polars as pl

from bulkwright.domain.errors import LimitExceeded, TooManyErrors
from bulkwright.domain.job import Lease, LedgerEntry, PartLease, Split, default_bytes
from bulkwright.domain.outcome import Counts, Outcome, SkipReason
from bulkwright.events.events import ChunkCommitted, JobStarted
from bulkwright.pipeline import result
from bulkwright.pipeline.background import Background
from bulkwright.pipeline.conform import Conformed, conform
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.keys import normalised
from bulkwright.pipeline.parts import take_part
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk, Start
from bulkwright.pipeline.result import RowResults
from bulkwright.pipeline.source import Source
from bulkwright.pipeline.targets import open_target
from bulkwright.pipeline.targets.target import Decided, Target
from bulkwright.pipeline.unchanged import runs_of
from bulkwright.pipeline.write import SomeUnchanged
from bulkwright.ports import ParentRecords


class Interrupted(Exception):
    """The worker was stopped; the job is as it was after its last chunk."""


@dataclass(frozen=True, slots=True)
class PartRun:
    """One part of a resource that this worker has claimed, with what does not change meanwhile."""

    lease: PartLease
    job: Lease | None
    """The lease of the job, which the chunks of a single part extend; None for one of several."""
    split: Split
    source: Source
    ctx: JobContext
    after_chunk: Callable[[], None] | None = None
    """Called after each chunk that is not the last."""
    assumed: dict[str, str] = field(default_factory=dict)
    """The formats that were assumed in the chunks so far, by the labels of their columns."""

    @property
    def plan(self) -> Plan:
        """What stays the same for all rows."""
        return self.source.plan

    def run(self, attempt: int) -> None:
        """Run the part to the end of its file.

        Raises LeaseLost if another worker has the part now, and Interrupted if the worker was
        stopped; the part is then as it was after its last chunk.
        """
        lease, plan, ctx = self.lease, self.plan, self.ctx
        entries = ctx.ledger.entries(lease.job_id, lease.resource, lease.part)
        counts = sum((e.counts for e in entries), Counts())
        start = start_after(entries)
        begun_row = self._done().total if self.split.is_divided else start.row
        ctx.observe(JobStarted(lease.job_id, attempt, begun_row))
        with Background(ctx.threads) as background:
            chunks = _Prefetch((conform(c, plan) for c in self._chunks(start)), background)
            chunks.begin_next()
            target = open_target(plan, self.split, lease.part, ctx)
            begun = time.monotonic()  # clock: a duration for the log and the metrics
            added = default_bytes(plan.resource.mappings)
            while (conformed := chunks.take()) is not None:
                chunk = conformed.chunk
                if added * (chunk.first_row + chunk.rows_in_file) > ctx.limits.default_bytes:
                    raise LimitExceeded
                entry, reasons, stopped = self._commit(conformed, target, background, chunks)
                counts = self._done() if self.split.is_divided else counts + entry.counts
                share = self._share(entry, counts)
                now = time.monotonic()  # clock: a duration for the log and the metrics
                seconds, begun = now - begun, now
                ctx.observe(
                    ChunkCommitted(
                        lease.job_id, chunk.rows, counts, share, entry.counts, seconds, reasons
                    )
                )
                if ctx.stop.is_set:
                    raise Interrupted
                if stopped:
                    raise TooManyErrors
                if self.after_chunk is not None:
                    self.after_chunk()

    def list_rest(self) -> None:
        """Report the rows that the part did not reach as UNPROCESSED; no counter counts them."""
        lease, ctx = self.lease, self.ctx
        entries = ctx.ledger.entries(lease.job_id, lease.resource, lease.part)
        for chunk in self._chunks(start_after(entries)):
            with self._chunk():
                ctx.ledger.add(lease, self._store_piece(chunk, RowResults.unprocessed(chunk.rows)))

    def _done(self) -> Counts:
        """The rows that all parts have done."""
        return self.ctx.parts.done(self.lease.job_id, self.lease.resource)

    def _share(self, entry: LedgerEntry, done: Counts) -> float:
        """The part of the file that is done, from 0 to 1, after a chunk of this part."""
        share = entry.resume_text / max(1, self.source.text_bytes)
        if self.split.is_divided:
            share *= done.total / max(1, entry.first_row + entry.rows)
        return min(1.0, share)

    def _chunks(self, start: Start) -> Iterator[Chunk]:
        for chunk in self.source.chunks(start, self.split, self.ctx):
            yield take_part(chunk, self.plan, self.split, self.lease.part)

    def _chunk(self) -> AbstractContextManager[None]:
        """The transaction of a chunk. Only a single part extends the lease of its job."""
        return self.ctx.claims.chunk(self.lease, None if self.split.is_divided else self.job)

    def _commit(
        self, conformed: Conformed, target: Target, background: Background, chunks: _Prefetch
    ) -> tuple[LedgerEntry, dict[tuple[SkipReason, str], int], bool]:
        """Process one chunk in one transaction.

        Return its entry, why rows were skipped, and whether the limit of errors is passed. Raises
        TooManyErrors before anything has changed if another part has passed it.
        """
        try:
            return self._write(conformed, target, background, chunks)
        except SomeUnchanged:
            return self._write(conformed, target, background, chunks)

    def _write(
        self, conformed: Conformed, target: Target, background: Background, chunks: _Prefetch
    ) -> tuple[LedgerEntry, dict[tuple[SkipReason, str], int], bool]:
        """Do what `_commit` does. Raises SomeUnchanged if the chunk has to be written again."""
        ctx, chunk, limit = self.ctx, conformed.chunk, self.plan.job.error_limit
        with self._chunk():
            if limit is not None and ctx.parts.is_stopped(self.lease):
                raise TooManyErrors
            begun = time.monotonic()  # clock: a duration for the size of the next chunks
            target.lock(conformed)
            decided = target.decide(conformed)
            results = _results(decided, self.plan, dry=ctx.dry)
            making = background.begin(self._store_piece, chunk, results)
            chunks.begin_next()
            try:
                unchanged = target.write(decided)
            except SomeUnchanged:
                making.result()  # the same piece is made again
                raise
            _remember_parents(chunk, self.plan, decided.ids, ctx.records.parents)
            entry = replace(
                _with_unchanged(making.result(), chunk, unchanged),
                assumed=self._fresh_assumed(conformed),
                first_id=self._first_id(decided),
            )
            ctx.ledger.add(self.lease, entry)
            stopped = limit is not None and ctx.parts.stop_if_passed(self.lease, limit)
        seconds = time.monotonic() - begun  # clock: a duration for the size of the next chunks
        ctx.chunk_limit.note(self.plan, chunk.rows, seconds)
        return entry, decided.matched.conformed.row_errors.counts(), stopped

    def _first_id(self, decided: Decided) -> int | None:
        """The first of the consecutive ids that the records created by a chunk have."""
        if not self.plan.module.table_kind.ids_in_order:
            return None
        new = decided.ids.filter(decided.matched.outcome == Outcome.ADDED.value)
        return None if new.is_empty() else int(new.min())  # type: ignore[arg-type]  # of integers

    def _fresh_assumed(self, conformed: Conformed) -> dict[str, str]:
        """The formats that were assumed for columns of this chunk, and of no chunk before."""
        fresh = {c: f for c, f in conformed.assumed.items() if c not in self.assumed}
        self.assumed.update(fresh)
        return fresh

    def _store_piece(self, chunk: Chunk, results: RowResults) -> LedgerEntry:
        """Make the result lines of a chunk durable and return its ledger entry."""
        lease, plan = self.lease, self.plan
        lines = result.result_lines(chunk, plan, results)
        quoted = self.ctx.quote_formulas
        name = result.piece_name(lease, chunk.number)
        if chunk.at is not None:
            header = result.header_line(plan, quote_formulas=quoted)
            piece, packed = result.pack_lines(name, lines, chunk.at, header)
        else:
            header = b""
            if chunk.number == 0:
                header = result.header_line(plan, quote_formulas=quoted)
            text = result.render_lines(lines, header, quote_formulas=quoted)
            piece, packed = result.deflate(name, text)
        self.ctx.files.put_piece(lease.job_id, name, packed)
        counts = Counts(
            added=results.count(Outcome.ADDED),
            updated=results.count(Outcome.UPDATED),
            skipped=results.count(Outcome.SKIPPED),
        )
        return LedgerEntry(
            lease.resource,
            chunk.number,
            chunk.first_row,
            chunk.rows_in_file,
            counts,
            chunk.resume_text,
            chunk.resume_row,
            piece,
            chunk.stray_quotes,
            lease.part,
        )


def start_after(entries: list[LedgerEntry]) -> Start:
    """Return where a part begins that has committed these chunks."""
    if not entries:
        return Start()
    last = entries[-1]
    return Start(last.chunk + 1, last.first_row + last.rows, last.resume_text, last.resume_row)


def _with_unchanged(entry: LedgerEntry, chunk: Chunk, unchanged: pl.Series | None) -> LedgerEntry:
    """The entry of a chunk with the rows that have changed nothing; the others with None."""
    if unchanged is None:
        return entry
    mask = unchanged
    if chunk.at is not None:
        at = chunk.at.filter(unchanged).cast(pl.Int64)
        mask = pl.int_range(chunk.rows_in_file, eager=True).is_in(at.implode())
    counts = replace(entry.counts, unchanged=int(unchanged.sum()))
    return replace(entry, counts=counts, unchanged=runs_of(mask))


def _results(decided: Decided, plan: Plan, *, dry: bool) -> RowResults:
    matched, ids = decided.matched, decided.ids
    if dry:
        # New records of a dry run are undone with it, so that their ids mean nothing. Earlier rows
        # of the file may have made the record that a row updates.
        ids = matched.record
        if plan.module.table_kind.ids_in_order:
            ids = ids.to_frame("id").select(pl.when(pl.col("id") < plan.job.id).then(pl.col("id")))[
                "id"
            ]
    return RowResults(matched.outcome, ids, matched.conformed.row_errors.cells())


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
