"""Jobs, their uploads, their leases and the ledger of their chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import (
    Callback,
    Job,
    JobStatus,
    Lease,
    LedgerEntry,
    Mapping,
    Operation,
    Part,
    Person,
    Resource,
)
from bulkwright.domain.outcome import Counts
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.store.clock import LEASE_MICROS, from_micros, lease_now, lease_times, now, to_micros
from bulkwright.store.database import Database, Row
from bulkwright.store.outbox import OutboxStore


class JobStore:
    """Everything a job is, but for the records it writes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Uploads

    def add_upload(self, upload: Upload, user_id: int) -> None:
        """Acknowledge an upload."""
        self._db.run(
            "add_upload",
            id=upload.id,
            org_id=upload.org_id,
            user_id=user_id,
            name=upload.name,
            bytes=upload.bytes,
            sha256=upload.sha256,
            created_time=to_micros(upload.created_time),
            csv=json.dumps([asdict(csv) for csv in upload.csvs]),
            problem=upload.problem,
        )

    def upload(self, org_id: int, upload_id: int) -> Upload | None:
        """One upload of an org."""
        row = self._db.one("upload", org_id=org_id, id=upload_id)
        return None if row is None else _upload(row)

    def hold_upload(self, org_id: int, upload_id: int) -> bool:
        """Whether an upload is there; no sweep takes it before this transaction has ended."""
        return self._db.one("hold_upload", org_id=org_id, id=upload_id) is not None

    # Jobs

    def together(self) -> AbstractContextManager[None]:
        """What is read and written inside happens at one moment, or not at all."""
        return self._db.transaction()

    def add(self, job: Job) -> None:
        """Add a job with its resources, all or none."""
        with self._db.transaction():
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
                )

    def job(self, org_id: int, job_id: int) -> Job | None:
        """One job of an org as it stands now; another org's job is None like any other."""
        rows = self._db.all("job", id=job_id, org_id=org_id)
        return _job(rows) if rows else None

    def newest(self, org_id: int, most: int) -> list[Job]:
        """The newest jobs of an org, newest first."""
        ids = [row["id"] for row in self._db.all("job_ids", org_id=org_id, most=most)]
        return [job for job in (self.job(org_id, i) for i in ids) if job is not None]

    def untold(self, org_id: int, fingerprint: str) -> int | None:
        """The id of the job that was begun with this fingerprint and whose end nobody was told."""
        row = self._db.one("job_by_fingerprint", org_id=org_id, fingerprint=fingerprint)
        return None if row is None else int(row["id"])

    def told(self, job_id: int) -> None:
        """Whoever began the job knows its end: the same file again is a new job."""
        self._db.run("forget_fingerprint", id=job_id)

    # A worker's claim

    def claim(self, holder: str, only: int | None = None) -> tuple[Lease, Job, int] | None:
        """Claim a free job: its lease, the job, and the number of this attempt.

        Orgs take turns, those with the highest priority first; of an org it is the oldest job.
        None when there is nothing to do. A free job is new, or its last lease has run out.
        """
        with self._db.transaction():
            # The clock is looked at with SQLite's lock in hand: no lease can be younger than this.
            row = self._db.one("claim_job", holder=holder, only=only, **lease_times())
            if row is None:
                return None
            self._db.run("serve_org", id=row["org_id"], now=now())
        job = self.job(row["org_id"], row["id"])
        assert job is not None
        return Lease(job.id, row["lease_token"], holder), job, int(row["attempts"])

    def renew(self, lease: Lease) -> None:
        """Hold a claim for another lease time. Raises LeaseLost when it is no longer held."""
        self._held(self._db.one("renew_lease", id=lease.job_id, token=lease.token, **lease_times()))

    def release(self, lease: Lease, *, counted: bool = True) -> None:
        """Give a claim back so that another worker may go on at once.

        Not `counted`, it was no try of the job's.
        """
        self._give_back(lease, 0, counted=counted)

    def put_off(self, lease: Lease, *, counted: bool) -> bool:
        """Give a claim back for another one in a lease's time; until then others have their turn.

        Not `counted`, it was no try of the job's. False when somebody else keeps the job from
        being changed: to be tried again.
        """
        if self._give_back(lease, LEASE_MICROS, counted=counted):
            return True
        return self._db.one("has_lease", id=lease.job_id, token=lease.token) is None

    def _give_back(self, lease: Lease, pause: int, *, counted: bool) -> bool:
        given = self._db.one(
            "release_lease",
            id=lease.job_id,
            token=lease.token,
            now=lease_now(),
            pause=pause,
            uncounted=0 if counted else 1,
        )
        return given is not None

    def end_leases(self, holder: str) -> None:
        """Void the claims of a worker that is known to be dead, before they run out."""
        self._db.run("end_leases", holder=holder)

    def end_stalled(self) -> None:
        """Break off workers that were stopped in the middle of a statement, and hold others up."""
        self._db.all("end_stalled")

    def holders(self) -> list[str]:
        """The workers that hold claims."""
        return [row["lease_holder"] for row in self._db.all("lease_holders")]

    def holder(self, job_id: int) -> str | None:
        """Which worker claimed a job last."""
        row = self._db.one("lease_holder", id=job_id)
        return None if row is None else row["lease_holder"]

    @contextmanager
    def chunk(self, lease: Lease) -> Iterator[None]:
        """One chunk: everything inside commits together, if the lease is still held.

        Raises LeaseLost before anything was changed when it is not.
        """
        with self._db.transaction():
            self._held(
                self._db.one("hold_job", id=lease.job_id, token=lease.token, **lease_times())
            )
            yield

    def begin(self, lease: Lease, encoding: str) -> None:
        """Processing has started, in this character encoding."""
        with self.chunk(lease):
            self._db.run("set_encoding", id=lease.job_id, encoding=encoding)

    def enter(self, lease: Lease, entry: LedgerEntry) -> None:
        """Enter a chunk into the ledger and add to the counters; to be called inside `chunk`."""
        counts = {
            "added": entry.counts.added,
            "updated": entry.counts.updated,
            "skipped": entry.counts.skipped,
        }
        self._db.run(
            "add_ledger",
            job_id=lease.job_id,
            resource=entry.resource,
            chunk=entry.chunk,
            first_row=entry.first_row,
            row_count=entry.rows,
            resume_text=entry.resume_text,
            resume_row=entry.resume_row,
            part_name=entry.part.name,
            part_deflated=entry.part.deflated_bytes,
            part_plain=entry.part.plain_bytes,
            part_crc=entry.part.crc32,
            **counts,
        )
        if entry.counts.total:
            # Rows that are only listed as UNPROCESSED are no progress: were they, a job that is
            # being given up could be taken up again in the middle of it.
            self._db.run("progress_job", id=lease.job_id)
        self._db.run("count_rows", job_id=lease.job_id, position=entry.resource, **counts)

    def ledger(self, job_id: int, resource: int) -> list[LedgerEntry]:
        """The committed chunks of a resource, in file order."""
        return [_entry(row) for row in self._db.all("ledger", job_id=job_id, resource=resource)]

    def finish(
        self,
        lease: Lease,
        status: JobStatus,
        *,
        code: str | None,
        has_result: bool,
        result_sha256: str | None = None,
    ) -> None:
        """End a job, and see to it that its callback is told; both or neither.

        Raises LeaseLost when the claim is no longer held.
        """
        with self._db.transaction():
            ended = self._held(
                self._db.one(
                    "finish_job",
                    id=lease.job_id,
                    token=lease.token,
                    status=status.value,
                    code=code,
                    has_result=has_result,
                    result_sha256=result_sha256,
                    now=now(),
                )
            )
            if ended["callback_url"] is not None:
                OutboxStore(self._db).add(ended["org_id"], lease.job_id, ended["callback_url"])
            self._db.run("forget_parents", job_id=lease.job_id)
            self._db.run("finish_resources", id=lease.job_id, status=status.value, code=code)

    @staticmethod
    def _held(row: Row | None) -> Row:
        if row is None:
            raise LeaseLost
        return row


