"""Runs a job without storing anything: its twin runs in a place where everything is undone.

The twin is a job with the same file and mappings and another id. It runs as any job does, so its
result is that of a real run, apart from the ids of new records, which there are not. What stays is
that result, and the counts (decision 14).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Job, JobStatus, Lease
from bulkwright.events.events import ChunkCommitted, Event, JobEnded, JobStarted, WorkerPolled
from bulkwright.files import Area
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.run import run_job

OpenTrial = Callable[[JobContext], AbstractContextManager[JobContext]]
"""Opens a context whose changes of the database are undone when it is closed."""

_COPIED_BYTES = 1 << 20


def run_dry(lease: Lease, job: Job, attempt: int, ctx: JobContext, open_trial: OpenTrial) -> None:
    """Run a claimed dry run to its end.

    Raises LeaseLost if the job was aborted or another worker has it now, Interrupted if the worker
    was stopped, and errors without a code as they are; it begins again then.
    """
    ctx.observe(JobStarted(job.id, attempt, 0))
    twin_id = ctx.modules.take_ids(1)  # of the real database, because files are named after it
    twin = replace(job, id=twin_id, status=JobStatus.ADDED, callback=None, dry=False)

    def observe(event: Event) -> None:
        # The events of the twin count rows that are not stored. This one shows that work continues.
        ctx.observe(WorkerPolled())
        if isinstance(event, ChunkCommitted) and not ctx.claims.holds(lease):
            raise LeaseLost

    try:
        with open_trial(ctx) as trial:
            trial = replace(trial, dry=True, keep_images=False, most_parts=1, observe=observe)
            run_job(trial.claims.begin_twin(twin, lease.worker), twin, 1, trial)
            ended = trial.jobs.job(job.org_id, twin_id)
            assert ended is not None
            unchanged = [
                [
                    rows
                    for of_chunk in trial.ledger.unchanged.chunks(twin_id, position)
                    for rows in of_chunk
                ]
                for position in range(len(ended.resources))
            ]
            unprocessed = trial.jobs.unprocessed(twin_id)
        _keep_result(ended, job.id, ctx)
        ctx.claims.finish_dry(lease, ended, ended.result_sha256, unchanged, unprocessed)
    finally:
        ctx.files.delete(Area.RESULTS, twin_id)
        ctx.files.delete(Area.PIECES, twin_id)
    ctx.observe(JobEnded(job.id, ended.status, ended.code, ended.counts))


def _keep_result(twin: Job, job_id: int, ctx: JobContext) -> None:
    """Make the result of the twin that of the dry run."""
    if twin.result_sha256 is None:
        return
    with (
        ctx.files.open(Area.RESULTS, twin.id, twin.result_sha256) as result,
        ctx.files.incoming() as kept,
    ):
        shutil.copyfileobj(result, kept, _COPIED_BYTES)
        kept.save(Area.RESULTS, job_id)
