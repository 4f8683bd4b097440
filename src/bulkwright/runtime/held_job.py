"""Runs a job to the step that the emulator holds it at."""

from __future__ import annotations

from dataclasses import replace

from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.job import Job
from bulkwright.pipeline.chunk_limit import ChunkLimit
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.run import Interrupted


def first_half(job: AnyJob, ctx: JobContext) -> JobContext:
    """Returns a context in which a job is released when half of its first file is written.

    Raises Interrupted if no row is to be written before: the job has none, or it is all or nothing.
    """
    if not isinstance(job, Job) or job.dry:
        raise Interrupted
    upload = ctx.uploads.upload(job.org_id, job.resources[0].file_id)
    names = {} if upload is None else {csv.name: csv.rows for csv in upload.csvs}
    rows = names.get(job.resources[0].file_name, 0)
    half = 1 if rows is None else rows // 2  # some limits profiles do not count rows
    if not half:
        raise Interrupted
    return replace(
        ctx,
        chunk_rows=half,
        chunk_limit=ChunkLimit(limited=False),
        most_parts=1,
        after_chunk=_release,
    )


def _release() -> None:
    raise Interrupted
