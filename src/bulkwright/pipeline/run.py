"""Runs a job: its resources one after the other, each in one or several parts.

The worker that has the lease of the job divides a resource (`parts.py`), runs its parts
(`part_threads.py`, `part_run.py`), and ends the job when all have ended: it joins their pieces into
the result (`join.py`). A part that cannot be processed ends with the code of the error. All parts
read the same file, so all of them end at the same chunk, and what was stored before does not depend
on their number.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace

import polars as pl

from bulkwright.domain.errors import (
    BulkwrightError,
    LeaseLost,
    TooManyErrors,
    UndoFailed,
    WorkerFailed,
)
from bulkwright.domain.job import Job, JobStatus, Lease, PartLease, PartStatus, Split
from bulkwright.domain.limits import KEY_GROUPS
from bulkwright.events.events import JobEnded, ResourceDivided, ResultLost
from bulkwright.files import DamagedFile
from bulkwright.pipeline.all_or_nothing import Undoing, forget_stored, undo_stored
from bulkwright.pipeline.conform import choice_values
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.join import join_pieces, merge_committed, merge_parts, merge_thread
from bulkwright.pipeline.part_run import Interrupted, PartRun
from bulkwright.pipeline.part_threads import run_parts
from bulkwright.pipeline.parts import divide
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.shared_source import SharedSource
from bulkwright.pipeline.source import Source, open_source
from bulkwright.pipeline.write import image_columns
from bulkwright.ports import RecordSink

__all__ = ["Interrupted", "Undoing", "fail_job", "run_job"]

_WAIT_SECONDS = 0.02
"""Pause between two looks for parts that other workers have."""


def run_job(lease: Lease, job: Job, attempt: int, ctx: JobContext) -> None:
    """Run a claimed job to its end.

    If it cannot be processed, the job ends FAILED with the code of the error. Raises LeaseLost if
    another worker has the lease now, Interrupted if the worker was stopped, and errors without a
    code as they are; all of them leave the job as it was after its last chunk.
    """
    try:
        for position in range(len(job.resources)):
            code = _run_resource(lease, job, position, attempt, ctx)
            if code is not None:
                fail_job(lease, job, code, ctx)
                return
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

    Resources after the one that the job had reached are SKIPPED (`ClaimStore.finish`). If nothing
    of the job may stay, what it has stored is undone first: raises Undoing until that has ended.

    With `read_rest` false the upload is not read again: its rows may be what kills workers.
    """
    for position in range(len(job.resources)):
        # From here on no other worker changes anything of this job.
        ctx.claims.take_parts(lease, position)
    if job.all_or_nothing:
        code = undo_stored(lease, job, code, ctx)
    for position in range(len(job.resources)):
        if read_rest:
            try:
                _list_rest(lease, job, position, ctx)
            except LeaseLost:
                raise
            except BulkwrightError:
                continue  # rows that cannot be read cannot be listed in the result
    _finish(lease, job, JobStatus.FAILED, code, ctx)


def _list_rest(lease: Lease, job: Job, position: int, ctx: JobContext) -> None:
    """Report the rows as UNPROCESSED that no part of a resource has reached."""
    with open_source(job, position, ctx) as source:
        split, _ = ctx.claims.begin(lease, position, None, _split(source, ctx))
        parts = ctx.claims.take_parts(lease, position)
        if not split.is_divided:
            for part in parts:
                PartRun(part, lease, split, source, ctx).list_rest()
            return
    for part in parts:
        with open_source(job, position, ctx) as source:
            PartRun(part, lease, split, source, ctx).list_rest()


def _run_resource(
    lease: Lease, job: Job, position: int, attempt: int, ctx: JobContext
) -> str | None:
    """Run the parts of a resource to their ends. Return the code of the first that failed."""
    with open_source(job, position, ctx) as source:
        _ensure_indexes(source.plan, ctx.records.service)
        encoding, wanted = source.dialect.encoding, _split(source, ctx)
        wanted = replace(wanted, images=_images(source.plan, ctx))
        split, part = ctx.claims.begin(lease, position, encoding, wanted)
        if not split.is_divided:
            part = part or _next_part(lease, position, split, ctx)
            if part is not None:
                PartRun(part, lease, split, source, ctx, ctx.after_chunk).run(attempt)
            return _passed_limit(job, position, ctx)
        ctx.observe(ResourceDivided(job.id, split.parts))
        if part is not None:
            _run_own_parts(lease, part, job, split, ctx, source)
    while (part := _next_part(lease, position, split, ctx)) is not None:
        _run_own_parts(lease, part, job, split, ctx)
    states = ctx.parts.states(job.id, position)
    code = next((state.code for state in states if state.code is not None), None)
    return code or _passed_limit(job, position, ctx)


def _passed_limit(job: Job, position: int, ctx: JobContext) -> str | None:
    """Return the code of a job whose rows are all done, but of which too many were skipped."""
    if job.error_limit is None:
        return None
    done = ctx.parts.done(job.id, position)
    return TooManyErrors.code if job.error_limit.is_passed(done, ended=True) else None


