"""Short jobs that wait, while their worker runs a longer one (docs/scale.md).

On PostgreSQL they run on a thread of their own, as soon as the other job has run for
LONG_JOB_SECONDS. On SQLite, which has one writer, they run between two chunks of the other job.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

from bulkwright.domain.limits import CHUNK_LOCK_SECONDS, LONG_JOB_SECONDS
from bulkwright.outages import classify
from bulkwright.pipeline.context import JobContext
from bulkwright.store.wakeups import Wakeups

_PAUSE_SECONDS = 0.02
"""The end of the longer job waits for the thread no longer than this."""
_POLL_SECONDS = 0.5
"""How long the thread waits for a wake-up before it looks for a job all the same."""


class ShortJobs:
    """Runs short jobs until the `with` block, in which the longer one runs, has ended."""

    def __init__(
        self, run_next: Callable[[JobContext], bool], ctx: JobContext, wakeups: Wakeups | None
    ) -> None:
        """`run_next` claims and runs one short job; it returns False if none waits."""
        self._run_next = run_next
        self._ctx = ctx
        self._wakeups = wakeups
        self._begun = time.monotonic()  # clock: a duration for the turns of short jobs
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="short-jobs", daemon=True)

    def after_chunk(self) -> None:
        """Run those that wait, for about CHUNK_LOCK_SECONDS, unless the thread runs them."""
        begun = now = time.monotonic()  # clock: a duration for the turns of short jobs
        if self._ctx.short_jobs_beside or now - self._begun < LONG_JOB_SECONDS:
            return
        while now - begun < CHUNK_LOCK_SECONDS and not self._ctx.stop.is_set:
            if not self._run_one(self._ctx):
                return
            now = time.monotonic()  # clock: a duration for the turns of short jobs

    def __enter__(self) -> Self:
        if self._ctx.short_jobs_beside:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.ident is None:
            return
        self._over.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run(self) -> None:
        if self._over.wait(LONG_JOB_SECONDS):
            return
        try:
            with ThreadPoolExecutor(2, thread_name_prefix="short-jobs") as threads:
                ctx = replace(self._ctx, threads=threads, parts_at_once=1)
                while not (self._over.is_set() or ctx.stop.is_set):
                    if not self._run_one(ctx):
                        self._wait()
        except BaseException as raised:
            self._error = raised

    def _run_one(self, ctx: JobContext) -> bool:
        """Run one; False if none waits, or in an outage, which the longer job meets by itself."""
        try:
            return self._run_next(ctx)
        except Exception as error:
            if classify(error) is None:
                raise
            return False

    def _wait(self) -> None:
        """Wait for a job to look for, or for the end of the longer one."""
        for _ in range(int(_POLL_SECONDS / _PAUSE_SECONDS)):
            if self._wakeups is None:
                woken = self._over.wait(_PAUSE_SECONDS)
            else:
                woken = self._wakeups.wait(_PAUSE_SECONDS)
            if woken or self._over.is_set() or self._ctx.stop.is_set:
                return
