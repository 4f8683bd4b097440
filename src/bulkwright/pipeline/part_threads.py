"""Runs parts of a resource at the same time: each on a thread, from one reading of the file.

In:   parts that this worker has claimed.
Out:  their ends: each part is done, or has the code of the error with which it has failed.

Threads are enough: Polars, inflate, deflate and the driver release the GIL, and most of a part's
time is spent waiting for its session of the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from bulkwright.domain.errors import BulkwrightError, LeaseLost, WorkerFailed
from bulkwright.domain.job import Job, PartLease, Split
from bulkwright.domain.limits import JOB_ATTEMPTS
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.part_run import Interrupted, PartRun, start_after
from bulkwright.pipeline.shared_source import SharedSource, share
from bulkwright.pipeline.source import Source, open_source

AfterChunk = Callable[[SharedSource], None]
OnFailure = Callable[[PartLease, BaseException], None]


def _continue(_: SharedSource) -> None:
    """Do nothing after a chunk."""


def run_parts(
    parts: Sequence[PartLease],
    job: Job,
    split: Split,
    ctx: JobContext,
    after_chunk: AfterChunk,
    source: Source | None = None,
    *,
    on_failure: OnFailure,
) -> None:
    """Run claimed parts of one resource to their ends, and record these.

    `source` is the file if it is open already; it is closed at the end. `after_chunk` is called
    after each chunk of the first part, with the source of that part. `on_failure` is called with
    each part that cannot be run to its end, and with its error, while the others may still run. A
    part that has ended its worker JOB_ATTEMPTS times fails.

    Raises, when all have ended or stopped, LeaseLost if other workers have some of them now,
    Interrupted if the worker was stopped, and errors without a code as they are. All of them leave
    a part as it was after its last chunk.
    """
    resource = parts[0].resource
    try:
        starts = [start_after(ctx.ledger.entries(job.id, resource, part.part)) for part in parts]
        opened = source or open_source(job, resource, ctx)
    except BulkwrightError as error:
        for part in parts:
            ctx.parts.end(part, error.code)
        return
    except Exception as error:
        for part in parts:
            on_failure(part, error)
        raise
    running = _PartThreads(split, ctx, on_failure)
    try:
        with opened, ThreadPoolExecutor(len(parts), thread_name_prefix="part") as threads:
            sources = share(opened, starts, split, ctx)
            for part, own in zip(parts[1:], sources[1:], strict=True):
                threads.submit(running.run_beside, part, own)
            running.run(parts[0], sources[0], ctx, after_chunk)
    except BaseException:  # Ctrl-C while this thread waits for the others
        running.stop.set()
        raise
    running.raise_first()


@dataclass(slots=True)
class _PartThreads:
    """Parts that run at the same time: if one of them cannot continue, the others stop."""

    split: Split
    ctx: JobContext
    on_failure: OnFailure
    stop: threading.Event = field(default_factory=threading.Event)
    raised: list[BaseException] = field(default_factory=list)

    def run_beside(self, part: PartLease, source: SharedSource) -> None:
        """Run a part with threads of its own for reading and for result lines."""
        with ThreadPoolExecutor(2, thread_name_prefix="part") as threads:
            self.run(part, source, replace(self.ctx, threads=threads), _continue)

    def run(
        self,
        part: PartLease,
        source: SharedSource,
        ctx: JobContext,
        after_chunk: AfterChunk,
    ) -> None:
        """Run a part to its end and record that, or record what it has raised."""

        def check() -> None:
            if self.stop.is_set():
                raise Interrupted
            after_chunk(source)

        try:
            with source:
                _run_to_end(PartRun(part, None, self.split, source, ctx, check))
        except BaseException as error:
            self.raised.append(error)
            if not isinstance(error, LeaseLost):
                self.stop.set()
            self.on_failure(part, error)

    def raise_first(self) -> None:
        """Raise what was raised: an error rather than a stop, a stop rather than a lost part."""
        order = [
            *(e for e in self.raised if not isinstance(e, (Interrupted, LeaseLost))),
            *(e for e in self.raised if isinstance(e, Interrupted)),
            *self.raised,
        ]
        if order:
            raise order[0]


def _run_to_end(run: PartRun) -> None:
    """Run a part, and record that it is done or the code with which it has failed."""
    code = None
    try:
        if run.lease.attempt > JOB_ATTEMPTS:
            raise WorkerFailed
        run.run(run.lease.attempt)
    except LeaseLost:
        raise
    except BulkwrightError as error:
        code = error.code
    run.ctx.parts.end(run.lease, code)
