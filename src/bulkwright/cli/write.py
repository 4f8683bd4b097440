"""`write`: a CSV or zip becomes records, here or on a server."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from msgspec import UNSET

from bulkwright.cli.options import HERE, Place
from bulkwright.cli.show import console, job_line, polled, progress, refuse
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import Job, JobStatus, Mapping, Operation
from bulkwright.domain.limits import SERVICE
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.files import Area
from bulkwright.holder import is_dead
from bulkwright.wire.requests import DefaultValue, FieldMapping
from bulkwright.wiring import Services, open_bench
from bulkwright.worker import Hindered, Worker

SKIPPED = 3
"""Exit status when the job is done but rows were skipped."""

Url = Annotated[str | None, Parameter(help="A server; without it the job runs here.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options ask for."""

    module: str
    operation: str
    find_by: str | None
    mappings: tuple[Mapping, ...] | None
    ignore_empty: bool
    encoding: str | None

    def fingerprint(self, path: Path) -> str:
        """What the same file with the same options is recognised by."""
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(f"{content} {self!r}".encode()).hexdigest()


def write(
    file: Path,
    /,
    *,
    module: str,
    operation: Literal["insert", "update", "upsert"],
    find_by: Annotated[str | None, Parameter(help="Field that says which record a row is.")] = None,
    map_: Annotated[
        list[str] | None,
        Parameter(name="--map", help="COLUMN=FIELD or COLUMN=FIELD:FIND_BY; default: by header."),
    ] = None,
    default: Annotated[list[str] | None, Parameter(help="FIELD=VALUE for empty cells.")] = None,
    ignore_empty: Annotated[bool, Parameter(help="Empty cells leave fields alone.")] = False,
    encoding: Annotated[str | None, Parameter(help="Of the CSV; detected when absent.")] = None,
    dry_run: Annotated[
        bool, Parameter(help="Check and answer every row, but store nothing (without --url).")
    ] = False,
    result: Annotated[Path | None, Parameter(help="Where to save the result zip.")] = None,
    url: Url = None,
    token: Annotated[str | None, Parameter(help="Access token for --url.")] = None,
    place: Place = HERE,
) -> int:
    """Write FILE.csv or FILE.zip into a module and account for every row.

    Without --url the job runs in this process, on the data folder; killed and run again with the
    same file and options, it goes on where it stopped; of a job that had just ended, it tells the
    end. Ends with status 0 when every row was
    stored, 3 when rows were skipped, 1 when nothing could be done.
    """
    if not file.is_file():
        refuse(f"{file} is not there.")
    header = _header(file) if map_ or default else ()
    wanted = _Wanted(
        module, operation, find_by, _mappings(header, map_ or [], default or []),
        ignore_empty, encoding,
    )  # fmt: skip
    if url is not None:
        if token is None:
            refuse("--url needs --token (or BULKWRIGHT_TOKEN).")
        if dry_run:
            refuse("--dry-run works on a data folder, not on --url.")
        return _write_remote(file, wanted, url, token, result)
    settings = place.settings()
    run = _try_here if dry_run else _write_here
    try:
        with progress(file.name) as observe, open_bench(settings, observe, dry=dry_run) as opened:
            job = run(file, wanted, *opened, result)
            if dry_run:
                console.print("dry run: nothing was stored")
            job_line(job)
            if not dry_run:
                opened[0].job_store.told(job.id)
    except Hindered as hindered:
        refuse(f"{hindered}. Nothing is lost: the same command goes on where it stopped.")
    if job.status is JobStatus.FAILED:
        return 1
    return SKIPPED if job.counts.skipped else 0


def _write_here(
    path: Path, wanted: _Wanted, services: Services, worker: Worker, result: Path | None
) -> Job:
    """Begin a job, or go on with the one that an earlier run of the same line began."""
    caller = _caller(services)
    fingerprint = wanted.fingerprint(path)
    job_id = services.job_store.untold(caller.org_id, fingerprint)
    if job_id is None:
        job_id = _begin(services, caller, path, wanted, fingerprint)
    else:
        console.print(f"going on with job {job_id}")
        holder = services.job_store.holder(job_id)
        if holder is not None and is_dead(holder):
            services.job_store.end_leases(holder)
    job = _run(services, worker, caller.org_id, job_id)
    _save_result(services, job, result)
    return job


def _save_result(services: Services, job: Job, target: Path | None) -> None:
    if target is None or not job.has_result or job.result_swept:
        return
    try:
        with services.jobs.open_result(job.org_id, job.id) as file, target.open("wb") as out:
            shutil.copyfileobj(file, out)
    except OSError as error:
        refuse(
            f"job {job.id} has ended, but its result cannot be saved as {target}: "
            f"{error.strerror}. Run the same line with another --result: nothing is done twice."
        )


class _TakenBack(Exception):
    """Ends the transaction that a dry run happens in."""


def _try_here(
    path: Path, wanted: _Wanted, services: Services, worker: Worker, result: Path | None
) -> Job:
    """The whole job in one transaction that is taken back: not even the job remains."""
    job: Job | None = None
    try:
        with services.database.transaction():
            caller = _caller(services)
            job_id = _begin(services, caller, path, wanted, None)
            job = _run(services, worker, caller.org_id, job_id)
            _save_result(services, job, result)
            services.files.drop(Area.RESULTS, job.id)
            services.files.drop(Area.UPLOADS, job.resources[0].file_id)
            raise _TakenBack
    except _TakenBack:
        assert job is not None
        return job


