"""The store as it is read to be checked: jobs with their ledgers, uploads, records by the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bulkwright.domain.job import JobStatus, LedgerEntry
from bulkwright.domain.module import Module
from bulkwright.domain.outcome import Counts
from bulkwright.domain.upload import CsvFacts
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.clock import from_micros
from bulkwright.store.database import Database
from bulkwright.store.jobs import JobStore
from bulkwright.store.migrate import Seal, seals
from bulkwright.store.modules import ModuleStore
from bulkwright.store.retention import RetentionStore

_PAGE = 200


class StoreUnreadable(Exception):
    """The database cannot be read; the message is the driver's own."""


class Scratch(Database, Protocol):
    """A database that is only read, and room beside it to compare sets in."""

    def many(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a named query for each row, bound in its order; how many rows that changed."""
        ...

    def faults(self) -> list[str]:
        """What the database itself finds wrong with it."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """One resource of a job: what its counters say, and its ledger."""

    position: int
    module: str
    module_id: int
    file_id: int
    file_name: str
    counts: Counts
    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class JobState:
    """A job at one moment."""

    id: int
    org_id: int
    status: JobStatus
    encoding: str | None
    has_result: bool
    swept: bool
    sha256: str | None
    """Of its result."""
    resources: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """An upload as it was acknowledged."""

    id: int
    bytes: int
    sha256: str
    needed: bool
    """Whether an unfinished job needs it."""


@dataclass(frozen=True, slots=True)
class Some:
    """How many records are meant, and the first of them."""

    count: int
    first: int | None


class CheckStore:
    """Reads everything once; no read takes long but that of the whole database."""

    def __init__(self, database: Scratch) -> None:
        self._db = database
        self._jobs = JobStore(database)
        self._modules = ModuleStore(database)
        needs = RetentionStore(database)
        self.upload_known = needs.upload_known
        self.result_needed = needs.result_needed
        self.parts_needed = needs.parts_needed

    def faults(self) -> list[str]:
        """What the database itself finds wrong with it."""
        return self._db.faults()

    def seals(self) -> list[Seal]:
        """The migrations that are not as this program knows them."""
        return seals(self._db)

    def begin(self) -> int:
        """Make room to compare in; returns the id before which every record is told by now."""
        self._db.run("make_told")
        self._db.run("make_named")
        row = self._db.one("next_id")
        return 0 if row is None else int(row["next"])

    def modules(self) -> list[Module]:
        """Every module of every org."""
        orgs = AccountStore(self._db).orgs()
        return [module for org in orgs for module in self._modules.modules(org.id)]

    def job_ids(self) -> Iterator[int]:
        """Every job, oldest first."""
        last = 0
        while page := self._db.all("jobs_after", after=last, most=_PAGE):
            for row in page:
                last = int(row["id"])
                yield last

    def job(self, job_id: int) -> JobState | None:
        """A job with its resources and ledgers, all of one moment."""
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
                swept=row["result_swept"] is not None,
                sha256=row["result_sha256"],
                resources=tuple(self._resources(job_id)),
            )

    def _resources(self, job_id: int) -> Iterator[Written]:
        for row in self._db.all("resources_of", id=job_id):
            yield Written(
                position=row["position"],
                module=row["module"],
                module_id=row["module_id"],
                file_id=row["file_id"],
                file_name=row["file_name"] or "",
                counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
                entries=tuple(self._jobs.ledger(job_id, row["position"])),
            )

    def csv(self, org_id: int, file_id: int, name: str) -> CsvFacts | None:
        """What was seen of a CSV when it was uploaded; None when the upload is gone."""
        upload = self._jobs.upload(org_id, file_id)
        found = [] if upload is None else [csv for csv in upload.csvs if csv.name == name]
        return found[0] if found else None

    def uploads(self) -> Iterator[KeptUpload]:
        """Every upload, oldest first."""
        last = 0
        while page := self._db.all("uploads_after", after=last, most=_PAGE):
            for row in page:
                last = int(row["id"])
                yield KeptUpload(last, row["bytes"], row["sha256"], bool(row["needed"]))

    def tell(self, module: Module, job_id: int, ids: Sequence[int]) -> int:
        """Note that lines of a job say they added these records; how many nobody said before."""
        return self._db.many("tell", ((module.id, i, job_id) for i in ids))

    def untell(self, job_id: int) -> None:
        """Forget what the lines of a job have said, to read them again."""
        self._db.run("untell", job_id=job_id)

    def missing(self, module: Module, ids: Iterable[int]) -> Some:
        """Those of these records that are not in the module's table."""
        self._db.many("name_record", ((i,) for i in ids))
        (row,) = self._db.sql(tables.missing(module))
        self._db.run("forget_named")
        return Some(row["count"], row["first"])

    def untold(self, module: Module, before: int) -> Some | None:
        """Records in the module's table that no line has told of; None where nobody can tell.

        Of records that are older than the newest swept result nobody can, and without the time
        of its creation no record's age is known.
        """
        swept = self._db.one("swept_until")
        if swept is None:
            (row,) = self._db.sql(tables.untold(module, dated=False), (before, module.id))
        elif module.field("Created_Time") is None:
            return None
        else:
            since = f"{from_micros(swept['until'], 'UTC'):%Y-%m-%dT%H:%M:%SZ}"
            values = (before, module.id, since)
            (row,) = self._db.sql(tables.untold(module, dated=True), values)
        return Some(row["count"], row["first"])
