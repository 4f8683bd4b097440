"""Jobs with their resources. Their claims are in `claims.py`, their chunks in `ledger.py`."""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.job import (
    Callback,
    FieldMapping,
    Job,
    JobStatus,
    Operation,
    Person,
    Priority,
    Resource,
    ResourceStatus,
)
from bulkwright.domain.job_filter import JobFilter
from bulkwright.domain.outcome import Counts
from bulkwright.domain.reading import Reading
from bulkwright.store.database import Database, Row
from bulkwright.store.parts import split_of
from bulkwright.store.readings import reading_from, reading_json
from bulkwright.store.times import from_micros, to_micros
from bulkwright.store.wakeups import Topic


class JobStore:
    """Reads and adds jobs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All calls inside commit together, or none of them if the block raises."""
        return self._db.transaction()

    def add(self, job: Job, *, wake: bool = True) -> None:
        """Adds a job with its resources, all or none; with `wake`, idle workers look for it."""
        with self._db.transaction():
            if wake:
                self._db.wake(Topic.JOBS)
            self._db.run(
                "add_job",
                id=job.id,
                org_id=job.org_id,
                user_id=job.created_by.id,
                user_name=job.created_by.name,
                operation=job.operation.value,
                created_time=to_micros(job.created_time),
                time_zone=job.time_zone,
                character_encoding=job.character_encoding,
                ignore_empty=job.ignore_empty,
                callback_url=None if job.callback is None else job.callback.url,
                fingerprint=job.fingerprint,
                version=job.version,
                stop_after=None if job.error_limit is None else job.error_limit.rows,
                stop_after_percent=None if job.error_limit is None else job.error_limit.percent,
                dry=job.dry,
                priority=job.priority.value,
                all_or_nothing=job.all_or_nothing,
                queue_time=to_micros(job.queue_time),
            )
            for position, resource in enumerate(job.resources):
                self._db.run(
                    "add_resource",
                    job_id=job.id,
                    position=position,
                    module=resource.module,
                    module_id=resource.module_id,
                    file_id=resource.file_id,
                    file_name=resource.file_name,
                    find_by=resource.find_by,
                    ignore_empty=resource.ignore_empty,
                    auto_mapped=resource.auto_mapped,
                    mappings=json.dumps([asdict(m) for m in resource.mappings]),
                    reading=reading_json(resource.reading),
                )

    def job(self, org_id: int, job_id: int) -> Job | None:
        """Returns a bulk write of an org in its current state; None for a job of another org."""
        rows = self._db.all("job", id=job_id, org_id=org_id)
        return _job(rows) if rows else None

    def unprocessed(self, job_id: int) -> int:
        """Returns how many rows the result of a job that has failed lists as UNPROCESSED."""
        row = self._db.one("unprocessed_rows", job_id=job_id)
        assert row is not None
        return int(row["row_count"])

    def newest(self, org_id: int, most: int) -> list[int]:
        """Returns the ids of at most `most` bulk writes and reads of an org, newest first."""
        return [row["id"] for row in self._db.all("newest_job_ids", org_id=org_id, most=most)]

    def page(self, org_id: int, wanted: JobFilter, *, before: int | None, most: int) -> list[Job]:
        """Returns at most `most` jobs of an org that a filter matches, newest first.

        With `before`, the jobs whose ids are lower.
        """
        rows = self._db.all(
            "job_ids",
            org_id=org_id,
            status=wanted.status and wanted.status.value,
            operation=wanted.operation and wanted.operation.value,
            module=wanted.module,
            file=None if wanted.file is None else _containing(wanted.file),
            user_id=wanted.user_id,
            since=wanted.since and to_micros(wanted.since),
            until=wanted.until and to_micros(wanted.until),
            before=before,
            most=most,
        )
        found = (self.job(org_id, row["id"]) for row in rows)
        return [job for job in found if job is not None]

    def count_open(self, org_id: int, most: int) -> int:
        """Returns how many jobs of an org have not ended; it counts no more than `most`."""
        row = self._db.one("open_jobs_of_org", org_id=org_id, most=most)
        assert row is not None
        return int(row["jobs"])

    def count_before(self, job: Job) -> int:
        """Returns how many jobs of its org that were not begun come before a job."""
        at = {"org_id": job.org_id, "id": job.id, "queue_time": to_micros(job.queue_time)}
        row = self._db.one("jobs_before", **at)
        assert row is not None
        return int(row["jobs"])

    def find_unfinished(self, org_id: int, fingerprint: str) -> int | None:
        """Returns the id of the job with this fingerprint whose end was not reported yet."""
        row = self._db.one("job_by_fingerprint", org_id=org_id, fingerprint=fingerprint)
        return None if row is None else int(row["id"])

    def lock_fingerprint(self, fingerprint: str) -> None:
        """Waits for other transactions that lock the same fingerprint, then keeps them waiting."""
        self._db.run("lock_fingerprint", fingerprint=fingerprint)

    def last_of_file(self, org_id: int, module: str, file_id: int) -> Job | None:
        """Returns the newest other job that wrote an equal file into the same module, or None."""
        row = self._db.one("last_job_of_file", org_id=org_id, module=module, file_id=file_id)
        return None if row is None else self.job(org_id, row["id"])

    def mark_reported(self, job_id: int) -> None:
        """Records that the job's end was reported: the same file again is a new job."""
        self._db.run("clear_fingerprint", id=job_id)


