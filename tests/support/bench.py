"""A workbench for engine tests: jobs run in this process, through one driver, on real files.

`Bench.run` takes a CSV the way of any other: zipped, received, asked for, claimed and run. What
comes back is the job as it ended, the result's rows as a client reads them, and the records.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.uploads import zipped

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import FieldMapping, Job, Operation
from bulkwright.domain.module import Module
from bulkwright.domain.read_job import ReadJob, ReadQuery, ReadRequest
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.events.events import Event, JobAttemptFailed
from bulkwright.runtime.worker import Worker, open_worker
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store import tables
from bulkwright.zoho.present.records import record as present_record

EMAIL = "patricia.boyle@zylker.example"
AT_ONCE = 3
"""Parts for which a worker has sessions of the database."""
"""Of the only user, in whose name all jobs run."""


@dataclass(frozen=True)
class Done:
    """A job that has ended, and its result as a client reads it."""

    job: Job
    member: str
    """Name of the CSV in the result zip."""
    text: str
    """That CSV."""
    header: list[str]
    rows: list[dict[str, str]]

    @property
    def statuses(self) -> list[str]:
        """STATUS of each row."""
        return [row["STATUS"] for row in self.rows]

    @property
    def errors(self) -> list[str]:
        """ERRORS of each row."""
        return [row["ERRORS"] for row in self.rows]

    @property
    def ids(self) -> list[int | None]:
        """RECORD_ID of each row."""
        return [int(row["RECORD_ID"]) if row["RECORD_ID"] else None for row in self.rows]

    @property
    def outcome(self) -> list[str]:
        """What became of each row, in one word: `ADDED`, or the errors of a skipped one.

        Only a skipped row has errors; an added or updated one has the id of its record.
        """
        for row in self.rows:
            assert (row["STATUS"] == "SKIPPED") == bool(row["ERRORS"]), row
            assert (row["STATUS"] in ("ADDED", "UPDATED")) == bool(row["RECORD_ID"]), row
        return [row["ERRORS"] or row["STATUS"] for row in self.rows]


class Bench:
    """Services and a worker over one data folder with one org and one user."""

    def __init__(self, services: Services, worker: Worker, events: list[Event]) -> None:
        self.services = services
        self.worker = worker
        self.events = events
        orgs = services.accounts.orgs()
        if not orgs:
            org = services.setup.create_org("Zylker", time_zone="America/Los_Angeles")
            services.setup.create_user(org, "Patricia", "Boyle", EMAIL)
            orgs = [org]
        self.org = orgs[0]
        self.user = services.accounts.users(self.org.id)[0]
        self.caller = Caller(self.org.id, self.user.id, scope.normalise(scope.EVERY))

    def upload(self, content: str | bytes, name: str = "rows.csv") -> int:
        """Upload a zip with this CSV; the file's id."""
        with self.services.files.incoming() as incoming:
            incoming.write(zipped(content, name))
            return self.services.uploads.receive(self.caller, f"{name}.zip", incoming).id

    def create(
        self,
        content: str | bytes,
        module: str = "Leads",
        operation: str = "insert",
        *,
        mappings: Sequence[FieldMapping] | None = None,
        find_by: str | None = None,
        ignore_empty: bool = False,
        encoding: str | None = None,
        name: str = "rows.csv",
    ) -> Job:
        """Upload a CSV and add a job for it; without mappings the header names the fields."""
        resource = ResourceRequest(
            module,
            str(self.upload(content, name)),
            None if mappings is None else tuple(mappings),
            find_by,
            ignore_empty,
        )
        request = JobRequest(Operation(operation), (resource,), encoding)
        return self.services.jobs.create(self.caller, request)

    def run(
        self,
        content: str | bytes,
        module: str = "Leads",
        operation: str = "insert",
        *,
        chunk_rows: int | None = None,
        chunk_bytes: int | None = None,
        **more: Any,
    ) -> Done:
        """Run a job on a CSV to its end, in chunks of any size."""
        job = self.create(content, module, operation, **more)
        self.events.clear()
        with self.chunks(chunk_rows, chunk_bytes):
            assert self.worker.run_one(job.id)
        for event in self.events:
            if isinstance(event, JobAttemptFailed):
                raise event.error
        return self.done(job.id)

    def done(self, job_id: int) -> Done:
        """The job as it is, and its result."""
        job = self.services.jobs.details(self.org.id, job_id)
        result = self.services.jobs.open_result(self.org.id, job_id)
        with result, zipfile.ZipFile(result) as archive:
            assert archive.testzip() is None
            (member,) = archive.namelist()
            text = archive.read(member).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        # Columns by name; the last three win where a header bears one of their names.
        return Done(job, member, text, header, [dict(zip(header, r, strict=True)) for r in rows])

    def read(
        self, module: str = "Leads", *, chunk_rows: int | None = None, **query: Any
    ) -> tuple[ReadJob, list[dict[str, str]]]:
        """Run a bulk read to its end, in chunks of any size: its job, and the rows of its CSV."""
        continues = query.pop("continues", None)
        wanted = ReadRequest(module, ReadQuery(**query), continues)
        job = self.services.reads.create(self.caller, wanted)
        with self.chunks(chunk_rows):
            assert self.worker.run_one(job.id)
        failed = [e for e in self.events if isinstance(e, JobAttemptFailed)]
        assert not failed, failed[0].error
        return self.services.reads.details(self.org.id, job.id), self.exported(job.id)

    def exported(self, job_id: int) -> list[dict[str, str]]:
        """The rows of the CSV of a bulk read."""
        file, _ = self.services.reads.open_result_to_send(self.org.id, job_id)
        with file, zipfile.ZipFile(file) as archive:
            assert archive.namelist() == [f"{job_id}.csv"]
            text = archive.read(f"{job_id}.csv").decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    @contextmanager
    def parts(self, most: int, at_once: int = 1) -> Iterator[None]:
        """Let the worker divide jobs into up to `most` parts, and run several `at_once`.

        On SQLite, which has one connection for records, it runs one after the other.
        """
        before = self.worker._ctx
        at_once = at_once if self.services.database.dialect == "postgres" else 1
        self.worker._ctx = replace(before, most_parts=most, parts_at_once=at_once)
        try:
            yield
        finally:
            self.worker._ctx = before

    @contextmanager
    def chunks(self, rows: int | None = None, size: int | None = None) -> Iterator[None]:
        """Let the worker cut chunks of `rows` rows, or of `size` bytes."""
        before = self.worker._ctx
        shop = before if rows is None else replace(before, chunk_rows=rows)
        self.worker._ctx = shop if size is None else replace(shop, chunk_bytes=size)
        try:
            yield
        finally:
            self.worker._ctx = before

    def module(self, name: str) -> Module:
        """A module as it is now."""
        found = self.services.modules.module(self.org.id, name)
        assert found is not None
        return found

    def records(self, module: str = "Leads") -> list[dict[str, Any]]:
        """All records as they are stored, in id order."""
        rows = self.services.database.sql(tables.page(self.module(module)), (0, 10_000))
        return [dict(row) for row in rows]

    def stored(self, record_id: int | None, module: str = "Leads") -> dict[str, Any]:
        """One record as it is stored."""
        assert record_id is not None
        (row,) = self.services.database.sql(tables.by_id(self.module(module)), (record_id,))
        return dict(row)

    def shown(self, record_id: int, module: str = "Leads") -> dict[str, Any]:
        """One record as the record API shows it."""
        record = self.services.records.record(self.caller, module, record_id)
        assert record is not None
        return dict(present_record(record)["data"][0])

    def apply(self, *modules: dict[str, Any]) -> None:
        """Add modules and fields to the schema."""
        self.services.schema.apply(self.org.id, {"modules": list(modules)})

    def things(self, *fields: dict[str, Any], name: str = "Things") -> None:
        """Make a module with a mandatory `Name` and these fields."""
        label = {"api_name": "Name", "data_type": "text", "system_mandatory": True}
        self.apply(
            {
                "api_name": name,
                "singular_label": name,
                "plural_label": name,
                "fields": [label, *fields],
            }
        )


@contextmanager
def opened(data: Path, database: str = "") -> Iterator[Bench]:
    """A bench over a data folder, or a database; an empty one gets its org and user."""
    events: list[Event] = []
    settings = Settings(data, database=database, parts_at_once=AT_ONCE)
    with open_worker(settings, events.append) as (services, worker):
        worker._ctx = replace(worker._ctx, parts_at_once=1, short_jobs_beside=False)
        yield Bench(services, worker, events)
