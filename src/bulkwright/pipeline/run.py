"""The loop over the chunks of a job: read, conform, match, write, answer, commit.

A chunk is one database transaction that holds its records, its ledger row, the counters and the
fencing check; its result part is durable on the disk before the commit. So the job can be killed
anywhere: whoever goes on begins at the first chunk that was not committed, and the outcome is the
one an undisturbed run gives.

Reading and conforming need no store: the next chunk is read on another thread while the records
of this one are written. So are its result lines made, once its ids are known. Polars, inflate,
deflate and the driver all let go of the GIL.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import polars as pl

from bulkwright.domain.errors import BulkwrightError, LeaseLost, WorkerFailed
from bulkwright.domain.job import Job, JobStatus, Lease, LedgerEntry
from bulkwright.domain.module import Kind
from bulkwright.domain.outcome import Counts, Outcome
from bulkwright.files import Area, Damaged, Files
from bulkwright.observe import ChunkCommitted, JobEnded, JobStarted, ResultLost
from bulkwright.pipeline import result
from bulkwright.pipeline.conform import Conformed, conform
from bulkwright.pipeline.keys import normalised
from bulkwright.pipeline.match import match
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk, Start
from bulkwright.pipeline.refusals import write_what_is_taken
from bulkwright.pipeline.source import open_source
from bulkwright.pipeline.workshop import Workshop
from bulkwright.pipeline.write import records_of, store, take_ids
from bulkwright.ports import RecordSink


class Interrupted(Exception):
    """The worker was told to stop; the job is as it was after its last chunk."""


def run_job(lease: Lease, job: Job, attempt: int, shop: Workshop) -> None:
    """Run a claimed job to its end.

    A broken job ends FAILED with its code. Raises LeaseLost when another worker has taken over,
    Interrupted when the worker shall stop, and whatever else happens that has no code; all of
    them leave the job as it was after its last chunk.
    """
    try:
        for position in range(len(job.resources)):
            _run_resource(lease, job, position, attempt, shop)
    except LeaseLost:
        raise
    except BulkwrightError as error:
        fail_job(lease, job, error.code, shop)
    else:
        _finish(lease, job, JobStatus.COMPLETED, None, shop)


def fail_job(lease: Lease, job: Job, code: str, shop: Workshop, *, read_rest: bool = True) -> None:
    """End a job as FAILED. Rows that were not reached are UNPROCESSED in its result.

    With `read_rest` false the file is not touched again: its rows may be what kills workers.
    """
    for position in range(len(job.resources) if read_rest else 0):
        try:
            with open_source(job, position, shop) as source:
                for chunk in source.chunks(_start(shop.jobs.ledger(job.id, position)), shop):
                    _skip(lease, chunk, source.plan, shop)
        except LeaseLost:
            raise
        except BulkwrightError:
            continue  # what cannot be read cannot be listed either
    _finish(lease, job, JobStatus.FAILED, code, shop)


def _run_resource(lease: Lease, job: Job, position: int, attempt: int, shop: Workshop) -> None:
    entries = shop.jobs.ledger(job.id, position)
    counts = sum((e.counts for e in entries), Counts())
    start = _start(entries)
    shop.observe(JobStarted(job.id, attempt, start.row))
    with open_source(job, position, shop) as source, ThreadPoolExecutor(2) as aside:
        plan = source.plan
        shop.jobs.begin(lease, source.format.encoding)
        _make_findable(plan, shop.sink)
        ahead = _Ahead((conform(c, plan) for c in source.chunks(start, shop)), aside)
        begun = time.monotonic()
        while (ready := ahead.take()) is not None:
            plan, entry = _commit(lease, ready, plan, shop, aside, ahead)
            counts += entry.counts
            share = min(1.0, entry.resume_text / max(1, source.text_bytes))
            seconds, begun = time.monotonic() - begun, time.monotonic()
            shop.observe(ChunkCommitted(job.id, entry.rows, counts, share, entry.counts, seconds))
            if shop.stopping():
                raise Interrupted


def _commit(
    lease: Lease,
    ready: Conformed,
    plan: Plan,
    shop: Workshop,
    aside: Executor,
    ahead: _Ahead,
) -> tuple[Plan, LedgerEntry]:
    """One chunk's transaction: match, write, answer, enter into the ledger."""
    with shop.jobs.chunk(lease):
        shop.sink.hold(plan.module)
        if plan.module.table is not None:
            matched, ids = write_what_is_taken(ready, plan, shop.sink)
        else:
            matched = match(ready, plan, shop.sink)
            _, ids = take_ids(matched, plan, shop.sink)
        told = matched.record if shop.dry else ids
        errors = matched.conformed.verdicts.errors()
        answer = aside.submit(
            _answer, lease, ready.chunk, plan, matched.outcome, told, errors, shop
        )
        ahead.begin()
        if plan.module.table is None:
            records = records_of(matched, ids, plan)
            store(records, plan, shop.sink, entangled=matched.entangled)
        _remember_parents(ready.chunk, plan, ids, shop.sink)
        plan = _grow_pick_lists(plan, matched.fields, matched.outcome, shop.sink)
        entry = answer.result()
        shop.jobs.enter(lease, entry)
    return plan, entry