def _run_own_parts(
    lease: Lease,
    first: PartLease,
    job: Job,
    split: Split,
    ctx: JobContext,
    source: Source | None = None,
) -> None:
    """Run a part of a job that this worker has claimed, and open ones behind it beside it.

    Lines of several parts are merged meanwhile.
    """
    parts = [first]
    while len(parts) < ctx.parts_at_once:
        part = ctx.claims.claim_part(lease, first.resource, after=parts[-1].part)
        if part is None:
            break
        parts.append(part)
    merging = merge_thread(lease, first.resource, split, ctx) if len(parts) > 1 else nullcontext()
    # A lost lease is that of a part; the next claim of one checks the lease of the job.
    with suppress(LeaseLost), merging as merge:

        def after_chunk(_: SharedSource) -> None:
            for call in (merge, ctx.after_chunk):
                if call is not None:
                    call()

        def on_failure(part: PartLease, error: BaseException) -> None:
            # It may still be claimed: the others may have read on without it.
            if isinstance(error, LeaseLost):
                with suppress(Exception):  # it is released with the job
                    ctx.parts.release(part, counted=False)

        run_parts(parts, job, split, ctx, after_chunk, source, on_failure=on_failure)


def _next_part(lease: Lease, position: int, split: Split, ctx: JobContext) -> PartLease | None:
    """Claim an open part, as soon as there is one that no other worker has; None at the end.

    Merges lines of chunks meanwhile. Raises Interrupted if the worker is stopped while it waits,
    and LeaseLost if another worker has the job.
    """
    while True:
        part = ctx.claims.claim_part(lease, position)
        if part is not None:
            return part
        states = ctx.parts.states(lease.job_id, position)
        if all(state.status is not PartStatus.OPEN for state in states):
            return None
        if ctx.stop.is_set:
            raise Interrupted
        if split.is_divided:
            merge_committed(lease, position, split, ctx)
        time.sleep(_WAIT_SECONDS)


def _split(source: Source, ctx: JobContext) -> Split:
    """How the rows of a resource are to be divided, if that is not decided yet."""
    plan = source.plan
    most = 1 if ctx.dry else ctx.most_parts
    if most is None:
        # A short file is not divided, however many workers there are: its job is to end at once.
        most = (
            ctx.parts.workers() * ctx.parts_at_once
            if source.text_bytes > ctx.chunk_bytes
            else KEY_GROUPS
        )
    split = divide(
        plan,
        text_bytes=source.text_bytes,
        most=most,
        chunk_rows=source.chunk_rows(ctx),
        chunk_bytes=ctx.chunk_bytes,
    )
    if not split.is_divided or plan.resource.split is not None:
        return split  # if it is divided already, `ClaimStore.begin` returns how
    if ctx.ledger.entries(plan.job.id, plan.position):
        return replace(split, parts=1, reason="a version without parts has begun the job")
    grown = _grown_picklist(plan, split, ctx)
    if grown is not None:
        reason = f"new values join the picklist {grown} in file order"
        return replace(split, parts=1, reason=reason)
    return split


def _images(plan: Plan, ctx: JobContext) -> tuple[str, ...] | None:
    """The columns of which the former values are kept; None if the job cannot be undone."""
    kept = ctx.keep_images or plan.job.all_or_nothing
    if ctx.dry or not kept or not plan.module.table_kind.keeps_images:
        return None
    ctx.records.images.ensure(plan.module)
    return image_columns(plan)


def _grown_picklist(plan: Plan, split: Split, ctx: JobContext) -> str | None:
    """The first picklist for which the file has values that it lacks; None if there is none.

    The values that it takes, and their order, depend on the order of the rows.
    """
    picklists = [c for c in plan.written if c.field.accepts_new_values]
    if not picklists:
        return None
    known = {c.name: pl.Series(c.field.pick_list_values, dtype=pl.String) for c in picklists}
    try:
        with open_source(plan.job, plan.position, ctx) as source:
            indexes = {c.mapping.index for c in picklists}
            columns = tuple(sorted(index for index in indexes if index is not None))
            for chunk in source.chunks_of(columns, split, ctx):
                for column in picklists:
                    values = choice_values(chunk, column)
                    if not values.is_in(known[column.name].implode()).all():
                        return column.name
    except BulkwrightError:
        return picklists[0].name  # a file that cannot be read to its end may hold new values
    return None


def _finish(lease: Lease, job: Job, status: JobStatus, code: str | None, ctx: JobContext) -> None:
    """Join the pieces into the result, then end the job.

    If a piece is damaged, the job has no result rather than a wrong one, and is FAILED.
    """
    sha256 = None
    now = _now(job, ctx)
    try:
        if job.all_or_nothing and code not in (None, UndoFailed.code):
            forget_stored(lease, now, ctx)
            now = _now(job, ctx)
        for position, resource in enumerate(now.resources):
            if resource.split is not None and resource.split.is_divided:
                merge_parts(lease, position, resource.split, ctx, ended=True)
        sha256 = join_pieces(now, ctx)
    except DamagedFile as damage:
        ctx.observe(ResultLost(job.id, str(damage)))
        status, code = JobStatus.FAILED, code or WorkerFailed.code
    ctx.claims.finish(lease, status, code=code, has_result=sha256 is not None, result_sha256=sha256)
    if job.all_or_nothing and not ctx.keep_images and status is JobStatus.COMPLETED:
        with ctx.undos.transaction():
            ctx.undos.release_images(job.org_id, job.id)
    ctx.files.delete_pieces(job.id)
    ctx.observe(JobEnded(job.id, status, code, now.counts))


def _now(job: Job, ctx: JobContext) -> Job:
    """The job in its current state."""
    now = ctx.jobs.job(job.org_id, job.id)
    assert now is not None
    return now


def _ensure_indexes(plan: Plan, sink: RecordSink) -> None:
    """Create the indexes by which the rows of the plan find records, where they are missing."""
    if plan.find_by is not None:
        sink.ensure_index(plan.module, plan.find_by.field)
    for column in plan.columns:
        if column.lookup_module is not None and column.lookup_field is not None:
            sink.ensure_index(column.lookup_module, column.lookup_field)
