"""Reads a store for `service/check.py`: jobs with their ledgers, uploads, records in sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bulkwright.domain.job import MERGED, JobStatus, LedgerEntry, ResourceStatus
from bulkwright.domain.module import Module
from bulkwright.domain.outcome import Counts
from bulkwright.domain.upload import CsvFacts
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.migrate import MigrationMismatch, mismatches
from bulkwright.store.modules import ModuleStore
from bulkwright.store.retention import RetentionStore
from bulkwright.store.times import from_micros
from bulkwright.store.uploads import UploadStore

_PAGE_ROWS = 200


class StoreUnreadable(Exception):
    """The database cannot be read; the message is that of the driver."""


class ReadonlyDatabase(Database, Protocol):
    """A database that is only read, with temporary tables in which sets are compared."""

    def insert_rows(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Runs a named INSERT into a temporary table for each row; returns how many it added.

        The values of a row bind in their order.
        """
        ...

    def faults(self) -> list[str]:
        """Returns what the database's own check of its data finds."""
        ...


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource of a job with its counters and its ledger."""

    position: int
    module: str
    module_id: int
    file_id: int
    file_name: str
    status: ResourceStatus
    counts: Counts
    entries: tuple[LedgerEntry, ...]
    """The chunks whose lines are whole: of a divided resource, those that are merged."""
    by_part: tuple[tuple[LedgerEntry, ...], ...]
    """The committed chunks of each part."""

    @property
    def is_divided(self) -> bool:
        """Whether it has several parts."""
        return len(self.by_part) > 1


@dataclass(frozen=True, slots=True)
class JobState:
    """A job with its resources at one moment."""

    id: int
    org_id: int
    status: JobStatus
    encoding: str | None
    has_result: bool
    result_swept: bool
    result_sha256: str | None
    resources: tuple[ResourceState, ...]
    """Empty for a bulk read and for an undo."""
    read: tuple[LedgerEntry, ...] | None
    """The chunks of a bulk read or of an undo; None for a bulk write."""
    dry: bool
    """Whether it has stored nothing."""


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """An upload as it was acknowledged."""

    id: int
    bytes: int
    sha256: str
    needed: bool
    """Whether an unfinished job needs it."""


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """How many records a check has found, and the smallest id of them."""

    count: int
    first: int | None


class CheckStore:
    """Reads what the check compares. `faults` takes long, because it reads the whole database."""

    def __init__(self, database: ReadonlyDatabase) -> None:
        self._db = database
        self._uploads = UploadStore(database)
        self._ledger = LedgerStore(database)
        self._modules = ModuleStore(database)
        retention = RetentionStore(database)
        self.upload_known = retention.upload_known
        self.result_needed = retention.result_needed
        self.pieces_needed = retention.pieces_needed

    def faults(self) -> list[str]:
        """Returns what the database's own check of its data finds."""
        return self._db.faults()

    def mismatches(self) -> list[MigrationMismatch]:
        """Returns the migrations that differ from those of this program."""
        return mismatches(self._db)

    def id(self) -> str:
        """Returns the id of the database, by which a file area knows its owner."""
        row = self._db.one("deployment")
        return "" if row is None else str(row["id"])

    def begin(self) -> int:
        """Creates the temporary tables; returns the next id that will be given.

        Records with this or a greater id are written while the check runs.
        """
        self._db.run("create_reported")
        self._db.run("create_named")
        row = self._db.one("next_id")
        return 0 if row is None else int(row["next"])

    def modules(self) -> list[Module]:
        """Returns every module of every org."""
        orgs = AccountStore(self._db).orgs()
        return [module for org in orgs for module in self._modules.modules(org.id)]

    def job_ids(self) -> Iterator[int]:
        """Returns the ids of all jobs, oldest first."""
        last = 0
        while page := self._db.all("jobs_after", after=last, most=_PAGE_ROWS):
            for row in page:
                last = int(row["id"])
                yield last

    def job(self, job_id: int) -> JobState | None:
        """Returns a job with its resources and ledgers at one moment; None if it is deleted."""
        with self._db.transaction():
            row = self._db.one("any_job", id=job_id)
            if row is None:
                return None
            return JobState(
                id=row["id"],
                org_id=row["org_id"],
                status=JobStatus(row["status"]),
                encoding=row["character_encoding"],
                has_result=bool(row["has_result"]),
                result_swept=row["result_swept"] is not None,
                result_sha256=row["result_sha256"],
                resources=tuple(self._resources(job_id)),
                read=tuple(self._ledger.entries(job_id, 0))
                if row["operation"] in ("read", "undo")
                else None,
                dry=bool(row["dry"]),
            )

    def _resources(self, job_id: int) -> Iterator[ResourceState]:
        for row in self._db.all("resources_of", id=job_id):
            position, parts = row["position"], row["parts"] or 1
            whole = MERGED if parts > 1 else 0
            yield ResourceState(
                position=position,
                module=row["module"],
                module_id=row["module_id"],
                file_id=row["file_id"],
                file_name=row["file_name"] or "",
                status=ResourceStatus(row["status"]),
                counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
                entries=tuple(self._ledger.entries(job_id, position, whole)),
                by_part=tuple(
                    tuple(self._ledger.entries(job_id, position, part)) for part in range(parts)
                ),
            )

    def csv(self, org_id: int, file_id: int, name: str) -> CsvFacts | None:
        """Returns what was read of a CSV when it was uploaded; None if the upload is deleted."""
        upload = self._uploads.upload(org_id, file_id)
        found = [] if upload is None else [csv for csv in upload.csvs if csv.name == name]
        return found[0] if found else None

    def uploads(self) -> Iterator[StoredUpload]:
        """Returns all uploads, oldest first."""
        last = 0
        while page := self._db.all("uploads_after", after=last, most=_PAGE_ROWS):
            for row in page:
                last = int(row["id"])
                yield StoredUpload(last, row["bytes"], row["sha256"], bool(row["needed"]))

    def mark_reported(self, module: Module, job_id: int, ids: Sequence[int]) -> int:
        """Records that result lines of a job report these records as added.

        Returns how many of them no line has reported before.
        """
        rows = ((module.id, record_id, job_id) for record_id in ids)
        return self._db.insert_rows("mark_reported", rows)

    def forget_reported(self, job_id: int) -> None:
        """Deletes what was recorded of a job, so that its lines can be read again."""
        self._db.run("forget_reported", job_id=job_id)

    def find_missing(self, module: Module, ids: Iterable[int]) -> FoundRecords:
        """Counts the given records that are not in the module's table."""
        self._db.insert_rows("name_record", ((record_id,) for record_id in ids))
        (row,) = self._db.sql(tables.find_missing(module), (module.id,))
        self._db.run("forget_named")
        return FoundRecords(row["count"], row["first"])

    def find_unreported(self, module: Module, before: int) -> FoundRecords | None:
        """Counts the records with an id under `before` that no result line reports.

        Lines of swept results are gone. So only records that are younger than the newest swept
        result count; None if a result was swept and the module stores no creation time.
        """
        swept = self._db.one("swept_until")
        values: tuple[object, ...] = (before, module.id, module.id)
        if swept is None:
            (row,) = self._db.sql(tables.find_unreported(module, dated=False), values)
        elif module.field("Created_Time") is None:
            return None
        else:
            since = f"{from_micros(swept['until'], 'UTC'):%Y-%m-%dT%H:%M:%SZ}"
            values = (*values, since)
            (row,) = self._db.sql(tables.find_unreported(module, dated=True), values)
        return FoundRecords(row["count"], row["first"])
