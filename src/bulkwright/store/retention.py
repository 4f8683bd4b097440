"""Deletes expired uploads, results, jobs, callbacks, secrets and audit entries in steps.

Each step is one short transaction. It finds at most a hundred rows by an index, deletes them and
returns their ids, so a worker never waits long for the write lock. The caller repeats a step until
it returns nothing, and deletes the files afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bulkwright.domain.errors import JobIsOpen, ResourceNotFound
from bulkwright.domain.job import JobStatus
from bulkwright.domain.limits import DEVICE_SECONDS, SIGN_IN_FAILURE_SECONDS
from bulkwright.domain.retention import DeletedJob
from bulkwright.store import images_sql
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.times import now_micros
from bulkwright.store.undos import UndoStore

STEP = 100
"""The most uploads, results, callbacks, tokens or sessions that one transaction deletes."""
JOBS_A_STEP = 20
"""Fewer jobs, because each has a ledger."""

IMAGES_A_STEP = 2_000
"""The most images of records."""

_QUERIES_OF_A_JOB = (
    "delete_delivery_of_job", "delete_ledger", "delete_unchanged_rows", "delete_parts",
    "delete_parents",
    "release_images", "delete_resources", "delete_read", "delete_undo", "delete_job",
)  # fmt: skip


class RetentionStore:
    """Deletes what has expired; each `delete` method is one step."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._modules = ModuleStore(database)
        self._undos = UndoStore(database)

    def delete_uploads(self, older: timedelta) -> list[int]:
        """Deletes uploads that no unfinished job needs; returns their ids."""
        with self._db.transaction():
            found = _ids(self._db.all("old_uploads", before=self._before(older), most=STEP))
            return [i for i in found if self._db.one("delete_upload", id=i) is not None]

    def delete_results(self, older: timedelta) -> list[int]:
        """Marks the results of jobs as deleted, not the jobs; returns the ids of the jobs."""
        with self._db.transaction():
            jobs = self._db.all("old_results", before=self._before(older), most=STEP)
            for job in jobs:
                self._db.run("mark_result_swept", id=job["id"], now=now_micros(self._db.clock))
            self._record_sweep(jobs)
        return _ids(jobs)

    def delete_jobs(self, older: timedelta) -> list[int]:
        """Deletes jobs without a pending callback, with all their rows; returns their ids."""
        with self._db.transaction():
            jobs = self._db.all("old_jobs", before=self._before(older), most=JOBS_A_STEP)
            for job in jobs:
                for query in _QUERIES_OF_A_JOB:
                    self._db.run(query, id=job["id"])
            self._record_sweep(jobs)
        return _ids(jobs)

    def delete_job(self, org_id: int, job_id: int) -> DeletedJob:
        """Deletes an ended job with all its rows, and its uploads that no other job reads.

        Raises ResourceNotFound if the org has no such job, JobIsOpen if it has not ended. Call it
        inside a transaction.
        """
        job = self._db.one("lock_job", id=job_id, org_id=org_id)
        if job is None:
            raise ResourceNotFound
        if not JobStatus(job["status"]).is_final:
            raise JobIsOpen(f"The job has the status {job['status']}; abort it first.")
        undo = self._db.one("open_undo", id=job_id)
        if undo is not None:
            raise JobIsOpen(f"Job {undo['job_id']} undoes this job; wait for its end or abort it.")
        uploads = dict.fromkeys(_ids(self._db.all("uploads_of_job", id=job_id)))
        pending = self._db.one("has_pending_delivery", id=job_id) is not None
        for query in _QUERIES_OF_A_JOB:
            self._db.run(query, id=job_id)
        self._record_sweep([job])
        # A new job pins its upload before it reads it: the lock waits for that, or the job for it.
        found = [i for i in uploads if self._db.one("lock_upload", id=i) is not None]
        deleted = [i for i in found if self._db.one("delete_unused_upload", id=i) is not None]
        return DeletedJob(
            had_result=bool(job["has_result"]) and job["result_swept"] is None,
            uploads=tuple(deleted),
            kept_uploads=tuple(i for i in found if i not in deleted),
            dropped_callback=pending,
        )

    def release_images(self, older: timedelta) -> int:
        """Releases the images of jobs that no undo needs, so that `delete_images` deletes them.

        Returns the number of the jobs.
        """
        with self._db.transaction():
            jobs = self._db.all("old_images", before=self._before(older), most=STEP)
            released = (self._undos.release_images(job["org_id"], job["id"]) for job in jobs)
            return sum(released)

    def delete_images(self) -> int:
        """Deletes images that were released; returns a number above 0 if there are more."""
        with self._db.transaction():
            table = self._db.one("unneeded_images")
            if table is None:
                return 0
            module = self._modules.module(table["org_id"], table["module"])
            job_id, deleted = table["job_id"], 0
            if module is not None:
                sql = images_sql.delete(module, IMAGES_A_STEP)
                deleted = len(self._db.sql(sql, (job_id, job_id)))
            if deleted < IMAGES_A_STEP:
                self._db.run("delete_unneeded_images", job_id=job_id, module=table["module"])
            return IMAGES_A_STEP

    def delete_deliveries(self, older: timedelta) -> int:
        """Deletes callbacks that were delivered or given up; returns their number."""
        return len(self._db.all("delete_old_deliveries", before=self._before(older), most=STEP))

    def delete_tokens(self) -> int:
        """Deletes expired tokens and codes; returns their number."""
        return self._delete_expired("delete_old_tokens")

    def delete_idle_tokens(self, unused: timedelta) -> int:
        """Deletes refresh tokens that were not used for a time; returns their number."""
        return len(
            self._db.all("delete_idle_refresh_tokens", before=self._before(unused), most=STEP)
        )

    def delete_forgotten_codes(self) -> int:
        """Deletes used codes of which no token is left; returns their number."""
        return len(self._db.all("delete_forgotten_codes", most=STEP))

    def delete_sessions(self) -> int:
        """Deletes expired sessions; returns their number."""
        return self._delete_expired("delete_old_sessions")

    def delete_devices(self) -> int:
        """Deletes devices that are not known any more; returns their number."""
        before = self._before(timedelta(seconds=DEVICE_SECONDS))
        return len(self._db.all("delete_old_devices", before=before, most=STEP))

    def delete_failures(self) -> int:
        """Deletes counts of failed sign-ins that are forgotten; returns their number."""
        before = self._before(timedelta(seconds=SIGN_IN_FAILURE_SECONDS))
        return len(self._db.all("delete_old_failures", before=before, most=STEP))

    def delete_audit_entries(self, older: timedelta) -> int:
        """Deletes entries of the audit log; returns their number."""
        return len(self._db.all("delete_old_audit_entries", before=self._before(older), most=STEP))

    def delete_idempotency_keys(self, older: timedelta) -> int:
        """Deletes idempotency keys; returns their number."""
        before = self._before(older)
        return len(self._db.all("delete_old_idempotency_keys", before=before, most=STEP))

    def forget_deleted_names(self, older: timedelta) -> None:
        """Erases the names of records that were deleted, which no list shows any more."""
        self._db.run("forget_deleted_names", before=self._before(older))

    def upload_known(self, upload_id: int) -> bool:
        """Returns whether an upload with this id exists."""
        return self._db.one("upload_known", id=upload_id) is not None

    def result_needed(self, job_id: int) -> bool:
        """Returns whether a job with this id has a result, or may get one."""
        row = self._db.one("job_files", id=job_id)
        if row is None:
            return False
        ended = JobStatus(row["status"]).is_final
        return not ended or bool(row["has_result"] and row["result_swept"] is None)

    def pieces_needed(self, job_id: int) -> bool:
        """Returns whether a job with this id has not ended, so that it needs its pieces."""
        row = self._db.one("job_files", id=job_id)
        return row is not None and not JobStatus(row["status"]).is_final

    def _delete_expired(self, query: str) -> int:
        return len(self._db.all(query, before=now_micros(self._db.clock), most=STEP))

    def _before(self, older: timedelta) -> int:
        return now_micros(self._db.clock) - older // timedelta(microseconds=1)

    def _record_sweep(self, jobs: list[Row]) -> None:
        # The results of bulk reads and undos say of no record where it came from.
        ends = [j["finished_time"] for j in jobs if j["operation"] not in ("read", "undo")]
        if ends:
            self._db.run("record_sweep", until=max(ends))


def _ids(rows: Iterable[Row]) -> list[int]:
    return [int(row["id"]) for row in rows]
