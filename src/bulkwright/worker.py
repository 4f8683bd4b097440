"""Claims jobs and runs them, one after the other, until it is told to stop.

A claim is a lease that a heartbeat renews. A worker that dies leaves its lease to run out; one
that was paused past it finds its token stale and changes nothing. A job that ends its worker
three times without any progress in between is given up as FAILED.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from bulkwright.domain.errors import LeaseLost, WorkerFailed
from bulkwright.domain.job import Lease
from bulkwright.domain.limits import JOB_ATTEMPTS, LEASE_SECONDS
from bulkwright.holder import holder_name
from bulkwright.observe import LeaseGone, WorkerTripped
from bulkwright.pipeline.run import Interrupted, fail_job, run_job
from bulkwright.pipeline.workshop import Workshop
from bulkwright.store.jobs import JobStore

IDLE_SECONDS = 0.05
"""Pause between looks for a job: a look costs a tenth of a millisecond."""


Heart = Callable[[], AbstractContextManager[JobStore]]
"""Opens a second job store, used by the heartbeat's thread alone."""


class Worker:
    """One worker."""

    def __init__(self, shop: Workshop, heart: Heart) -> None:
        self._shop = shop
        self._heart = heart
        self._holder = holder_name(os.getpid())
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish the chunk at hand and give the job back; safe to call from a signal handler."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the worker has been told to stop."""
        return self._stop.is_set()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stop.is_set():
            if not self.run_one():
                self._stop.wait(IDLE_SECONDS)

    def run_one(self, only: int | None = None) -> bool:
        """Claim and run one job (or the job `only`); False when there is nothing to do."""
        claimed = self._shop.jobs.claim(self._holder, only)
        if claimed is None:
            return False
        lease, job, attempt = claimed
        try:
            # A dry run holds the database itself; nobody else could claim, or renew, anything.
            with nullcontext() if self._shop.dry else self._heartbeat(lease):
                if attempt > JOB_ATTEMPTS:
                    # The attempt after the last may still list the rows; one more may not.
                    listed = attempt == JOB_ATTEMPTS + 1
                    fail_job(lease, job, WorkerFailed.code, self._shop, read_rest=listed)
                else:
                    run_job(lease, job, attempt, self._shop)
        except LeaseLost:
            self._shop.observe(LeaseGone(lease.job_id))
        except Interrupted:
            self._shop.jobs.release(lease, attempts=0)
        except Exception as error:
            # Nothing of the chunk at hand was committed. Somebody tries again, a few times.
            self._shop.observe(WorkerTripped(lease.job_id, secrets.token_hex(8), error))
            self._shop.jobs.release(lease, attempt)
        return True

    @contextmanager
    def _heartbeat(self, lease: Lease) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            # The first beat comes late enough that a short job never opens a second store.
            if done.wait(LEASE_SECONDS / 3):
                return
            with self._heart() as jobs:
                while True:
                    try:
                        jobs.renew(lease)
                    except LeaseLost:
                        return  # the next chunk will find it out, before it changes anything
                    if done.wait(LEASE_SECONDS / 3):
                        return

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