def _skip(lease: Lease, chunk: Chunk, plan: Plan, shop: Workshop) -> None:
    """Answer a chunk's rows as UNPROCESSED; the counters do not know them."""
    none = pl.repeat(None, n=chunk.rows, dtype=pl.Int64, eager=True)
    unprocessed = pl.repeat(Outcome.UNPROCESSED.value, n=chunk.rows, eager=True)
    empty = pl.repeat("", n=chunk.rows, eager=True)
    with shop.jobs.chunk(lease):
        entry = _answer(lease, chunk, plan, unprocessed, none, empty, shop)
        shop.jobs.enter(lease, entry)


def _answer(
    lease: Lease,
    chunk: Chunk,
    plan: Plan,
    outcome: pl.Series,
    ids: pl.Series,
    errors: pl.Series,
    shop: Workshop,
) -> LedgerEntry:
    """Make the chunk's result lines durable and say what the chunk did."""
    name = result.part_name(plan.position, chunk.number, lease.token)
    part, packed = result.deflate(name, result.lines(chunk, plan, outcome, ids, errors))
    shop.files.put_part(lease.job_id, name, packed)
    counts = Counts(
        added=_count(outcome, Outcome.ADDED),
        updated=_count(outcome, Outcome.UPDATED),
        skipped=_count(outcome, Outcome.SKIPPED),
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
    )


def _count(outcome: pl.Series, wanted: Outcome) -> int:
    return int((outcome == wanted.value).sum())


def _finish(lease: Lease, job: Job, status: JobStatus, code: str | None, shop: Workshop) -> None:
    """Join the parts into the result, then end the job.

    When a part is no longer what it was, no result is better than a wrong one: the job is FAILED.
    """
    now = shop.jobs.job(job.org_id, job.id)
    assert now is not None
    sha256 = None
    try:
        sha256 = _join(now, shop)
    except Damaged as damage:
        shop.observe(ResultLost(job.id, str(damage)))
        status, code = JobStatus.FAILED, code or WorkerFailed.code
    shop.jobs.finish(lease, status, code=code, has_result=sha256 is not None, result_sha256=sha256)
    shop.files.drop_parts(job.id)
    shop.observe(JobEnded(job.id, status, code, now.counts))


def _join(job: Job, shop: Workshop) -> str | None:
    """Make the result of a job's parts, durable under its name; its SHA-256, None without parts."""
    members: list[tuple[result.Member, Iterable[bytes]]] = []
    for position, resource in enumerate(job.resources):
        entries = shop.jobs.ledger(job.id, position)
        if entries:
            name = result.member_name(resource.module, resource.file_name)
            member = result.Member(name, tuple(entry.part for entry in entries))
            members.append((member, _part_bytes(job.id, entries, shop.files)))
    if not members:
        return None
    with shop.files.incoming() as file:
        result.write_zip(file, members)
        sha256 = hashlib.file_digest(file.reader(), "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has readinto, typeshed forgets
        file.keep(Area.RESULTS, job.id)
    return sha256


def _part_bytes(job_id: int, entries: list[LedgerEntry], files: Files) -> Iterator[bytes]:
    for entry in entries:
        yield files.part(job_id, entry.part.name, entry.part.deflated_bytes)


def _start(entries: list[LedgerEntry]) -> Start:
    if not entries:
        return Start()
    last = entries[-1]
    return Start(last.chunk + 1, last.first_row + last.rows, last.resume_text, last.resume_row)


def _make_findable(plan: Plan, sink: RecordSink) -> None:
    if plan.find_by is not None:
        sink.make_findable(plan.module, plan.find_by.field)
    for column in plan.columns:
        if column.target is not None and column.target_field is not None:
            sink.make_findable(column.target, column.target_field)


def _remember_parents(chunk: Chunk, plan: Plan, ids: pl.Series, sink: RecordSink) -> None:
    """Children in the same job find the records of these rows by their text."""
    for column in plan.asked_columns:
        sink.remember_parents(plan.job.id, column, normalised(chunk.cells[str(column)]), ids)


def _grow_pick_lists(
    plan: Plan, fields: pl.DataFrame, outcome: pl.Series, sink: RecordSink
) -> Plan:
    """New picklist values of stored rows join the picklist (facts 3.4)."""
    for column in plan.writes:
        if not column.field.grows:
            continue
        multiple = column.field.kind is Kind.LIST
        values = (
            fields[column.name]
            .filter(outcome != Outcome.SKIPPED.value)
            .drop_nulls()
            .unique(maintain_order=True)
        )
        if multiple:
            values = (
                values.str.json_decode(pl.List(pl.String)).explode().unique(maintain_order=True)
            )
        new = [v for v in values.to_list() if v not in column.field.pick_list_values]
        if new:
            plan = plan.grown(sink.grow_pick_list(plan.module, column.field, new))
    return plan


class _Ahead:
    """Items that are made on another thread, one at a time."""

    def __init__(self, items: Iterator[Conformed], aside: Executor) -> None:
        self._items = items
        self._aside = aside
        self._coming: Future[Conformed | None] | None = None

    def begin(self) -> None:
        """Begin with the next item; to be called when what follows leaves Polars alone.

        Begun any earlier, the two would stand in each other's way: that took 6 % longer.
        """
        if self._coming is None:
            self._coming = self._aside.submit(next, self._items, None)

    def take(self) -> Conformed | None:
        """The next item, when it is ready; None after the last."""
        self.begin()
        coming, self._coming = self._coming, None
        assert coming is not None
        return coming.result()
