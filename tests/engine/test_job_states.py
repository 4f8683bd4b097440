"""Every state of docs/job-details.md is reached, on both stores, and no other is."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from tests.support.bench import Bench

from bulkwright.domain.job import FieldMapping, Job, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.events.events import ChunkCommitted, Event
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.web.json import encode
from bulkwright.wire.responses import JobDetails
from bulkwright.zoho.present.jobs import job_details
from bulkwright.zoho.versions import VERSIONS

PAGE = Path(__file__).parents[2] / "docs" / "job-details.md"
PLACES = ("first", "second", "third")
MODULES = ("Accounts", "Contacts", "Deals")
NAMES = ("Account_Name", "Last_Name", "Deal_Name")
ROWS = 4
CHUNK = 2


class State(NamedTuple):
    """A row of the table without its moment."""

    job: str
    resources: tuple[str, ...]
    has_result: bool


def documented(resources: int) -> dict[str, State]:
    """The rows of the table, by their moment, for a job with this many resources."""
    table = PAGE.read_text("utf-8").partition("## States")[2].partition("\n## ")[0]
    found = {}
    for line in re.findall(r"^\| (?!moment|---)(.*) \|$", table, re.MULTILINE):
        moment, job, *states, result = (cell.strip() for cell in line.split("|"))
        place = next((n for n, word in enumerate(PLACES) if f"the {word} " in moment), 0)
        if place < resources:
            found[moment] = State(job, tuple(states[:resources]), result == "yes")
    return found


def create(bench: Bench, resources: int) -> Job:
    """A job on one zip: accounts, their contacts, their deals."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for module, name in zip(MODULES, NAMES, strict=True):
            rows = "".join(f"{module} {n},Ref {n},Qualification\n" for n in range(ROWS))
            archive.writestr(f"{module}.csv", f"{name},Ref,Stage\n{rows}")
    with bench.services.files.incoming() as incoming:
        incoming.write(packed.getvalue())
        file_id = str(bench.services.uploads.receive(bench.caller, "all.zip", incoming).id)
    parent = FieldMapping("Account_Name", 1, parent_column_index=1)
    mappings = (
        (FieldMapping("Account_Name", 0), FieldMapping("Description", 2)),
        (FieldMapping("Last_Name", 0), parent),
        (FieldMapping("Deal_Name", 0), parent, FieldMapping("Stage", 2)),
    )
    wanted = tuple(
        ResourceRequest(module, file_id, mappings[n], file_names=(f"{module}.csv",))
        for n, module in enumerate(MODULES[:resources])
    )
    return bench.services.jobs.create(bench.caller, JobRequest(Operation.INSERT, wanted))


@dataclass
class Watch:
    """Shows the details of a job as a client of a version sees them."""

    bench: Bench
    job_id: int

    def details(self, version: str = "v8") -> JobDetails:
        """The details as they are decoded from JSON."""
        job = self.bench.services.jobs.details(self.bench.org.id, self.job_id)
        return msgspec.json.decode(encode(job_details(job, VERSIONS[version])), type=JobDetails)

    def state(self) -> State:
        """The state; the status of a file is always that of its resource."""
        details = self.details()
        assert all(one.file.status == one.status for one in details.resource)
        has_result = not isinstance(details.result, msgspec.UnsetType)
        return State(details.status, tuple(one.status for one in details.resource), has_result)

    def run(self) -> list[State]:
        """Runs the job to its end; returns its states after each chunk and at the end."""
        states = [self.state()]

        def observe(event: Event) -> None:
            if isinstance(event, ChunkCommitted):
                states.append(self.state())

        worker = self.bench.worker
        before = worker._ctx
        worker._ctx = replace(before, observe=observe, chunk_rows=CHUNK)
        for _ in range(8):
            assert worker.run_one(self.job_id)
            if JobStatus(self.state().job).is_final:
                break
        worker._ctx = before
        return [*states, self.state()]

    def result(self) -> list[list[str]]:
        """The STATUS of each row, by resource."""
        zipped = self.bench.services.jobs.open_result(self.bench.org.id, self.job_id)
        with zipped, zipfile.ZipFile(zipped) as archive:
            return [
                [row["STATUS"] for row in csv.DictReader(io.StringIO(archive.read(name).decode()))]
                for name in archive.namelist()
            ]


def trap(bench: Bench, place: int) -> None:
    """Let the database reject row 3 of a resource in a way that the service does not know.

    A worker gives such a job up after three tries without progress.
    """
    module, name = MODULES[place], NAMES[place]
    bench.services.database.sql(
        f'CREATE UNIQUE INDEX trap ON "org{bench.org.id}_{module}" ("{name}")'
    )
    stage = {"Deals": (",Stage", ",Qualification")}.get(module, ("", ""))
    bench.run(f"{name}{stage[0]}\n{module} {CHUNK}{stage[1]}\n", module)


