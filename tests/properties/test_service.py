"""The whole service as a state machine: after every step it agrees with the model.

Two orgs upload files, create jobs, poll and download. Two workers process chunks of any size, are
killed at any seam, are paused past their lease, and start again. After every step the records, the
counters and the results are those of the model: a list of records for each org, on which the rows
of committed chunks are processed one after the other.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.properties.model import Model, Request, cells
from tests.properties.stage import INSIDE, WORKERS, Hook, Killed, Stage
from tests.support.effort import tries
from tests.support.uploads import zipped

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, ClientKind, OAuthClient
from bulkwright.domain.errors import (
    InvalidFileId,
    InvalidToken,
    LinkNotValid,
    MandatoryFieldsNotMapped,
    ResourceNotFound,
)
from bulkwright.domain.job import FieldMapping, JobStatus, Operation
from bulkwright.domain.limits import CHUNK_TEXT_BYTES, JOB_ATTEMPTS, LEASE_SECONDS
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.events.events import JobAttemptFailed, JobEnded, LeaseGone
from bulkwright.runtime.worker import open_worker
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store import tables

FIELDS = ("Last_Name", "Email", "Code", "Serial", "City")
CELLS = {
    "id": ["0", "1", "2", "3", "7", "", "x"],
    "Last_Name": ["A", "B", "C", "", "D"],
    "Email": ["x@e.example", "X@E.example ", "y@e.example", "z@e.example", "", "bad"],
    "Code": ["c1", "C1 ", "c2", "c3", "ß", "SS", ""],
    "Serial": ["1", "01", "2", "3", "4", "", "no"],
    "City": ["P", 'Q "q"', "two\nlines", ""],
}
DEFAULTS = {"Last_Name": "D", "Email": "d@e.example", "Serial": "9", "City": "R"}
LEASE = int(LEASE_SECONDS * 1_000_000)
SIZES = st.sampled_from([CHUNK_TEXT_BYTES, 40, 1])
ROWS = st.sampled_from([1, 2, 3, 1000])
DEATHS = st.integers(0, 14)


@dataclass(eq=False)
class JobState:
    """A job and its state in the model."""

    org: int
    id: int
    request: Request
    known: int
    """The number of records when its file was made."""
    outcome: list[str] = field(default_factory=list)
    """The outcomes of the rows whose chunks are committed."""
    touched: list[int | None] = field(default_factory=list)
    listed: int = 0
    """The number of rows reported as UNPROCESSED."""
    status: JobStatus = JobStatus.ADDED
    attempts: int = 0
    free_at: int = 0
    """The time at which its lease expires."""
    result: bytes | None = None


@dataclass(frozen=True, eq=False)
class Sent:
    """An acknowledged upload."""

    org: int
    id: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    known: int


@dataclass(eq=False)
class Key:
    """An access token."""

    org: int
    text: str
    revoked: bool = False


def nothing(_seam: str) -> None:
    """Do nothing at a seam."""


class ServiceMachine(RuleBasedStateMachine):
    """See the docstring of the module."""

    keys, uploads, jobs = Bundle("keys"), Bundle("uploads"), Bundle("jobs")

    def __init__(self, template: Path, clients: list[OAuthClient]) -> None:
        super().__init__()
        self.room = TemporaryDirectory(prefix="bulkwright-")
        self.stage = Stage(template, Path(self.room.name))
        self.clients = {client.org_id: client for client in clients}
        self.models = {org: Model() for org in self.clients}
        self.ids: dict[int, list[int]] = {org: [] for org in self.clients}
        """The ids of the records of each org, in the order of the model."""
        self.issued: set[int] = set()
        """Every id that was ever returned."""
        self.asked: list[JobState] = []
        self.revoked = False

    def teardown(self) -> None:
        """At the end, every job can be finished, and the database is intact."""
        try:
            self.stage.moment += LEASE
            for job in self.asked:
                for _ in range(JOB_ATTEMPTS):
                    self.work("a", job, nothing)
                assert job.status.is_final
            self.everything_agrees_with_the_model()
            (checked,) = self.stage.api.database.sql("PRAGMA integrity_check")
            assert checked["integrity_check"] == "ok"
        finally:
            self.stage.close()
            self.room.cleanup()

    # Requests of clients

    @initialize(target=keys)
    def issue_both(self) -> object:
        """Issue a token for each of the orgs."""
        return multiple(*map(self.issued_to, self.clients))

    @precondition(lambda self: self.revoked)
    @rule(target=keys, second=st.booleans())
    def issue(self, second: bool) -> Key:
        """Issue a new token."""
        return self.issued_to(list(self.clients)[second])

    @precondition(lambda self: len(self.asked) > 1)
    @rule(key=keys)
    def revoke(self, key: Key) -> None:
        """Revoke a token; the jobs that were created with it stay."""
        self.stage.api.tokens.revoke(key.text)
        key.revoked = self.revoked = True

    @rule(target=uploads, key=keys, data=st.data(), death=st.integers(0, 9))
    def upload(self, key: Key, data: st.DataObject, death: int) -> object:
        """Receive a file, or kill the service during the upload."""
        caller = self.caller(key)
        if caller is None:
            return multiple()
        named = data.draw(st.sets(st.sampled_from(["id", *FIELDS[1:]]), min_size=1))
        if data.draw(st.integers(0, 9)):
            named.add("Last_Name")
        columns = tuple(data.draw(st.permutations(sorted(named))))
        row = st.tuples(*(st.sampled_from(CELLS[name]) for name in columns))
        rows = tuple(data.draw(st.lists(row, max_size=7)))
        out = io.StringIO(newline="")
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(columns)
        for cells_ in rows:
            pairs = zip(columns, cells_, strict=True)
            writer.writerow(self.with_id(key.org, c) if n == "id" else c for n, c in pairs)
        packed = zipped(out.getvalue(), "rows.csv")
        services = self.stage.upload(self.kill_at(death))
        try:
            with services.files.incoming() as incoming:
                incoming.write(packed)
                file_id = services.uploads.receive(caller, "rows.zip", incoming).id
        except Killed as death:
            event(f"killed {death}")
            self.stage.revive()
            return multiple()
        self.is_new(file_id)
        return Sent(key.org, file_id, columns, rows, len(self.ids[key.org]))

    @rule(target=jobs, key=keys, sent=uploads, data=st.data())
    def create(self, key: Key, sent: Sent, data: st.DataObject) -> object:
        """Create a job."""
        caller = self.caller(key)
        if caller is None:
            return multiple()
        operation = data.draw(st.sampled_from(["insert", "update", "upsert"]))
        keys = [name for name in ("Email", "Code", "Serial", "id") if name in sent.columns]
        if operation != "insert" and not keys:
            return multiple()
        find_by = data.draw(st.sampled_from([*([None] if operation == "insert" else []), *keys]))
        possible = [n for n in DEFAULTS if n != find_by]
        chosen = data.draw(st.sets(st.sampled_from(possible), max_size=2))
        mapped = tuple(n for n in sent.columns if n != "id" or find_by == "id")
        at = [sent.columns.index(n) for n in mapped]
        request = Request(
            operation,
            find_by,
            data.draw(st.booleans()),
            mapped,
            tuple(tuple(row[i] for i in at) for row in sent.rows),
            {name: DEFAULTS[name] for name in possible if name in chosen},
        )
        mappings = [
            FieldMapping(n, i, default=request.defaults.get(n))
            for n, i in zip(mapped, at, strict=True)
        ] + [FieldMapping(n, default=v) for n, v in request.defaults.items() if n not in mapped]
        wanted = JobRequest(
            Operation(operation),
            (
                ResourceRequest(
                    "Leads", str(sent.id), tuple(mappings), find_by, request.ignore_empty
                ),
            ),
        )
        creates = self.stage.api.jobs.create
        if sent.org != key.org:
            with pytest.raises(InvalidFileId):
                creates(caller, wanted)
            return multiple()
        if request.creates and all(m.api_name != "Last_Name" for m in mappings):
            with pytest.raises(MandatoryFieldsNotMapped):
                creates(caller, wanted)
            return multiple()
        job = JobState(key.org, creates(caller, wanted).id, request, sent.known)
        self.is_new(job.id)
        self.asked.append(job)
        return job

    @rule(job=jobs)
    def poll(self, job: JobState) -> None:
        """Query a job as another org, for which it does not exist."""
        other = next(org for org in self.clients if org != job.org)
        with pytest.raises(ResourceNotFound):
            self.stage.api.jobs.details(other, job.id)
        with pytest.raises(LinkNotValid):
            self.stage.api.jobs.open_result(other, job.id)

    @rule(job=jobs)
    def download(self, job: JobState) -> None:
        """Download the result of a job that has ended: each row once, always the same bytes."""
        if not job.status.is_final:
            with pytest.raises(LinkNotValid):
                self.stage.api.jobs.open_result(job.org, job.id)
            return
        self.result(job)

    # Events of workers

    @rule(job=jobs, name=st.sampled_from(WORKERS), rows=ROWS, size=SIZES)
    def tick(self, job: JobState, name: str, rows: int, size: int) -> None:
        """A worker processes one chunk and releases the job."""
        self.work(name, job, self.one_chunk, rows, size)

    @precondition(lambda self: self.asked)
    @rule(name=st.sampled_from(WORKERS), rows=ROWS, size=SIZES)
    def take_any(self, name: str, rows: int, size: int) -> None:
        """A worker runs the oldest free job to its end."""
        free = (j for j in self.asked if not j.status.is_final and j.free_at <= self.stage.moment)
        job = next(free, None)
        if job is not None:
            self.work(name, job, nothing, rows, size, named=False)

    @rule(job=jobs, name=st.sampled_from(WORKERS), rows=ROWS, size=SIZES, death=DEATHS)
    def kill(self, job: JobState, name: str, rows: int, size: int, death: int) -> None:
        """A worker claims a job and is killed at the n-th seam."""
        self.work(name, job, self.kill_at(death), rows, size)

    @rule(
        job=jobs,
        rows=ROWS,
        size=SIZES,
        seam=st.integers(0, 6),
        whole=st.booleans(),
        others=st.booleans(),
    )
    def steal(
        self, job: JobState, rows: int, size: int, seam: int, whole: bool, others: bool
    ) -> None:
        """A worker is paused past its lease, another claims the job, and the first continues."""
        left = seam
        stolen = False

        def pause(at: str) -> None:
            nonlocal left, stolen
            if at in INSIDE:
                return
            left -= 1
            if left != -1:
                return
            self.stage.moment += LEASE + 1
            self.sync(job, ended=at == "after end")
            if others:
                for other in self.asked:
                    if other is not job:
                        self.work("b", other, self.one_chunk, rows, size)
            stolen = self.work("b", job, nothing if whole else self.one_chunk, 2, size)
            event(f"stolen {at}")

        self.work("a", job, pause, rows, size, stolen=lambda: stolen)

    @precondition(lambda self: self.asked)
    @rule()
    def wait(self) -> None:
        """Let the leases of killed workers expire."""
        self.stage.moment += LEASE + 1

    @precondition(lambda self: self.asked)
    @rule(name=st.sampled_from(WORKERS))
    def end_leases(self, name: str) -> None:
        """End the leases of a worker that is known to be dead."""
        self.stage.api.claims.end_leases(name)
        for job in self.asked:
            if self.stage.api.claims.lease_worker(job.id) == name:
                job.free_at = min(job.free_at, self.stage.moment)

    @precondition(lambda self: self.asked)
    @rule()
    def restart(self) -> None:
        """Stop all processes in order and start them again."""
        self.stage.restart()

    # Invariants

    @invariant()
    def everything_agrees_with_the_model(self) -> None:
        """Counters, records and statuses are those of the committed chunks."""
        for job in self.asked:
            self.compare_job(job)
        for org in self.clients:
            self.compare_records(org)

    def compare_job(self, job: JobState) -> None:
        """Compare the details of a job."""
        seen = self.stage.api.jobs.details(job.org, job.id)
        counts = seen.counts
        statuses = Counter(o if o in ("ADDED", "UPDATED") else "SKIPPED" for o in job.outcome)
        assert statuses == +Counter(
            ADDED=counts.added, UPDATED=counts.updated, SKIPPED=counts.skipped
        )
        assert seen.status is job.status
        assert seen.has_result == job.status.is_final
        if job.status is JobStatus.COMPLETED:
            assert counts.total == len(job.request.rows)
        assert bool(seen.code) == (job.status is JobStatus.FAILED)

    def compare_records(self, org: int) -> None:
        """Compare the records; no two of them share a unique value."""
        stored = self.records(org)
        model = self.models[org].records
        assert [r["id"] for r in stored] == self.ids[org]
        assert cells(FIELDS, stored) == cells(FIELDS, model)
        for name in Model.UNIQUE:
            held = [str(r[name]).strip().casefold() for r in stored if r[name] is not None]
            assert len(held) == len(set(held))

    # Helpers

    def issued_to(self, org: int) -> Key:
        """Issue a new token of an org."""
        return Key(org, self.stage.api.tokens.issue_access(self.clients[org], scope.EVERY))

    def caller(self, key: Key) -> Caller | None:
        """The caller with a token; None if it is revoked."""
        if key.revoked:
            with pytest.raises(InvalidToken):
                self.stage.api.tokens.check(key.text)
            return None
        return self.stage.api.tokens.check(key.text)

    def work(
        self,
        name: str,
        job: JobState,
        hook: Hook,
        rows: int = 1000,
        size: int = CHUNK_TEXT_BYTES,
        *,
        named: bool = True,
        stolen: Iterator[bool] | object = None,
    ) -> bool:
        """Let a worker claim a job, and update the model.

        Returns whether the worker got the job.
        """
        claimable = not job.status.is_final and job.free_at <= self.stage.moment
        stopped = lost = False

        def seam(at: str) -> None:
            nonlocal stopped
            if at in INSIDE:
                # No process sees a part of a chunk before the commit.
                self.everything_agrees_with_the_model()
            else:
                self.sync(job, ended=at == "after end")
            if not (callable(stolen) and stolen()):
                job.free_at = self.stage.moment + LEASE
            try:
                hook(at)
            except StopIteration:
                stopped = True
                raise

        if claimable:
            job.attempts += 1
            job.status = JobStatus.INPROGRESS
            job.free_at = self.stage.moment + LEASE
        try:
            events = self.stage.work(name, job.id if named else None, seam, rows, size)
        except Killed as death:
            event(f"killed {death}")
            self.stage.revive()
            self.sync(job)
            return claimable
        for seen in events:
            if isinstance(seen, JobAttemptFailed):
                raise seen.error
            lost = lost or isinstance(seen, LeaseGone)
        ended = any(isinstance(seen, JobEnded) for seen in events)
        assert lost == bool(callable(stolen) and stolen())
        if not claimable:
            assert not events
            return False
        self.sync(job, ended=ended)
        if stopped:
            job.attempts, job.free_at = max(0, job.attempts - 1), 0
        assert lost or stopped or ended
        return True

    def sync(self, job: JobState, *, ended: bool = False) -> None:
        """Process in the model the rows that the ledger has committed since the last call."""
        entries = self.stage.api.ledger.entries(job.id, 0)
        done = sum(e.counts.total for e in entries)
        assert done >= len(job.outcome)
        if done > len(job.outcome):
            job.attempts = 0
        model = self.models[job.org]
        for number in range(len(job.outcome), done):
            model.outcome, model.touched, model.known = [], [], job.known
            model.take(job.request, number)
            job.outcome += model.outcome
            job.touched += model.touched
        new = [r["id"] for r in self.records(job.org)][len(self.ids[job.org]) :]
        for record_id in new:
            self.is_new(record_id)
        self.ids[job.org] += new
        job.listed = sum(e.rows for e in entries) - done
        if ended:
            given_up = job.attempts > JOB_ATTEMPTS
            job.status = JobStatus.FAILED if given_up else JobStatus.COMPLETED
            event(f"ended {job.status}")
        if job.status is not JobStatus.FAILED and job.attempts <= JOB_ATTEMPTS:
            assert job.listed == 0

    def result(self, job: JobState) -> None:
        """Check the result of a job that has ended."""
        with self.stage.api.jobs.open_result(job.org, job.id) as file:
            data = file.read()
        assert job.result in (None, data)
        job.result = data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            (member,) = archive.namelist()
            text = archive.read(member).decode()
        header, *lines = csv.reader(io.StringIO(text, newline=""))
        assert header == [*job.request.columns[:3], "STATUS", "RECORD_ID", "ERRORS"]
        rows = job.request.rows[: len(job.outcome) + job.listed]
        if job.status is JobStatus.COMPLETED:
            assert len(rows) == len(job.request.rows)
        assert len(lines) == len(rows)
        for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
            for name, cell, echo in zip(job.request.columns[:3], row, line, strict=False):
                # A file that was made before its record has the index instead of the id.
                assert echo == cell or (name == "id" and echo == self.with_id(job.org, cell))
            status, record, errors = line[-3:]
            if number >= len(job.outcome):
                assert (status, record, errors) == ("UNPROCESSED", "", "")
                continue
            assert (errors or status) == job.outcome[number]
            place = job.touched[number]
            assert record == ("" if place is None else str(self.ids[job.org][place]))

    def records(self, org: int) -> list[dict[str, Any]]:
        """The records of an org as they are stored."""
        api = self.stage.api
        module = api.modules.module(org, "Leads")
        assert module is not None
        return [dict(r) for r in api.database.sql(tables.page(module), (0, 10_000))]

    def with_id(self, org: int, cell: str) -> str:
        """The id of the record with this index, if it exists."""
        ids = self.ids[org]
        return str(ids[int(cell)]) if cell.isdigit() and int(cell) < len(ids) else cell

    def is_new(self, number: int) -> None:
        """No id is ever used twice."""
        assert number not in self.issued
        self.issued.add(number)

    def one_chunk(self, seam: str) -> None:
        """Release the job after a chunk."""
        if seam == "after commit":
            raise StopIteration

    def kill_at(self, seams: int) -> Hook:
        """Kill the process at the n-th seam."""
        left = seams

        def hook(seam: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                self.stage.freeze()
                raise Killed(seam)

        return hook


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[OAuthClient]]:
    """A data folder with two orgs, and a client of each."""
    data = tmp_path_factory.mktemp("office") / "data"
    with open_worker(Settings(data), lambda _: None) as (services, _):
        return data, [client_of(services, name) for name in ("Zylker", "Acme")]


def client_of(services: Services, name: str) -> OAuthClient:
    """Create an org with a user, two more unique fields, and a client."""
    org = services.setup.create_org(name, time_zone="America/Los_Angeles")
    user = services.setup.create_user(org, "Patricia", "Boyle", f"p@{name.lower()}.example")
    services.schema.apply(org.id, {"modules": [{"api_name": "Leads", "fields": Model.FIELDS}]})
    return services.setup.register_client(user, ClientKind.SELF, name).client


def test_the_service_agrees_with_the_model_after_any_steps(
    office: tuple[Path, list[OAuthClient]],
) -> None:
    """Results, records and counters are exact, whenever processes are killed."""
    run_state_machine_as_test(
        partial(ServiceMachine, *office),  # type: ignore[arg-type]  # a callable will do
        settings=tries(10, stateful_step_count=25),
    )
