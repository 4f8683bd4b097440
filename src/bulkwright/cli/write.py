"""`write`: writes a CSV or a zip into a module, in this process or on a server."""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from msgspec import UNSET

from bulkwright.cli.input_file import as_regular_file, read_header, zipped
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, chosen_org
from bulkwright.cli.output import (
    as_progress,
    console,
    fail,
    job_line,
    progress,
    reading_lines,
)
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import FieldMapping, Job, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.files import Area
from bulkwright.runtime.worker import Blocked, Worker, open_worker
from bulkwright.runtime.worker_identity import is_dead
from bulkwright.settings import OrgLocation, Settings
from bulkwright.wire import requests as wire
from bulkwright.wiring import Services

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "colon": ":"}
_EVERY_DELIMITER = "".join(_DELIMITERS.values())

SKIPPED = 3
"""Exit status when the job is completed, but rows were skipped."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The job that is created for the file."""

    module: Annotated[str, Parameter(help="API name of the module.")]
    operation: Literal["insert", "update", "upsert"]
    find_by: Annotated[
        str | None, Parameter(help="The field that identifies the record of a row.")
    ] = None
    map_: Annotated[
        list[str] | None,
        Parameter(
            name="--map", help="COLUMN=FIELD or COLUMN=FIELD:FIND_BY. Default: by the header."
        ),
    ] = None
    default: Annotated[list[str] | None, Parameter(help="FIELD=VALUE for empty cells.")] = None
    ignore_empty: Annotated[bool, Parameter(help="An empty cell leaves its field unchanged.")] = (
        False
    )
    encoding: Annotated[
        str | None, Parameter(help="Encoding of the CSV. Default: detected from the file.")
    ] = None
    delimiter: Annotated[
        Literal["comma", "semicolon", "tab", "bar", "colon"] | None,
        Parameter(help="What separates the columns. Default: detected from the file."),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """The server that runs the job."""

    url: Annotated[
        str | None, Parameter(help="A server. Without it, the job runs in this process.")
    ] = None
    token: Annotated[str | None, Parameter(help="Access token for --url.")] = None


_IN_THIS_PROCESS = RemoteOptions()


@dataclass(frozen=True, slots=True)
class _WriteTask:
    """The file and the job, after its mappings were made from the options."""

    path: Path
    module: str
    operation: str
    find_by: str | None
    mappings: tuple[FieldMapping, ...] | None
    ignore_empty: bool
    encoding: str | None
    named_delimiter: str | None
    """The option's; `delimiters` may be one that was found by the header."""
    delimiters: str
    location: OrgLocation = DEFAULT_IN_ORG
    """Where the org of the job is; no part of the fingerprint, which is looked up in that org."""

    def fingerprint(self) -> str:
        """Returns a hash that is the same for the same content and the same options."""
        with self.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(f"{content} {self._options_text()}".encode()).hexdigest()

    def _options_text(self) -> str:
        # Version 0.1.0 stored hashes of this text: do not change it, or unfinished jobs of that
        # version would be written once more instead of continued.
        if self.mappings is None:
            mappings = "None"
        else:
            each = [_arguments("Mapping", asdict(mapping)) for mapping in self.mappings]
            mappings = f"({', '.join(each)}{',' if len(each) == 1 else ''})"
        return (
            f"_Wanted(module={self.module!r}, operation={self.operation!r}, "
            f"find_by={self.find_by!r}, mappings={mappings}, "
            f"ignore_empty={self.ignore_empty!r}, encoding={self.encoding!r})"
            + ("" if self.named_delimiter is None else f", delimiter={self.named_delimiter!r}")
        )


def _arguments(name: str, values: dict[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in values.items())})"