def moments(resources: int, failing: int | None) -> list[str]:
    """The moments that a job passes; `failing` is the place of the resource that fails."""
    passed = [f"the {word} is processed" for word in PLACES[:resources]]
    if failing is None:
        return ["created", *passed, "all rows are processed"]
    return ["created", *passed[: failing + 1], f"the {PLACES[failing]} has failed"]


WAYS = [(count, failing) for count in (1, 2, 3) for failing in (None, *range(count))]


@pytest.mark.parametrize(("resources", "failing"), WAYS)
def test_a_job_shows_the_states_of_the_table(
    bench: Bench, resources: int, failing: int | None
) -> None:
    """After its creation, after each chunk, and at its end; rows and counts agree with them."""
    if failing is not None:
        trap(bench, failing)
    table = documented(resources)
    watch = Watch(bench, create(bench, resources).id)
    assert list(dict.fromkeys(watch.run())) == [table[m] for m in moments(resources, failing)]

    outcomes = {
        "COMPLETED": ["ADDED"] * ROWS,
        "FAILED": ["ADDED"] * CHUNK + ["UNPROCESSED"] * (ROWS - CHUNK),
        "SKIPPED": ["UNPROCESSED"] * ROWS,
    }
    details = watch.details()
    assert watch.result() == [outcomes[one.status] for one in details.resource]
    for one in details.resource:
        assert one.file.total_count == outcomes[one.status].count("ADDED")
        codes = {"COMPLETED": "SUCCESS", "FAILED": "INTERNAL_ERROR", "SKIPPED": "SKIPPED"}
        assert one.code == codes[one.status]


def test_the_table_has_no_row_that_no_job_reaches() -> None:
    """Every moment is one of the moments above."""
    reached = {moment for count, failing in WAYS for moment in moments(count, failing)}
    assert set(documented(len(PLACES))) == reached


def damaged(bench: Bench, job_id: int) -> None:
    """Change the upload of a job."""
    job, files = bench.services.jobs.details(bench.org.id, job_id), bench.services.files
    assert isinstance(files, LocalFiles)
    files.path(Area.UPLOADS, job.resources[0].file_id).write_bytes(b"PK")


def test_a_job_whose_upload_is_damaged_has_no_result(bench: Bench) -> None:
    """The first resource is FAILED with the reason, and no file can be read."""
    watch = Watch(bench, create(bench, 3).id)
    damaged(bench, watch.job_id)
    end = watch.run()[-1]
    assert end == State("FAILED", ("FAILED", "SKIPPED", "SKIPPED"), has_result=False)
    codes = [one.code for one in watch.details().resource]
    assert codes == ["INVALID_FILE_FORMAT", "SKIPPED", "SKIPPED"]


def test_a_resource_that_was_completed_stays_so_when_the_worker_stops(bench: Bench) -> None:
    """The next worker continues with the second resource; the upload is damaged in between."""
    watch = Watch(bench, create(bench, 2).id)
    worker, before = bench.worker, bench.worker._ctx

    def stop_in_second(event: Event) -> None:
        if isinstance(event, ChunkCommitted) and watch.state().resources[0] == "COMPLETED":
            worker.stop()

    worker._ctx = replace(before, observe=stop_in_second, chunk_rows=CHUNK)
    assert worker.run_one(watch.job_id)
    before.stop.is_set = False
    worker._ctx = before
    half = State("INPROGRESS", ("COMPLETED", "INPROGRESS"), has_result=False)
    assert watch.state() == half
    damaged(bench, watch.job_id)
    assert watch.run()[-1] == State("FAILED", ("COMPLETED", "FAILED"), has_result=True)
    assert watch.result() == [["ADDED"] * ROWS, ["ADDED"] * CHUNK]


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_version_shows_a_skipped_resource(bench: Bench, version: str) -> None:
    """v2 has no `code`; v2.1 and later have the status there."""
    trap(bench, 0)
    watch = Watch(bench, create(bench, 2).id)
    watch.run()
    parent, child = watch.details(version).resource
    shown: Sequence[object] = (parent.status, parent.file.status, child.status, child.file.status)
    assert shown == ("FAILED", "FAILED", "SKIPPED", "SKIPPED")
    if version == "v2":
        assert isinstance(parent.code, msgspec.UnsetType)
    else:
        assert (parent.code, child.code) == ("INTERNAL_ERROR", "SKIPPED")
