"""Claims of workers on jobs: each is a lease, and its fence is checked by every change.

A claim holds until the job ends or another worker claims it. Another worker may do so when the
lease time has passed or the claim was released. The fence grows with every claim, so a worker that
was paused for too long changes nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Job, JobStatus, Lease, PartLease, ResourceStatus, Split
from bulkwright.domain.unchanged import UnchangedRows
from bulkwright.domain.undo_job import UndoJob
from bulkwright.store.database import Database, Row
from bulkwright.store.jobs import JobStore
from bulkwright.store.outbox import OutboxStore
from bulkwright.store.parts import PartStore
from bulkwright.store.reads import ReadStore
from bulkwright.store.times import LEASE_MICROS, from_micros, lease_now, lease_times, now_micros
from bulkwright.store.unchanged import UnchangedStore
from bulkwright.store.undos import UndoStore
from bulkwright.store.wakeups import Topic, Wakeups

_OPEN_JOBS = 1_000


class JobStep(NamedTuple):
    """How far a job is."""

    id: int
    status: JobStatus
    created: datetime
    is_released: bool
    """Whether no worker has claimed it."""
    is_aborted: bool
    is_undo: bool


class ClaimStore:
    """Claims jobs for workers, and changes a job while its claim holds."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._jobs = JobStore(database)
        self._reads = ReadStore(database)
        self._undos = UndoStore(database)
        self._parts = PartStore(database)
        self._unchanged = UnchangedStore(database)

    def wakeups(self) -> Wakeups:
        """Returns the wake-ups of jobs that can be claimed."""
        return self._db.wakeups(Topic.JOBS)

    def claim(
        self, worker: str, only: int | None = None, *, most_bytes: int | None = None
    ) -> tuple[Lease, AnyJob, int] | None:
        """Claims a free job: returns its lease, the job, and the number of this attempt.

        A job is free if it is new or if its last lease has ended. The orgs with the highest
        priority come first and take turns; of an org the oldest job comes first. With `only`, no
        other job is claimed; with `most_bytes`, only a bulk write whose uploads are no larger. None
        if no such job is free.
        """
        # A power cut ends the leases of a SQLite file anyway.
        with self._db.transaction(durable=False):
            # SQLite's write lock is held when the clock is read: no lease can be younger than this.
            wanted = {"only": only, "most_bytes": most_bytes}
            row = self._db.one("claim_job", worker=worker, **wanted, **lease_times(self._db.clock))
            if row is None:
                return None
            self._db.run("note_turn", id=row["org_id"], now=now_micros(self._db.clock))
        number = row["org_id"], row["id"]
        job = self._jobs.job(*number) or self._reads.job(*number) or self._undos.job(*number)
        assert job is not None
        return Lease(job.id, row["lease_token"], worker), job, int(row["attempts"])

    def step_of(self, job_id: int) -> JobStep | None:
        """Returns how far a job is; None if there is none."""
        row = self._db.one("job_step", id=job_id)
        return None if row is None else _step(row)

    def open_jobs(self) -> list[JobStep]:
        """Returns the oldest jobs that have not ended."""
        return [_step(row) for row in self._db.all("open_job_steps", most=_OPEN_JOBS)]

    def renew(self, lease: Lease | PartLease) -> None:
        """Extends a claim by a lease time from now. Raises LeaseLost if it no longer holds."""
        if isinstance(lease, PartLease):
            self._parts.renew(lease)
            return
        _held(
            self._db.one(
                "renew_lease", id=lease.job_id, fence=lease.fence, **lease_times(self._db.clock)
            )
        )

    def release(self, lease: Lease, *, counted: bool = True) -> None:
        """Ends a claim, so that another worker may claim the job at once.

        If not `counted`, this attempt does not count as one of the job's.
        """
        with self._db.transaction():
            self._db.wake(Topic.JOBS)
            self._release(lease, 0, counted=counted)

    def defer(self, lease: Lease, *, counted: bool) -> bool:
        """Ends a claim; the job can be claimed again after a lease time, other jobs before it.

        If not `counted`, this attempt does not count as one of the job's. False if another
        transaction has locked the job's row: the caller tries again later.
        """
        with self._db.transaction():
            released = self._release(lease, LEASE_MICROS, counted=counted)
        if released:
            return True
        return self._db.one("has_lease", id=lease.job_id, fence=lease.fence) is None

    def _release(self, lease: Lease, pause: int, *, counted: bool) -> bool:
        released = self._db.one(
            "release_lease",
            id=lease.job_id,
            fence=lease.fence,
            now=lease_now(self._db.clock),
            pause=pause,
            uncounted=(uncounted := 0 if counted else 1),
        )
        if released is None:
            return False
        place = {"id": lease.job_id, "worker": lease.worker}
        self._db.run("release_parts", **place, uncounted=uncounted)
        return True

    def end_leases(self, worker: str) -> None:
        """Ends all claims of a worker that is known to be dead, before their time has passed."""
        with self._db.transaction():
            self._db.wake(Topic.JOBS)
            self._db.run("end_leases", worker=worker)
            self._db.run("end_part_leases", worker=worker)

    def end_stalled(self) -> None:
        """Ends the sessions of workers that were stopped inside a statement and hold locks."""
        self._db.all("end_stalled")

    def lease_workers(self) -> list[str]:
        """Returns the workers that claimed a job or a part last, if that claim was not ended."""
        return [row["lease_holder"] for row in self._db.all("lease_workers")]

    def lease_worker(self, job_id: int) -> str | None:
        """Returns the worker that claimed a job last; None if none has."""
        row = self._db.one("lease_worker", id=job_id)
        return None if row is None else row["lease_holder"]

    @contextmanager
    def held(self, lease: Lease, *, durable: bool = True) -> Iterator[None]:
        """A transaction in which the lease of the job holds.

        Raises LeaseLost before anything has changed if it no longer holds.
        """
        with self._db.transaction(durable=durable):
            _held(
                self._db.one(
                    "fence_job", id=lease.job_id, fence=lease.fence, **lease_times(self._db.clock)
                )
            )
            yield

    @contextmanager
    def chunk(self, lease: PartLease, job: Lease | None = None) -> Iterator[None]:
        """The transaction of one chunk: everything inside commits together if the claim holds.

        It locks the row of the part. With the lease of the `job`, it extends that too, and locks
        the row of the job, where parts that run at the same time would wait for each other. Raises
        LeaseLost before anything has changed if another worker has the part or the job now, or if
        the part has ended.
        """
        with self._db.transaction() if job is None else self.held(job):
            self._parts.check(lease)
            yield

    def begin(
        self, lease: Lease, resource: int, encoding: str | None, split: Split
    ) -> tuple[Split, PartLease | None]:
        """Records how a resource is read and divided, and claims its first open part.

        Returns how it is divided, which was perhaps decided before, and None for the part if others
        have all that are open. Without `encoding` that of the job stays. Raises LeaseLost.
        """
        with self.held(lease, durable=False):  # the next worker records the same
            if encoding is not None:
                self._db.run("set_encoding", id=lease.job_id, encoding=encoding)
            split = self._parts.divide(lease, resource, split)
            return split, self._parts.claim(lease, resource)

    def claim_part(self, lease: Lease, resource: int, after: int = -1) -> PartLease | None:
        """Claims the first open part behind part `after` that no other worker has.

        None if there is none. Raises LeaseLost.
        """
        with self.held(lease):
            return self._parts.claim(lease, resource, after)

    def take_parts(self, lease: Lease, resource: int) -> list[PartLease]:
        """Claims all parts of a resource that are not done, whichever worker has them.

        Raises LeaseLost.
        """
        with self.held(lease):
            return self._parts.take_all(lease, resource)

    def complete_resource(self, lease: Lease, position: int) -> None:
        """Records that all rows of a resource are stored. Raises LeaseLost."""
        with self.held(lease):
            self._db.run("complete_resource", id=lease.job_id, position=position)

    def holds(self, lease: Lease) -> bool:
        """Returns whether a claim holds by what is committed."""
        return self._db.one("has_lease", id=lease.job_id, fence=lease.fence) is not None

    def begin_twin(self, twin: Job, worker: str) -> Lease:
        """Adds a job and gives it to a worker, inside a transaction that no other one sees.

        Unlike `claim`, it locks nothing that the jobs of the org share.
        """
        self._jobs.add(twin, wake=False)
        self._db.run("begin_twin", id=twin.id, worker=worker)
        return Lease(twin.id, 1, worker)

    def begin_undo(self, lease: Lease, job: Job, undo: UndoJob, code: str) -> None:
        """Adds the undo of a job that ends with a code when that has ended, and releases the job.

        No worker has a part of the job afterwards. Raises LeaseLost.
        """
        with self.held(lease):
            for position in range(len(job.resources)):
                self._parts.take_all(lease, position)
            self._undos.add(undo, queue_time=job.queue_time)
            self._db.run("set_ending", id=job.id, code=code)
            self._release(lease, 0, counted=False)

    def count_again(self, lease: Lease) -> None:
        """Counts the rows of a job as its ledger does, without merged chunks. Raises LeaseLost.

        The merged chunks are forgotten, and so is which rows have changed nothing.
        """
        with self.held(lease):
            self._db.run("delete_unchanged_rows", id=lease.job_id)
            self._db.run("delete_merged", id=lease.job_id)
            self._db.run("count_parts_again", id=lease.job_id)

    def finish_dry(
        self,
        lease: Lease,
        twin: Job,
        result_sha256: str | None,
        unchanged: Sequence[Sequence[UnchangedRows]],
        unprocessed: int,
    ) -> None:
        """Ends a dry run like its twin, which was undone. Raises LeaseLost.

        `unchanged` are the unchanged rows of each resource; `unprocessed` is how many rows the
        result lists as UNPROCESSED.
        """
        with self.held(lease):
            self._db.run("set_encoding", id=lease.job_id, encoding=twin.character_encoding)
            for position, resource in enumerate(twin.resources):
                self._parts.add_done(lease.job_id, position, resource)
                for rows in unchanged[position]:
                    self._unchanged.add(lease.job_id, position, rows)
                if resource.status is ResourceStatus.COMPLETED:
                    self._db.run("complete_resource", id=lease.job_id, position=position)
            if unprocessed:
                self._db.run("add_unreached_rows", job_id=lease.job_id, row_count=unprocessed)
            self.finish(
                lease,
                twin.status,
                code=twin.code,
                has_result=result_sha256 is not None,
                result_sha256=result_sha256,
            )

    def abort(self, org_id: int, job_id: int) -> bool:
        """Takes a job from its workers, so that none of them stores another row; wakes idle ones.

        It waits for the chunks that are being committed. Returns whether the job had not ended and
        its abort was not requested before. Call it inside a transaction.
        """
        now = now_micros(self._db.clock)
        if self._db.one("abort_job", id=job_id, org_id=org_id, now=now) is None:
            return False
        self._db.run("fence_parts", id=job_id)
        self._db.wake(Topic.JOBS)
        return True

    def fence_all(self) -> None:
        """Takes all jobs from their workers, so that none of them changes anything more."""
        with self._db.transaction():
            self._db.run("fence_all_jobs")
            self._db.run("fence_all_parts")

    def finish(
        self,
        lease: Lease,
        status: JobStatus,
        *,
        code: str | None,
        has_result: bool,
        result_sha256: str | None = None,
    ) -> None:
        """Ends a job and adds its callback to the outbox, both or neither.

        If it is FAILED, so is its first resource that is not COMPLETED, with the same `code`; those
        after it are SKIPPED. Raises LeaseLost if the claim no longer holds.
        """
        with self._db.transaction():
            ended = _held(
                self._db.one(
                    "finish_job",
                    id=lease.job_id,
                    fence=lease.fence,
                    status=status.value,
                    code=code,
                    has_result=has_result,
                    result_sha256=result_sha256,
                    now=now_micros(self._db.clock),
                )
            )
            if ended["callback_url"] is not None:
                OutboxStore(self._db).add(ended["org_id"], lease.job_id, ended["callback_url"])
            self._db.run("end_parts", id=lease.job_id)
            self._db.run("delete_parents", id=lease.job_id)
            rest = ResourceStatus.COMPLETED
            if status is JobStatus.FAILED:
                self._db.run("fail_resource", id=lease.job_id, code=code)
                rest = ResourceStatus.SKIPPED
            self._db.run("finish_resources", id=lease.job_id, status=rest.value)


def _step(row: Row) -> JobStep:
    return JobStep(
        row["id"],
        JobStatus(row["status"]),
        from_micros(row["created_time"], "UTC"),
        is_released=row["lease_until"] == 0,
        is_aborted=row["abort_time"] is not None,
        is_undo=row["undo"] is not None,
    )


def _held(row: Row | None) -> Row:
    if row is None:
        raise LeaseLost
    return row
