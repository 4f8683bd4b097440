"""Undos of jobs: what they undo, and what they have done. Their claims are in `claims.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain.job import Callback, JobStatus, Person
from bulkwright.domain.outcome import Counts
from bulkwright.domain.undo_job import Undoable, UndoJob
from bulkwright.store.database import Database, Row
from bulkwright.store.jobs import abort_time
from bulkwright.store.times import from_micros, to_micros
from bulkwright.store.wakeups import Topic


@dataclass(frozen=True, slots=True)
class UndoneResource:
    """One resource of a job that is undone."""

    position: int
    module: str
    columns: tuple[str, ...]
    """The columns of which the former values are kept."""


class UndoStore:
    """Reads and adds undos."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All calls inside commit together, or none of them if the block raises."""
        return self._db.transaction()

    def undoable(self, org_id: int, job_id: int) -> tuple[JobStatus, Undoable] | None:
        """Returns the status of a bulk write, and what shows whether it can be undone.

        None if the org has no such bulk write. Inside `transaction`, no other transaction can
        add an undo of it until that ends.
        """
        row = self._db.one("lock_undone", id=job_id, org_id=org_id)
        if row is None or row["operation"] in ("read", "undo"):
            return None
        resources = self._db.all("undone_resources", id=job_id)
        undo = self._db.one("undo_of_job", id=job_id)
        found = Undoable(
            dry=bool(row["dry"]),
            existing_tables=[r["module"] for r in resources if r["table_name"] is not None],
            lacks_images=any(r["images"] is None for r in resources),
            undo_id=None if undo is None else undo["id"],
            undo_status=None if undo is None else JobStatus(undo["status"]),
        )
        return JobStatus(row["status"]), found

    def add(self, job: UndoJob, *, wake: bool = True, queue_time: datetime | None = None) -> None:
        """Adds an undo; with `wake`, idle workers look for it.

        Its place in the queue is `queue_time`, or the time of its creation.
        """
        with self._db.transaction():
            if wake:
                self._db.wake(Topic.JOBS)
            self._db.run(
                "add_undo_job",
                id=job.id,
                org_id=job.org_id,
                user_id=job.created_by.id,
                user_name=job.created_by.name,
                created_time=to_micros(job.created_time),
                time_zone=job.time_zone,
                callback_url=None if job.callback is None else job.callback.url,
                version=job.version,
                queue_time=to_micros(queue_time or job.created_time),
            )
            self._db.run("add_undo", job_id=job.id, undone_id=job.undone_id, dry_run=job.dry_run)
            self._db.run("add_part", job_id=job.id, resource=0, part=0)

    def release_images(self, org_id: int, job_id: int) -> bool:
        """Releases the images of a bulk write, so that a sweep deletes them.

        False if an undo needs them. Belongs inside `transaction`.
        """
        self._db.all("lock_undone", id=job_id, org_id=org_id)
        if self._db.one("open_undo", id=job_id) is not None:
            return False
        self._db.run("release_images", id=job_id)
        self._db.run("forget_images", id=job_id)
        return True

    def job(self, org_id: int, job_id: int) -> UndoJob | None:
        """Returns an undo of an org in its current state; None for any other job."""
        row = self._db.one("undo_job", id=job_id, org_id=org_id)
        return None if row is None else _job(row)

    def page(self, org_id: int, *, before: int | None, most: int) -> list[UndoJob]:
        """Returns at most `most` undos of an org, newest first.

        With `before`, those whose ids are lower.
        """
        rows = self._db.all("newest_undo_ids", org_id=org_id, before=before, most=most)
        found = (self.job(org_id, row["id"]) for row in rows)
        return [job for job in found if job is not None]

    def resources(self, undone_id: int) -> list[UndoneResource]:
        """Returns the resources of a job that is undone, the last one first."""
        return [
            UndoneResource(row["position"], row["module"], tuple(json.loads(row["images"])))
            for row in self._db.all("undone_resources", id=undone_id)
        ]

    def created_ranges(self, undone_id: int, resource: int) -> Sequence[tuple[int, int]]:
        """Returns the first and the last id of consecutive ids of created records, ascending."""
        rows = self._db.all("created_ranges", job_id=undone_id, resource=resource)
        return [(row["first_id"], row["last_id"]) for row in rows]


def _job(row: Row) -> UndoJob:
    ended = row["finished_time"]
    return UndoJob(
        id=row["id"],
        org_id=row["org_id"],
        undone_id=row["undone_id"],
        dry_run=bool(row["dry_run"]),
        created_by=Person(row["user_id"], row["user_name"]),
        created_time=from_micros(row["created_time"], row["time_zone"]),
        time_zone=row["time_zone"],
        status=JobStatus(row["status"]),
        code=row["code"],
        callback=None if row["callback_url"] is None else Callback(row["callback_url"]),
        counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
        has_result=bool(row["has_result"]),
        result_sha256=row["result_sha256"],
        result_swept=row["result_swept"] is not None,
        ended_time=None if ended is None else from_micros(ended, row["time_zone"]),
        abort_time=abort_time(row),
        version=row["version"],
    )