def _begin(
    services: Services, caller: Caller, path: Path, wanted: _Wanted, fingerprint: str | None
) -> int:
    with _zipped(path, zipfile.ZIP_STORED) as zipped, services.files.incoming() as incoming:
        with zipped.open("rb") as source:
            while block := source.read(1 << 20):
                incoming.write(block)
        upload = services.uploads.receive(caller, zipped.name, incoming)
    resource = ResourceRequest(
        wanted.module, str(upload.id), wanted.mappings, wanted.find_by, wanted.ignore_empty
    )
    request = JobRequest(
        Operation(wanted.operation), (resource,), wanted.encoding, fingerprint=fingerprint
    )
    return services.jobs.create(caller, request).id


def _run(services: Services, worker: Worker, org_id: int, job_id: int) -> Job:
    """Run a job to its end; where its last worker was killed, its lease must run out first."""
    waiting = False
    while not (job := services.jobs.details(org_id, job_id)).status.final:
        if not worker.run_one(only=job_id):
            if not waiting:
                console.print(
                    "another worker holds the job; waiting for it to finish or to be lost"
                )
            waiting = True
            time.sleep(0.2)
    return job


def _caller(services: Services) -> Caller:
    orgs = services.accounts.orgs()
    if orgs:
        users = services.accounts.users(orgs[0].id)
        return Caller(orgs[0].id, users[0].id, scope.normalise(scope.EVERY))
    with services.database.transaction():
        org = services.setup.create_org("Bulkwright")
        user = services.setup.create_user(org, "Local", "User", "user@localhost.example")
    return Caller(org.id, user.id, scope.normalise(scope.EVERY))


def _write_remote(path: Path, wanted: _Wanted, url: str, token: str, result: Path | None) -> int:
    import httpx2

    from bulkwright.client import ApiError, Client

    try:
        with Client(url, token=token) as client, progress(path.name) as observe:
            with _zipped(path, zipfile.ZIP_DEFLATED) as zipped:
                file_id = client.upload(zipped)
            job_id = client.write(
                wanted.operation,
                wanted.module,
                file_id,
                mappings=None if wanted.mappings is None else [_wire(m) for m in wanted.mappings],
                find_by=wanted.find_by,
                ignore_empty=wanted.ignore_empty,
                character_encoding=wanted.encoding,
            )
            details = client.wait(job_id, watch=lambda d: observe(polled(d)))
            if result is not None and details.result is not UNSET:
                client.download(details, result)
    except ApiError as error:
        refuse(str(error))
    except httpx2.HTTPError as error:
        refuse(f"{url} does not answer: {error}")
    counts = polled(details).counts
    console.print(
        f"job {details.id}  {details.status}  added {counts.added:,}  updated {counts.updated:,}  "
        f"skipped {counts.skipped:,}  of {counts.total:,} rows",
        soft_wrap=True,
    )
    if details.status != "COMPLETED":
        return 1
    return SKIPPED if counts.skipped else 0


def _wire(mapping: Mapping) -> FieldMapping:
    return FieldMapping(
        api_name=mapping.api_name,
        index=UNSET if mapping.index is None else mapping.index,
        find_by=mapping.find_by or UNSET,
        default_value=UNSET if mapping.default is None else DefaultValue(value=mapping.default),
    )


@contextmanager
def _zipped(path: Path, method: int) -> Iterator[Path]:
    """The file itself when it is a zip, otherwise a zip made of it."""
    if zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        made = Path(folder) / f"{path.stem}.zip"
        with zipfile.ZipFile(made, "w", method, compresslevel=1) as archive:
            archive.write(path, path.name)
        yield made


def _header(path: Path) -> tuple[str, ...]:
    from bulkwright.csvzip.archive import open_archive
    from bulkwright.csvzip.text import HEAD_BYTES, sniff, take_head

    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES), None).header
    with path.open("rb") as file:
        archive = open_archive(file)
        head, _ = take_head(archive.stream(archive.the_csv(), SERVICE.csv_bytes))
        return sniff(head, None).header


def _mappings(
    header: Sequence[str], maps: Sequence[str], defaults: Sequence[str]
) -> tuple[Mapping, ...] | None:
    """Mappings of the options; None leaves them to the header."""
    if not maps and not defaults:
        return None
    names = [name.strip() for name in header]
    made: dict[str, Mapping] = {}
    for option in maps:
        column, _, target = option.rpartition("=")
        field, _, find_by = target.partition(":")
        if column not in names:
            refuse(f"--map {option}: the file has no column {column!r}; it has {', '.join(names)}")
        made[field] = Mapping(field, names.index(column), find_by=find_by or None)
    if not maps:
        # Only defaults were given: the header still names the fields.
        made = {name: Mapping(name, index) for index, name in enumerate(names)}
    for option in defaults:
        field, _, value = option.partition("=")
        before = made.get(field, Mapping(field))
        made[field] = replace(before, default=value, default_json={"value": value})
    return tuple(made.values())
