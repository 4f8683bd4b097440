"""Claims jobs and runs them, one after the other, until it is stopped.

A claim is a lease, which a LeaseKeeper renews. When a worker dies, its lease expires. A worker that
was paused beyond its lease finds that its fence is stale, and changes nothing. A job that ends its
worker three times without progress between is ended as FAILED.

An outage, such as a full disk, is not an error of the job. The job is deferred for a few seconds,
and the attempt is not counted, for a day at most.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.errors import Aborted, LeaseLost, WorkerFailed
from bulkwright.domain.job import Lease, PartLease
from bulkwright.domain.limits import (
    BLOCKED_FIRST_SECONDS,
    BLOCKED_FREE_SECONDS,
    BLOCKED_MOST_SECONDS,
    JOB_ATTEMPTS,
    LEASE_SECONDS,
    SHORT_JOB_BYTES,
)
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.undo_job import UndoJob
from bulkwright.emulator.steps import JobStage, JobSteps
from bulkwright.events.events import (
    JobAttemptFailed,
    LeaseGone,
    Observer,
    WorkerBlocked,
    WorkerPolled,
    WorkerResumed,
)
from bulkwright.outages import classify
from bulkwright.pipeline.bulk_read import fail_read, run_read
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.dry_run import OpenTrial, run_dry
from bulkwright.pipeline.part_threads import run_parts
from bulkwright.pipeline.run import Interrupted, Undoing, fail_job, run_job
from bulkwright.pipeline.shared_source import SharedSource
from bulkwright.pipeline.undo import fail_undo, run_undo
from bulkwright.runtime.best_effort import best_effort
from bulkwright.runtime.held_job import first_half
from bulkwright.runtime.held_parts import HeldParts
from bulkwright.runtime.lease_keeper import LeaseKeeper, end_dead_leases
from bulkwright.runtime.short_jobs import ShortJobs
from bulkwright.runtime.warm_up import warm_up
from bulkwright.runtime.worker_identity import worker_identity
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store.wakeups import Wakeups
from bulkwright.wiring import OpenClaimStore, open_job_context

POLL_SECONDS = 0.5
"""How long an idle worker waits for a wake-up before it looks for a job all the same: wake-ups may
get lost, and none is sent when a lease expires or the pause of a deferred job is over."""
HELP_SECONDS = 0.1
"""How long a process of `write` waits before it looks for a part again. Wake-ups are for workers,
whose sessions that wait for them are counted (`PartStore.workers`)."""


class Blocked(Exception):
    """An outage blocks the worker. The message says what to do. The job is unchanged."""


@contextmanager
def open_worker(
    settings: Settings,
    observe: Observer,
    *,
    dry: bool = False,
    clock: Clock = SYSTEM_CLOCK,
    steps: JobSteps | None = None,
) -> Iterator[tuple[Services, Worker]]:
    """Opens the use cases and a worker over the worker's database, and migrates that first.

    With the `steps` of an emulator, no job leaves a step before it may.
    """
    opened = open_job_context(settings, observe, dry=dry, clock=clock)
    with opened as (services, ctx, open_claim_store, open_trial):
        yield services, Worker(ctx, open_claim_store, open_trial, steps)


class Worker:
    """One worker."""

    def __init__(
        self,
        ctx: JobContext,
        open_claim_store: OpenClaimStore,
        open_trial: OpenTrial,
        steps: JobSteps | None = None,
    ) -> None:
        self._ctx = ctx
        self._open_claim_store = open_claim_store
        self._open_trial = open_trial
        self._steps = steps
        self._clock = ctx.clock
        self._identity = worker_identity(os.getpid())
        self._deferred: dict[Lease | PartLease, bool] = {}
        """Leases of jobs to defer, and of parts to release, as soon as the database can be written;
        the value: count the attempt."""
        self._blocked_since: dict[int, float] = {}
        """By job id, on the monotonic clock."""
        self._stalled_ended_at: float | None = None
        """When this worker last ended stalled ones, on the monotonic clock."""
        self._wakeups: Wakeups | None = None

    def stop(self) -> None:
        """Stops after the current chunk and releases the job. A signal handler may call this."""
        self._ctx.stop.is_set = True
        if self._wakeups is not None:
            self._wakeups.interrupt()

    def divide_into(self, most: int) -> None:
        """Divides the jobs that it runs from now on into at most `most` parts."""
        self._ctx = replace(self._ctx, most_parts=most)

    def run(self, helped: int | None = None) -> None:
        """Runs jobs until `stop` is called, or only parts of the job `helped`.

        Reports an outage once, and tries again.
        """
        with self._ctx.claims.wakeups() as wakeups:
            self._wakeups = wakeups
            try:
                self._run(wakeups, helped)
            finally:
                self._wakeups = None

    def _run(self, wakeups: Wakeups, helped: int | None) -> None:
        warm_up(self._ctx.threads, self._clock)
        self._end_dead_leases()
        pause, reported = BLOCKED_FIRST_SECONDS, ""
        while not self._ctx.stop.is_set:
            self._ctx.observe(WorkerPolled())
            self._end_stalled()
            try:
                worked = self._work() if helped is None else self.help(helped)
            except Blocked as blocked:
                if str(blocked) != reported:
                    reported = str(blocked)
                    self._ctx.observe(WorkerBlocked(reported))
                wakeups.pause(pause)
                pause = min(2 * pause, BLOCKED_MOST_SECONDS)
                continue
            if not worked and helped is not None:
                wakeups.pause(HELP_SECONDS)
            elif not worked:
                wakeups.wait(POLL_SECONDS)
            elif reported:
                pause, reported = BLOCKED_FIRST_SECONDS, ""
                self._ctx.observe(WorkerResumed())

    def _work(self) -> bool:
        """Does `run_one`, unless the emulator lets no worker claim a job."""
        if self._steps is None:
            return self.run_one()
        with self._steps.working() as allowed:
            return allowed and self.run_one()

    def run_one(self, only: int | None = None) -> bool:
        """Claims and runs one job (or the job `only`). Returns False when there is none.

        Without a job that waits, claims and runs parts of a job of another worker. Raises Blocked
        for an outage; the job is deferred then, or the parts released.
        """
        try:
            self._defer_remembered()
            claimed = self._claim(only)
            if claimed is None:
                return only is None and self._run_free_parts()
        except Exception as error:
            if outage := classify(error):
                raise Blocked(outage) from error
            raise
        if only is not None or (self._steps is not None and self._steps.holds):
            self._run_claimed(*claimed, self._ctx)
            return True
        with self._short_jobs() as short_jobs:
            self._run_claimed(*claimed, replace(self._ctx, after_chunk=short_jobs.after_chunk))
        return True

    def _claim(self, only: int | None = None) -> tuple[Lease, AnyJob, int] | None:
        """Claims a free job (or the job `only`) that may leave its step; None if there is none."""
        claims, steps = self._ctx.claims, self._steps
        if steps is None or not steps.holds:
            return claims.claim(self._identity, only)
        for job in claims.open_jobs():
            # A job that must leave nothing waits for its undo, which no client polls.
            is_free = job.is_aborted or job.is_undo
            may_leave = is_free or steps.may_claim(job.id, job.status, job.created)
            if may_leave and only in (None, job.id):
                claimed = claims.claim(self._identity, job.id)
                if claimed is not None:
                    return claimed
        return None

    def help(self, job_id: int) -> bool:
        """Claims and runs parts of a job that another worker runs. Returns False if there are none.

        Raises Blocked for an outage; the parts are released then.
        """
        try:
            self._defer_remembered()
            return self._run_free_parts(job_id)
        except Exception as error:
            if outage := classify(error):
                raise Blocked(outage) from error
            raise

    def _run_claimed(
        self, lease: Lease, job: AnyJob, attempt: int, ctx: JobContext | None = None
    ) -> None:
        """Runs a claimed job. Raises Blocked for an outage; the job is deferred then."""
        try:
            self._run_job(lease, job, attempt, ctx or self._ctx)
        except LeaseLost:
            self._ctx.observe(LeaseGone(lease.job_id))
        except Undoing:
            pass  # it is released
        except Interrupted:
            with best_effort("release the lease", otherwise="it expires"):
                self._ctx.claims.release(lease, counted=False)
        except Exception as error:
            # Nothing of the current chunk was committed.
            if outage := classify(error):
                self._defer(lease)
                raise Blocked(outage) from error
            self._retry(lease, attempt, error)
        self._blocked_since.pop(job.id, None)

    def _run_free_parts(self, only: int | None = None) -> bool:
        """Claims and runs parts of a job of another worker. Returns False when there are none.

        With `only`, the parts are of that job. Raises Blocked for an outage.
        """
        ctx = self._ctx
        claimed = ctx.parts.claim_free(self._identity, only)
        if claimed is None:
            return False
        first, org_id = claimed
        parts = [first, *self._more_free_parts(first)]
        job = ctx.jobs.job(org_id, first.job_id)
        assert job is not None
        split = job.resources[first.resource].split
        assert split is not None
        short_jobs = self._short_jobs() if only is None else nullcontext()
        try:
            with HeldParts(parts, ctx, self._open_claim_store, self._deferred) as held, short_jobs:
                give_way = partial(self._give_way, first, only)
                run_parts(parts, job, split, ctx, give_way, on_failure=held.release)
        except LeaseLost:
            ctx.observe(LeaseGone(first.job_id))
        except Interrupted:
            pass  # the parts are released
        except Exception as error:
            if outage := classify(error):
                raise Blocked(outage) from error
            ctx.observe(JobAttemptFailed(first.job_id, secrets.token_hex(8), error))
        return True

    def _more_free_parts(self, first: PartLease) -> Iterator[PartLease]:
        """Claims more parts of the same job, to run beside the first one."""
        for _ in range(self._ctx.parts_at_once - 1):
            claimed = self._ctx.parts.claim_free(self._identity, first.job_id)
            if claimed is None:
                return
            yield claimed[0]

    def _give_way(self, part: PartLease, only: int | None, source: SharedSource) -> None:
        """Runs a job that waits, between two chunks of a part of another worker's job.

        Other workers may claim the part meanwhile: then it raises LeaseLost. So parts delay no job
        by more than a chunk, and the part need not be read from its beginning after a short job.
        """
        if only is not None or (claimed := self._claim()) is None:
            return
        self._ctx.parts.release(part, counted=False)
        # The other parts of this worker have their sessions of the database meanwhile.
        ctx = replace(self._ctx, parts_at_once=1)
        with source.lagging(), suppress(Blocked):  # the next chunk of the part meets it too
            self._run_claimed(*claimed, ctx)
        self._ctx.parts.resume(part)

    def _short_jobs(self) -> ShortJobs:
        return ShortJobs(self._run_short_job, self._ctx, self._wakeups)

    def _run_short_job(self, ctx: JobContext) -> bool:
        """Claims and runs a short job beside the one that runs. Returns False if none waits."""
        claimed = ctx.claims.claim(self._identity, most_bytes=SHORT_JOB_BYTES)
        if claimed is None:
            return False
        with suppress(Blocked):  # the next chunk of the longer job meets the same outage
            self._run_claimed(*claimed, ctx)
        return True

    def _run_job(self, lease: Lease, job: AnyJob, attempt: int, ctx: JobContext) -> None:
        if (
            self._steps is not None
            and job.abort_time is None
            and not isinstance(job, UndoJob)
            and self._steps.step_of(job.id, job.created_time) is not JobStage.ENDED
        ):
            ctx = first_half(job, ctx)
        # A dry run is one transaction: no other connection can claim a job or renew a lease.
        keeper = nullcontext() if self._ctx.dry else LeaseKeeper(lease, self._open_claim_store)
        with keeper:
            if isinstance(job, ReadJob):
                self._run_read(lease, job, attempt)
            elif isinstance(job, UndoJob):
                self._run_undo(lease, job, attempt, ctx)
            elif job.early_end is not None or attempt > JOB_ATTEMPTS:
                code = job.early_end or WorkerFailed.code
                # The first attempt beyond the limit may list the remaining rows in the result. A
                # later one may not, because that may be what ends the worker.
                listed = attempt <= JOB_ATTEMPTS + 1
                fail_job(lease, job, code, self._ctx, read_rest=listed)
            elif job.dry:
                run_dry(lease, job, attempt, self._ctx, self._open_trial)
            else:
                run_job(lease, job, attempt, ctx)

    def _run_read(self, lease: Lease, job: ReadJob, attempt: int) -> None:
        code = _early_end(job, attempt)
        if code is not None:
            fail_read(lease, job, code, self._ctx)
        else:
            run_read(lease, job, attempt, self._ctx)

    def _run_undo(self, lease: Lease, job: UndoJob, attempt: int, ctx: JobContext) -> None:
        code = _early_end(job, attempt)
        if code is not None:
            fail_undo(lease, job, code, ctx)
        else:
            run_undo(lease, job, attempt, ctx)

    def _end_dead_leases(self) -> None:
        """Ends the leases of workers that died with their server."""
        with best_effort("end the leases of dead workers", otherwise="they expire"):
            end_dead_leases(self._ctx.claims)

    def _end_stalled(self) -> None:
        """Ends stalled workers, once per lease time. While a job runs, its LeaseKeeper does so."""
        now, last = self._clock.monotonic(), self._stalled_ended_at
        if last is None or now - last > LEASE_SECONDS:
            self._stalled_ended_at = now
            with best_effort("end stalled workers", otherwise="the next check does so"):
                self._ctx.claims.end_stalled()

    def _retry(self, lease: Lease, attempt: int, error: Exception) -> None:
        """Releases the job for another attempt: at once a few times, then after a pause."""
        self._ctx.observe(JobAttemptFailed(lease.job_id, secrets.token_hex(8), error))
        with best_effort("release the lease", otherwise="it expires"):
            if attempt > JOB_ATTEMPTS:
                self._ctx.claims.defer(lease, counted=True)
            else:
                self._ctx.claims.release(lease)

    def _defer(self, lease: Lease) -> None:
        """Defers a blocked job, so that jobs that need less space run first.

        The attempt counts only when the job has been blocked for BLOCKED_FREE_SECONDS.
        """
        now = self._clock.monotonic()
        since = self._blocked_since.setdefault(lease.job_id, now)
        self._deferred[lease] = now - since > BLOCKED_FREE_SECONDS
        with best_effort("defer the job", otherwise="it is deferred before the next claim"):
            self._defer_remembered()

    def _defer_remembered(self) -> None:
        for lease, counted in list(self._deferred.items()):
            if isinstance(lease, PartLease):
                self._ctx.parts.release(lease, counted=counted)
                self._deferred.pop(lease, None)
            elif self._ctx.claims.defer(lease, counted=counted):
                self._deferred.pop(lease, None)


def _early_end(job: ReadJob | UndoJob, attempt: int) -> str | None:
    """Returns the code with which a job has to end before this attempt; None if it may run."""
    if job.abort_time is not None:
        return Aborted.code
    return WorkerFailed.code if attempt > JOB_ATTEMPTS else None
