"""Creates jobs, returns their details and opens their results. Workers run them.

Creation checks everything that can be known before the first row is read. So a mistake is rejected
at once with its error code (facts 3.6), instead of failing the job later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.audit import Action
from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.errors import (
    FileNotFound,
    FileNotSupported,
    HeaderLimitExceeded,
    InvalidData,
    InvalidFileId,
    InvalidToken,
    LimitExceeded,
    LinkNotValid,
    MandatoryNotFound,
    ModuleNotAvailable,
    ResourceNotFound,
    ScopeMismatch,
)
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import (
    FieldMapping,
    Job,
    JobStatus,
    Operation,
    Person,
    Resource,
    default_bytes,
)
from bulkwright.domain.job_filter import JobFilter
from bulkwright.domain.limits import Limits
from bulkwright.domain.module import Module
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Area, Files
from bulkwright.formats.csv import canonical_encoding
from bulkwright.service import results
from bulkwright.service.audit import AuditLog
from bulkwright.service.callbacks import WhyNever, check_callback
from bulkwright.service.mapping import MappingRules, shortened
from bulkwright.service.open_jobs import check_open_jobs
from bulkwright.service.progress import ProgressReader
from bulkwright.service.reading import decide, with_left_out
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.idempotency import IdempotencyStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.uploads import UploadStore

_ONE_ZIP = "a job takes one zip"


@dataclass(frozen=True, slots=True)
class JobService:
    """Creates and returns the jobs of an org."""

    accounts: AccountStore
    modules: ModuleStore
    jobs: JobStore
    upload_store: UploadStore
    files: Files
    uploads: UploadService
    keys: IdempotencyStore
    audit: AuditLog
    progress: ProgressReader
    limits: Limits
    layout_mandatory: bool = False
    """Whether layout-mandatory fields must be mapped too; the founding page's sample maps fewer."""
    clock: Clock = SYSTEM_CLOCK
    why_never: WhyNever = lambda _endpoint: None

    def create(self, caller: Caller, request: JobRequest, *, wake: bool = True) -> Job:
        """Checks a request and adds its job. Raises the RequestError of the first mistake.

        If the request has a fingerprint, and an unfinished job has the same one, returns that job.
        If it has an idempotency key, returns the job of the first request with this key. Raises
        IdempotencyKeyReused if that was another request.
        Without `wake`, idle workers do not look for the job at once: the caller runs it itself.
        """
        user = self.accounts.user(caller.org_id, caller.user_id)
        if user is None:
            raise InvalidToken
        if request.idempotency is not None:
            known = self.keys.known(
                caller.org_id, request.idempotency, partial(self.jobs.job, caller.org_id)
            )
            if known is not None:
                return known
        check_open_jobs(self.jobs, caller.org_id, self.limits)
        check_callback(request.callback, self.why_never)
        encoding = _encoding(request.character_encoding)
        if encoding is not None:
            self._check_without_reading(caller, request, encoding)
        resources: list[Resource] = []
        parent: CsvFacts | None = None
        for number, wanted in enumerate(request.resources):
            place = f"$.resource[{number}]"
            csv, resource = self._resource(caller, request, wanted, place, encoding, parent)
            if any(r.file_id != resource.file_id for r in resources):
                raise InvalidData(_ONE_ZIP, {"json_path": f"{place}.file_id"})
            if any(r.module == resource.module for r in resources):
                raise InvalidData(
                    "a job takes one CSV of a module", {"json_path": f"{place}.module"}
                )
            resources.append(resource)
            parent = parent or csv
        job = Job(
            id=0,
            org_id=caller.org_id,
            operation=request.operation,
            created_by=Person(user.id, user.name),
            created_time=self.clock.now().astimezone(ZoneInfo(user.time_zone)),
            time_zone=user.time_zone,
            resources=tuple(resources),
            character_encoding=encoding,
            ignore_empty=request.ignore_empty,
            callback=request.callback,
            fingerprint=request.fingerprint,
            version=request.version,
            error_limit=ErrorLimit(rows=0) if request.all_or_nothing else request.error_limit,
            all_or_nothing=request.all_or_nothing,
            dry=request.dry,
            priority=request.priority,
        )
        return self._add(job, caller, request.idempotency, wake=wake)

    def details(self, org_id: int, job_id: int) -> Job:
        """Returns a job of an org as it is now. Raises ResourceNotFound."""
        job = self.jobs.job(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job

    def unprocessed(self, job: Job) -> int | None:
        """Returns how many rows the result of a job lists as UNPROCESSED; None without a result."""
        if not job.has_result:
            return None
        return self.jobs.unprocessed(job.id) if job.status is JobStatus.FAILED else 0

    def page(self, org_id: int, wanted: JobFilter, *, before: int | None, most: int) -> list[Job]:
        """Returns at most `most` jobs of an org that a filter matches, newest first.

        With `before`, the jobs whose ids are lower.
        """
        return self.jobs.page(org_id, wanted, before=before, most=most)

    def open_result(self, org_id: int, job_id: int) -> BinaryIO:
        """Opens the zip with a job's result, after its checksum was verified.

        Raises LinkNotValid if there is none (facts 5), ResultDamaged if the checksum differs.
        """
        job = self._ended(org_id, job_id)
        with _as_link():
            return results.open_verified(self.files, job_id, job.result_sha256)

    def open_result_to_send(self, org_id: int, job_id: int) -> tuple[BinaryIO, str | None]:
        """Opens the zip with a job's result to send it (`results.open_to_send`).

        Raises what `open_result` raises.
        """
        job = self._ended(org_id, job_id)
        with _as_link():
            return results.open_to_send(self.files, job_id, job.result_sha256)

    def result_size(self, org_id: int, job_id: int) -> int:
        """Returns the size of the zip with a job's result in bytes. Raises LinkNotValid."""
        self._ended(org_id, job_id)
        with _as_link():
            return self.files.size(Area.RESULTS, job_id)

    def _ended(self, org_id: int, job_id: int) -> Job:
        """Returns a job that has a result. Raises LinkNotValid."""
        job = self.jobs.job(org_id, job_id)
        if job is None or not job.has_result or job.result_swept:
            raise LinkNotValid
        return job

    def _add(self, job: Job, caller: Caller, key: IdempotencyKey | None, *, wake: bool) -> Job:
        with self.jobs.transaction():
            if job.fingerprint is not None:
                self.jobs.lock_fingerprint(job.fingerprint)
                unfinished = self.jobs.find_unfinished(job.org_id, job.fingerprint)
                if unfinished is not None:
                    return self.details(job.org_id, unfinished)
            # Before the pin a sweep may have deleted the upload; after it no sweep can.
            if not self.upload_store.pin_upload(job.org_id, job.resources[0].file_id):
                raise InvalidFileId(details={"json_path": "$.resource[0].file_id"})
            numbered = replace(job, id=self.modules.take_ids(1))
            if key is not None:
                find = partial(self.jobs.job, job.org_id)
                first = self.keys.take(job.org_id, key, numbered.id, find)
                if first is not None:
                    return first
            self.jobs.add(numbered, wake=wake)
            self.audit.record_call(Action.JOB_CREATED, caller, _described(numbered))
        return numbered

    def _check_without_reading(self, caller: Caller, request: JobRequest, encoding: str) -> None:
        """Checks all that needs no text of the file, if the file was never read in this encoding.

        Reading it takes long, and a request that is rejected anyway must not cause that.
        """
        widest = ("",) * self.limits.columns
        for number, wanted in enumerate(request.resources):
            place = f"$.resource[{number}]"
            module = self._module(caller, request.operation, wanted.module)
            upload = self._upload(caller.org_id, wanted, place)
            if not self.uploads.must_read(upload, encoding):
                return
            if parse_id(request.resources[0].file_id, leading_zeros=True) != upload.id:
                raise InvalidData(_ONE_ZIP, {"json_path": f"{place}.file_id"})
            mappings = self._mappings(request, wanted, place)
            if mappings is not None:
                parent = widest if number else None
                self._rules(request, wanted, module, place, widest, parent).check(mappings)

    def _resource(
        self,
        caller: Caller,
        request: JobRequest,
        wanted: ResourceRequest,
        place: str,
        encoding: str | None,
        parent: CsvFacts | None,
    ) -> tuple[CsvFacts, Resource]:
        """Returns one checked resource and its CSV.

        `parent` is the CSV of the first resource; None for the first resource itself.
        """
        module = self._module(caller, request.operation, wanted.module)
        if request.all_or_nothing and not module.table_kind.keeps_images:
            raise InvalidData(
                f"{module.api_name} is an existing table: its jobs cannot be undone, so that "
                "all_or_nothing is not possible. Check the file with a dry run first.",
                {"json_path": "$.on_error"},
            )
        columns = {m.index for m in wanted.mappings or () if m.index is not None}
        with _naming(place):
            file_id, csv = self._csv(caller.org_id, wanted, place, encoding)
            csv, reading = decide(csv, module, columns, request.delimiters)
        if len(csv.header) > self.limits.columns:
            raise HeaderLimitExceeded
        if self.limits.rows is not None and csv.rows is not None and csv.rows > self.limits.rows:
            raise LimitExceeded(f"The file has more than {self.limits.rows} records.")
        header = None if parent is None else parent.header
        rules = self._rules(request, wanted, module, place, csv.header, header)
        if wanted.make_mappings is not None:
            mappings = wanted.make_mappings(module, csv.header)
        else:
            mappings = self._mappings(request, wanted, place) or rules.by_header()
        rules.check(mappings)
        self._check_defaults(mappings, csv, place)
        ignore_empty = request.ignore_empty if wanted.ignore_empty is None else wanted.ignore_empty
        resource = Resource(
            module=module.api_name,
            module_id=module.id,
            file_id=file_id,
            file_name=csv.name,
            mappings=mappings,
            find_by=wanted.find_by,
            ignore_empty=bool(ignore_empty),
            auto_mapped=wanted.by_header
            or (wanted.mappings is None and wanted.make_mappings is None),
        )
        return csv, replace(resource, reading=with_left_out(reading, csv.header, resource))

    def _rules(
        self,
        request: JobRequest,
        wanted: ResourceRequest,
        module: Module,
        place: str,
        header: Sequence[str],
        parent_header: Sequence[str] | None,
    ) -> MappingRules:
        return MappingRules(
            self.modules, module, request.operation, wanted.find_by, header, place,
            self.layout_mandatory, parent_header,
        )  # fmt: skip

    def _mappings(
        self, request: JobRequest, wanted: ResourceRequest, place: str
    ) -> tuple[FieldMapping, ...] | None:
        """Returns the mappings of a resource; None if the header of its file names the fields."""
        details = {"json_path": f"{place}.field_mappings"}
        if wanted.mappings is None and len(request.resources) > 1:
            raise MandatoryNotFound("Required key field_mappings is not available", details)
        if wanted.mappings is not None and len(wanted.mappings) > self.limits.mappings:
            raise LimitExceeded(f"More than {self.limits.mappings} field mappings.", details)
        return wanted.mappings

    def _check_defaults(self, mappings: Sequence[FieldMapping], csv: CsvFacts, place: str) -> None:
        """Checks the text that default values add. Where rows are not counted, the worker does."""
        added = default_bytes(mappings) * (csv.rows or 0)
        if added > self.limits.default_bytes:
            raise LimitExceeded(
                f"The default values add {added} bytes to {csv.rows} records; "
                f"{self.limits.default_bytes} are allowed.",
                {"json_path": f"{place}.field_mappings"},
            )

    def _module(self, caller: Caller, operation: Operation, name: str) -> Module:
        module = self.modules.module(caller.org_id, name)
        if module is None or not module.bulk_write:
            raise ModuleNotAvailable(f"Requested module '{shortened(name)}' is not available.")
        is_custom = module.generated_type == "custom"
        needed = scope.bulk_write(
            module.api_name, is_custom=is_custom, updates=operation is Operation.UPDATE
        )
        if not scope.permits(caller.scopes, needed):
            raise ScopeMismatch
        return module

    def _upload(self, org_id: int, wanted: ResourceRequest, place: str) -> Upload:
        number = parse_id(wanted.file_id, leading_zeros=True)
        upload = None if number is None else self.upload_store.upload(org_id, number)
        if upload is None:
            # Not FILE_NOT_FOUND: the v2 SDK treats an unknown code as a success (facts 9.1).
            raise InvalidFileId(details={"json_path": f"{place}.file_id"})
        return upload

    def _csv(
        self, org_id: int, wanted: ResourceRequest, place: str, encoding: str | None
    ) -> tuple[int, CsvFacts]:
        upload = self._upload(org_id, wanted, place)
        try:
            csvs = self.uploads.facts(upload, encoding)
        except FileNotFoundError:  # a sweep deleted it meanwhile
            raise InvalidFileId(details={"json_path": f"{place}.file_id"}) from None
        if not csvs and upload.problem is not None:
            raise FileNotSupported(upload.problem)
        if wanted.file_names:
            return upload.id, _named(csvs, wanted.file_names, place)
        if len(csvs) != 1:
            # There is none, or the request does not name one of several (facts 2.3).
            raise FileNotSupported
        return upload.id, csvs[0]


def _described(job: Job) -> str:
    """Returns what the audit log says of a new job."""
    modules = ", ".join(resource.module for resource in job.resources)
    text = f"{job.id}: {job.operation.value} {modules} from file {job.resources[0].file_id}"
    return f"{text}, dry run" if job.dry else text


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Lets every FileNotSupported of the block name the file of a resource."""
    try:
        yield
    except FileNotSupported as error:  # it may be kept for the next job, so it is not changed
        raise FileNotSupported(error.message, {"json_path": f"{place}.file_id"}) from error


@contextmanager
def _as_link() -> Iterator[None]:
    """Raises LinkNotValid for a file that does not exist."""
    try:
        yield
    except FileNotFoundError:
        raise LinkNotValid from None


def _named(csvs: Sequence[CsvFacts], names: Sequence[str], place: str) -> CsvFacts:
    """Returns the CSV that a resource names. A resource has exactly one (facts 3.2)."""
    found = [csv for csv in csvs if csv.name in names]
    if len(names) != 1 or len(found) != 1:
        raise FileNotFound(details={"json_path": f"{place}.file_names"})
    return found[0]


def _encoding(name: str | None) -> str | None:
    try:
        return None if name is None else canonical_encoding(name)
    except InvalidData as error:
        raise InvalidData(error.message, {"json_path": "$.character_encoding"}) from None