def write(
    file: Path,
    /,
    *,
    options: JobOptions,
    dry_run: Annotated[
        bool, Parameter(help="Check and answer every row, but store nothing (without --url).")
    ] = False,
    result: Annotated[Path | None, Parameter(help="Where to save the result zip.")] = None,
    remote: RemoteOptions = _IN_THIS_PROCESS,
    location: InOrg = DEFAULT_IN_ORG,
) -> int:
    """Write FILE.csv or FILE.zip into a module and report the outcome of every row.

    Without --url, the job runs in this process, on the data folder. If the process is killed, the
    same command continues the job where it stopped. The exit status is 0 when every row was
    stored, 3 when rows were skipped, 1 when the job could not be done.
    """
    if remote.url is not None:
        if remote.token is None:
            fail("--url needs --token (or BULKWRIGHT_TOKEN).")
        if dry_run:
            fail("--dry-run works on a data folder, not on --url.")
    with as_regular_file(file) as path:
        task = replace(_make_task(path, options), location=location)
        if remote.url is not None and remote.token is not None:
            return _write_remote(task, remote.url, remote.token, result)
        settings = Settings.merged(location)
        try:
            with (
                progress(file.name) as observe,
                open_worker(settings, observe, dry=dry_run) as (services, worker),
            ):
                run = _write_dry if dry_run else _write_here
                job = run(task, services, worker, result)
                if dry_run:
                    console.print("dry run: nothing was stored")
                job_line(job)
                reading_lines(job)
                if not dry_run:
                    services.job_store.mark_reported(job.id)
        except Blocked as blocked:
            fail(f"{blocked}. Nothing is lost: the same command continues where it stopped.")
    if job.status is JobStatus.FAILED:
        return 1
    return SKIPPED if job.counts.skipped else 0


def _make_task(path: Path, options: JobOptions) -> _WriteTask:
    maps, defaults = options.map_ or [], options.default or []
    named = _DELIMITERS[options.delimiter] if options.delimiter else None
    delimiters = named or _EVERY_DELIMITER
    header: tuple[str, ...] = ()
    if maps or defaults:
        columns = {option.rpartition("=")[0] for option in maps}
        found = read_header(path, options.encoding, delimiters, columns)
        header, delimiters = found.header, found.delimiter
    return _WriteTask(
        path, options.module, options.operation, options.find_by,
        _mappings(header, maps, defaults), options.ignore_empty, options.encoding,
        named, delimiters,
    )  # fmt: skip


def _write_here(task: _WriteTask, services: Services, worker: Worker, result: Path | None) -> Job:
    """Creates a job, or continues the unfinished one of an earlier run of the same command."""
    caller = _caller(services, task.location)
    fingerprint = task.fingerprint()
    job_id = services.job_store.find_unfinished(caller.org_id, fingerprint)
    if job_id is None:
        job_id = _create(services, caller, task, fingerprint)
    else:
        console.print(f"continuing job {job_id}")
        identity = services.claims.lease_worker(job_id)
        if identity is not None and is_dead(identity):
            services.claims.end_leases(identity)
    job = _run(services, worker, caller.org_id, job_id)
    _save_result(services, job, result)
    return job


def _save_result(services: Services, job: Job, target: Path | None) -> None:
    if target is None or not job.has_result or job.result_swept:
        return
    from bulkwright.client.atomic_file import atomic_write

    try:
        with services.jobs.open_result(job.org_id, job.id) as file, atomic_write(target) as out:
            shutil.copyfileobj(file, out)
    except OSError as error:
        fail(
            f"job {job.id} has ended, but its result cannot be saved as {target}: "
            f"{error.strerror}. Run it again with another --result; no row is written twice."
        )


class _DryRunEnded(Exception):
    """Rolls back the transaction of a dry run."""


def _write_dry(task: _WriteTask, services: Services, worker: Worker, result: Path | None) -> Job:
    """Runs the whole job in one transaction and rolls it back: not even the job remains."""
    job: Job | None = None
    try:
        with services.database.transaction():
            caller = _caller(services, task.location)
            job_id = _create(services, caller, task, None)
            job = _run(services, worker, caller.org_id, job_id)
            _save_result(services, job, result)
            services.files.delete(Area.RESULTS, job.id)
            services.files.delete(Area.UPLOADS, job.resources[0].file_id)
            raise _DryRunEnded
    except _DryRunEnded:
        assert job is not None
        return job


def _create(services: Services, caller: Caller, task: _WriteTask, fingerprint: str | None) -> int:
    """Uploads the file and creates its job; returns the job's id."""
    with (
        zipped(task.path, zipfile.ZIP_STORED) as upload_path,
        services.files.incoming() as incoming,
    ):
        with upload_path.open("rb") as source:
            while block := source.read(1 << 20):
                incoming.write(block)
        upload = services.uploads.receive(caller, upload_path.name, incoming)
    resource = ResourceRequest(
        task.module, str(upload.id), task.mappings, task.find_by, task.ignore_empty
    )
    request = JobRequest(
        Operation(task.operation), (resource,), task.encoding, task.delimiters,
        fingerprint=fingerprint,
    )  # fmt: skip
    return services.jobs.create(caller, request).id


