"""Claims jobs and runs them, one after the other, until it is told to stop.

A claim is a lease that a heartbeat renews. A worker that dies leaves its lease to run out; one
that was paused past it finds its token stale and changes nothing. A job that ends its worker
three times without any progress in between is given up as FAILED.

Trouble of the machine is no fault of a job: on a full disk, say, the job is put off for a few
seconds and the try is not counted, for a day at most.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from bulkwright.domain.errors import LeaseLost, WorkerFailed
from bulkwright.domain.job import Job, Lease
from bulkwright.domain.limits import (
    HINDERED_FIRST_SECONDS,
    HINDERED_FREE_SECONDS,
    HINDERED_MOST_SECONDS,
    JOB_ATTEMPTS,
    LEASE_SECONDS,
)
from bulkwright.holder import holder_name, is_dead
from bulkwright.observe import LeaseGone, WorkerGoesOn, WorkerHindered, WorkerTripped, WorkerTurned
from bulkwright.pipeline.run import Interrupted, fail_job, run_job
from bulkwright.pipeline.workshop import Workshop
from bulkwright.store.jobs import JobStore
from bulkwright.trouble import trouble

IDLE_SECONDS = 0.05
"""Pause between looks for a job: a look costs a tenth of a millisecond."""


Heart = Callable[[], AbstractContextManager[JobStore]]
"""Opens a second job store, used by the heartbeat's thread alone."""


class Hindered(Exception):
    """The machine is in the way; the message tells a person what to do. The job is as it was."""


class Worker:
    """One worker."""

    def __init__(self, shop: Workshop, heart: Heart) -> None:
        self._shop = shop
        self._heart = heart
        self._holder = holder_name(os.getpid())
        self._stopping = False
        self._owed: dict[Lease, bool] = {}
        """Claims to be put off as soon as the database takes it, and whether they count."""
        self._hindered_since: dict[int, float] = {}
        """By job; on the monotonic clock."""
        self._looked = 0.0
        """When this worker looked after stalled ones; on the monotonic clock."""

    def stop(self) -> None:
        """Finish the chunk at hand and give the job back; safe to call from a signal handler."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether the worker has been told to stop."""
        return self._stopping

    def run(self) -> None:
        """Work until stopped. While the machine is in the way, say so once and try again."""
        self._end_dead_leases()
        pause, told = HINDERED_FIRST_SECONDS, ""
        while not self._stopping:
            self._shop.observe(WorkerTurned())
            self._look_after_stalled()
            try:
                worked = self.run_one()
            except Hindered as hindered:
                if str(hindered) != told:
                    told = str(hindered)
                    self._shop.observe(WorkerHindered(told))
                self._rest(pause)
                pause = min(2 * pause, HINDERED_MOST_SECONDS)
                continue
            if not worked:
                self._rest(IDLE_SECONDS)
            elif told:
                pause, told = HINDERED_FIRST_SECONDS, ""
                self._shop.observe(WorkerGoesOn())

    def run_one(self, only: int | None = None) -> bool:
        """Claim and run one job (or the job `only`); False when there is nothing to do.

        Raises Hindered when the machine is in the way; the job is put off then.
        """
        try:
            self._put_off_owed()
            claimed = self._shop.jobs.claim(self._holder, only)
        except Exception as error:
            if reason := trouble(error):
                raise Hindered(reason) from error
            raise
        if claimed is None:
            return False
        lease, job, attempt = claimed
        try:
            self._run(lease, job, attempt)
        except LeaseLost:
            self._shop.observe(LeaseGone(lease.job_id))
        except Interrupted:
            with suppress(Exception):  # if it cannot be noted, the lease runs out
                self._shop.jobs.release(lease, counted=False)
        except Exception as error:
            # Nothing of the chunk at hand was committed.
            if reason := trouble(error):
                self._hindered(lease)
                raise Hindered(reason) from error
            self._tripped(lease, attempt, error)
        self._hindered_since.pop(job.id, None)
        return True

    def _run(self, lease: Lease, job: Job, attempt: int) -> None:
        # A dry run holds the database itself; nobody else could claim, or renew, anything.
        with nullcontext() if self._shop.dry else self._heartbeat(lease):
            if attempt > JOB_ATTEMPTS:
                # The attempt after the last may still list the rows; one more may not.
                listed = attempt == JOB_ATTEMPTS + 1
                fail_job(lease, job, WorkerFailed.code, self._shop, read_rest=listed)
            else:
                run_job(lease, job, attempt, self._shop)

    def _rest(self, seconds: float) -> None:
        # An event could be waited for, but not be set by a signal handler: that may run while this
        # very thread holds the event's lock.
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, IDLE_SECONDS))

    def _end_dead_leases(self) -> None:
        """Nobody waits for the leases of workers that died with their server."""
        with suppress(Exception):  # if it cannot be done now, the leases run out
            for holder in self._shop.jobs.holders():
                if is_dead(holder):
                    self._shop.jobs.end_leases(holder)

    def _look_after_stalled(self) -> None:
        """Once in a lease's time; a worker at work has its heartbeat do so."""
        if time.monotonic() - self._looked > LEASE_SECONDS:
            self._looked = time.monotonic()
            with suppress(Exception):  # the next look comes
                self._shop.jobs.end_stalled()

    def _tripped(self, lease: Lease, attempt: int, error: Exception) -> None:
        """Somebody tries again: at once a few times, then after a pause."""
        self._shop.observe(WorkerTripped(lease.job_id, secrets.token_hex(8), error))
        with suppress(Exception):  # if it cannot be noted, the lease runs out
            if attempt > JOB_ATTEMPTS:
                self._shop.jobs.put_off(lease, counted=True)
            else:
                self._shop.jobs.release(lease)

    def _hindered(self, lease: Lease) -> None:
        """Others have their turn first, for they may need less room; nothing counts at first."""
        since = self._hindered_since.setdefault(lease.job_id, time.monotonic())
        self._owed[lease] = time.monotonic() - since > HINDERED_FREE_SECONDS
        with suppress(Exception):  # if it cannot be noted now, it is before the next claim
            self._put_off_owed()

    def _put_off_owed(self) -> None:
        for lease, counted in list(self._owed.items()):
            if self._shop.jobs.put_off(lease, counted=counted):
                del self._owed[lease]

    @contextmanager
    def _heartbeat(self, lease: Lease) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            # The first beat comes late enough that a short job never opens a second store.
            if done.wait(LEASE_SECONDS / 3):
                return
            while not done.is_set():
                try:
                    with self._heart() as jobs:
                        while True:
                            jobs.end_stalled()
                            jobs.renew(lease)
                            if done.wait(LEASE_SECONDS / 3):
                                return
                except LeaseLost:
                    return  # the next chunk will find it out, before it changes anything
                except Exception as error:
                    if trouble(error) is None:
                        raise
                    # The chunk at hand will meet it too, and say so.
                    done.wait(LEASE_SECONDS / 10)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