def _upload(row: Row) -> Upload:
    csvs: list[dict[str, Any]] = json.loads(row["csv"])
    return Upload(
        id=row["id"],
        org_id=row["org_id"],
        name=row["name"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        created_time=from_micros(row["created_time"], "UTC"),
        csvs=tuple(CsvFacts(**{**csv, "header": tuple(csv["header"])}) for csv in csvs),
        problem=row["problem"],
    )


def _job(rows: list[Row]) -> Job:
    row = rows[0]
    ignore_empty = row["ignore_empty"]
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
    )


def _resource(row: Row) -> Resource:
    return Resource(
        module=row["module"],
        module_id=row["module_id"],
        file_id=row["file_id"],
        mappings=_mappings(row["mappings"]),
        find_by=row["find_by"],
        ignore_empty=bool(row["resource_ignore_empty"]),
        auto_mapped=bool(row["auto_mapped"]),
        status=JobStatus(row["resource_status"]),
        code=row["resource_code"],
        file_name=row["file_name"],
        counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
    )


def _entry(row: Row) -> LedgerEntry:
    return LedgerEntry(
        resource=row["resource"],
        chunk=row["chunk"],
        first_row=row["first_row"],
        rows=row["row_count"],
        counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
        resume_text=row["resume_text"],
        resume_row=row["resume_row"],
        part=Part(row["part_name"], row["part_deflated"], row["part_plain"], row["part_crc"]),
    )


@lru_cache(maxsize=1024)
def _mappings(text: str) -> tuple[Mapping, ...]:
    # Kept, for clients ask for the same job again and again while it runs.
    return tuple(Mapping(**m) for m in json.loads(text))