def _job(rows: list[Row]) -> Job:
    row = rows[0]
    ignore_empty, ended = row["ignore_empty"], row["finished_time"]
    return Job(
        id=row["id"],
        org_id=row["org_id"],
        operation=Operation(row["operation"]),
        created_by=Person(row["user_id"], row["user_name"]),
        created_time=from_micros(row["created_time"], row["time_zone"]),
        time_zone=row["time_zone"],
        resources=tuple(_resource(r) for r in rows),
        status=JobStatus(row["status"]),
        code=row["code"],
        character_encoding=row["character_encoding"],
        ignore_empty=None if ignore_empty is None else bool(ignore_empty),
        callback=None if row["callback_url"] is None else Callback(row["callback_url"]),
        has_result=bool(row["has_result"]),
        result_sha256=row["result_sha256"],
        result_swept=row["result_swept"] is not None,
        fingerprint=row["fingerprint"],
        version=row["version"],
        ended_time=None if ended is None else from_micros(ended, row["time_zone"]),
        abort_time=abort_time(row),
        error_limit=_error_limit(row),
        dry=bool(row["dry"]),
        priority=Priority(row["priority"]),
        all_or_nothing=bool(row["all_or_nothing"]),
        ending=row["ending"],
        undo_id=row["undo_id"],
    )


def _error_limit(row: Row) -> ErrorLimit | None:
    rows, percent = row["stop_after"], row["stop_after_percent"]
    return None if rows is None and percent is None else ErrorLimit(rows, percent)


def abort_time(row: Row) -> datetime | None:
    """Returns when the abort of the job of a row was requested."""
    time = row["abort_time"]
    return None if time is None else from_micros(time, row["time_zone"])


def _resource(row: Row) -> Resource:
    return Resource(
        module=row["module"],
        module_id=row["module_id"],
        file_id=row["file_id"],
        mappings=_mappings(row["mappings"]),
        find_by=row["find_by"],
        ignore_empty=bool(row["resource_ignore_empty"]),
        auto_mapped=bool(row["auto_mapped"]),
        status=ResourceStatus(row["resource_status"]),
        code=row["resource_code"],
        file_name=row["file_name"],
        counts=Counts(row["added"], row["updated"], row["skipped"], row["unchanged"]),
        reading=_reading(row),
        split=split_of(row),
        stopped=bool(row["stopped"]),
    )


def _reading(row: Row) -> Reading | None:
    stored = reading_from(row["reading"])
    if stored is None:
        return None
    return stored.with_stray_quotes(row["stray_quotes"], row["first_stray_quote"])


@lru_cache(maxsize=1024)
def _mappings(text: str) -> tuple[FieldMapping, ...]:
    # Cached, because clients query the same job again and again while it runs.
    return tuple(FieldMapping(**m) for m in json.loads(text))


def _containing(text: str) -> str:
    """The pattern of LIKE that matches what contains a text; `!` makes a sign literal."""
    return "%" + re.sub("[!%_]", r"!\g<0>", text) + "%"