def _run(services: Services, worker: Worker, org_id: int, job_id: int) -> Job:
    """Runs a job to its end. If its last worker was killed, waits until that lease expires."""
    waiting = False
    while not (job := services.jobs.details(org_id, job_id)).status.is_final:
        if not worker.run_one(only=job_id):
            if not waiting:
                console.print(
                    "another worker runs this job; waiting until it finishes or its lease expires"
                )
            waiting = True
            time.sleep(0.2)
    return job


def _caller(services: Services, location: OrgLocation) -> Caller:
    if services.accounts.orgs():
        org = chosen_org(services, location)
        users = [user for user in services.accounts.users(org.id) if user.is_active]
        if not users:
            fail(f"Org {org.id} has no active user; add one with `bulkwright user add`.")
        return Caller(org.id, users[0].id, scope.normalise(scope.EVERY))
    with services.database.transaction():
        org = services.setup.create_org("Bulkwright")
        user = services.setup.create_user(org, "Local", "User", "user@localhost.example")
    return Caller(org.id, user.id, scope.normalise(scope.EVERY))


def _write_remote(task: _WriteTask, url: str, token: str, result: Path | None) -> int:
    import httpx2

    from bulkwright.client import ApiError, Client

    try:
        with Client(url, token=token) as client, progress(task.path.name) as observe:
            with zipped(task.path, zipfile.ZIP_DEFLATED) as upload_path:
                file_id = client.upload(upload_path)
            job_id = client.write(
                task.operation,
                task.module,
                file_id,
                mappings=None if task.mappings is None else [_wire(m) for m in task.mappings],
                find_by=task.find_by,
                ignore_empty=task.ignore_empty,
                character_encoding=task.encoding,
            )
            details = client.wait(job_id, watch=lambda d: observe(as_progress(d)))
            if result is not None and details.result is not UNSET:
                client.download(details, result)
    except ApiError as error:
        fail(str(error))
    except httpx2.HTTPError as error:
        fail(f"{url} does not answer: {error}")
    counts = as_progress(details).counts
    encoding = details.character_encoding
    if task.encoding is None and encoding not in (UNSET, "UTF-8"):
        console.print(f"encoding {encoding}: found by the server; --encoding names it")
    console.print(
        f"job {details.id}  {details.status}  added {counts.added:,}  updated {counts.updated:,}  "
        f"skipped {counts.skipped:,}  of {counts.total:,} rows",
        soft_wrap=True,
    )
    if details.status != "COMPLETED":
        return 1
    return SKIPPED if counts.skipped else 0


def _wire(mapping: FieldMapping) -> wire.NewFieldMapping:
    return wire.NewFieldMapping(
        api_name=mapping.api_name,
        index=UNSET if mapping.index is None else mapping.index,
        find_by=mapping.find_by or UNSET,
        default_value=UNSET
        if mapping.default is None
        else wire.DefaultValue(value=mapping.default),
    )


def _mappings(
    header: Sequence[str], maps: Sequence[str], defaults: Sequence[str]
) -> tuple[FieldMapping, ...] | None:
    """Returns the mappings of the options; None if the header alone decides."""
    if not maps and not defaults:
        return None
    names = [name.strip() for name in header]
    mappings: dict[str, FieldMapping] = {}
    for option in maps:
        column, _, target = option.rpartition("=")
        field, _, find_by = target.partition(":")
        if column not in names:
            fail(f"--map {option}: the file has no column {column!r}; it has {', '.join(names)}")
        mappings[field] = FieldMapping(field, names.index(column), find_by=find_by or None)
    if not maps:
        # Only defaults are given, so the header still names the fields.
        mappings = {name: FieldMapping(name, index) for index, name in enumerate(names)}
    for option in defaults:
        field, _, value = option.partition("=")
        before = mappings.get(field, FieldMapping(field))
        mappings[field] = replace(before, default=value, default_json={"value": value})
    return tuple(mappings.values())
