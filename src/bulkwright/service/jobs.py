"""Creates jobs, returns their details and opens their results. Workers run them.

Creation checks everything that can be known before the first row is read. So a mistake is rejected
at once with its error code (facts 3.6), instead of failing the job later.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.domain.errors import (
    FileNotFound,
    FileNotSupported,
    HeaderLimitExceeded,
    InvalidCallbackMethod,
    InvalidCallbackUrl,
    InvalidData,
    InvalidFileId,
    InvalidToken,
    LimitExceeded,
    LinkNotValid,
    MandatoryNotFound,
    ModuleNotAvailable,
    ResourceNotFound,
    ResultDamaged,
    ScopeMismatch,
)
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Callback, Job, Operation, Person, Resource
from bulkwright.domain.limits import Limits
from bulkwright.domain.module import Module
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.upload import CsvFacts
from bulkwright.files import Area, DamagedFile, Files
from bulkwright.formats.csv import canonical_encoding
from bulkwright.service.mapping import MappingRules, shortened
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.uploads import UploadStore

_log = logging.getLogger("bulkwright.jobs")

_MAX_URL_LENGTH = 2_000
"""Most characters of a callback URL."""


@dataclass(frozen=True, slots=True)
class JobService:
    """Creates and returns the jobs of an org."""

    accounts: AccountStore
    modules: ModuleStore
    jobs: JobStore
    upload_store: UploadStore
    files: Files
    uploads: UploadService
    limits: Limits
    layout_mandatory: bool = False
    """Whether layout-mandatory fields must be mapped too; the founding page's sample maps fewer."""
    clock: Clock = SYSTEM_CLOCK

    def create(self, caller: Caller, request: JobRequest) -> Job:
        """Checks a request and adds its job. Raises the RequestError of the first mistake."""
        user = self.accounts.user(caller.org_id, caller.user_id)
        if user is None:
            raise InvalidToken
        _check_callback(request.callback)
        encoding = _encoding(request.character_encoding)
        resources: list[Resource] = []
        parent: CsvFacts | None = None
        for number, wanted in enumerate(request.resources):
            place = f"$.resource[{number}]"
            csv, resource = self._resource(caller, request, wanted, place, encoding, parent)
            if any(r.file_id != resource.file_id for r in resources):
                raise InvalidData("a job takes one zip", {"json_path": f"{place}.file_id"})
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
        )
        return self._add(job)

    def details(self, org_id: int, job_id: int) -> Job:
        """Returns a job of an org as it is now. Raises ResourceNotFound."""
        job = self.jobs.job(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job

    def open_result(self, org_id: int, job_id: int) -> BinaryIO:
        """Opens the zip with a job's result, after its checksum was verified.

        Raises LinkNotValid if there is none (facts 5), ResultDamaged if the checksum differs.
        """
        job = self.jobs.job(org_id, job_id)
        if job is None or not job.has_result or job.result_swept:
            raise LinkNotValid
        try:
            return self.files.open(Area.RESULTS, job_id, job.result_sha256)
        except FileNotFoundError:
            raise LinkNotValid from None
        except DamagedFile as damage:
            _log.error("job %d: %s; restore it from a backup", job_id, damage)
            raise ResultDamaged from damage

    def _add(self, job: Job) -> Job:
        numbered = replace(job, id=self.modules.take_ids(1))
        with self.jobs.transaction():
            # Before the pin a sweep may have deleted the upload; after it no sweep can.
            if not self.upload_store.pin_upload(job.org_id, job.resources[0].file_id):
                raise InvalidFileId(details={"json_path": "$.resource[0].file_id"})
            self.jobs.add(numbered)
        return numbered

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
        file_id, csv = self._csv(caller.org_id, wanted, place, encoding)
        if len(csv.header) > self.limits.columns:
            raise HeaderLimitExceeded
        if self.limits.rows is not None and csv.rows is not None and csv.rows > self.limits.rows:
            raise LimitExceeded(f"The file has more than {self.limits.rows} records.")
        rules = MappingRules(
            self.modules, module, request.operation, wanted.find_by, csv.header, place,
            self.layout_mandatory, None if parent is None else parent.header,
        )  # fmt: skip
        if wanted.mappings is None and len(request.resources) > 1:
            raise MandatoryNotFound(
                "Required key field_mappings is not available",
                {"json_path": f"{place}.field_mappings"},
            )
        if wanted.mappings is None:
            mappings = rules.by_header()
        else:
            if len(wanted.mappings) > self.limits.mappings:
                raise LimitExceeded(
                    f"More than {self.limits.mappings} field mappings.",
                    {"json_path": f"{place}.field_mappings"},
                )
            mappings = wanted.mappings
        rules.check(mappings)
        ignore_empty = request.ignore_empty if wanted.ignore_empty is None else wanted.ignore_empty
        return csv, Resource(
            module=module.api_name,
            module_id=module.id,
            file_id=file_id,
            file_name=csv.name,
            mappings=mappings,
            find_by=wanted.find_by,
            ignore_empty=bool(ignore_empty),
            auto_mapped=wanted.mappings is None,
        )

    def _module(self, caller: Caller, operation: Operation, name: str) -> Module:
        module = self.modules.module(caller.org_id, name)
        if module is None or not module.bulk_write:
            raise ModuleNotAvailable(f"Requested module '{shortened(name)}' is not available.")
        if not scope.permits(caller.scopes, _write_scopes(module, operation)):
            raise ScopeMismatch
        return module

    def _csv(
        self, org_id: int, wanted: ResourceRequest, place: str, encoding: str | None
    ) -> tuple[int, CsvFacts]:
        details = {"json_path": f"{place}.file_id"}
        number = parse_id(wanted.file_id, leading_zeros=True)
        upload = None if number is None else self.upload_store.upload(org_id, number)
        if upload is None:
            # Not FILE_NOT_FOUND: the v2 SDK treats an unknown code as a success (facts 9.1).
            raise InvalidFileId(details=details)
        csvs = upload.csvs
        if encoding is not None and (not csvs or any(c.encoding != encoding for c in csvs)):
            try:
                csvs = self.uploads.read_as(upload, encoding)
            except FileNotFoundError:
                raise InvalidFileId(details=details) from None  # a sweep deleted it meanwhile
        if wanted.file_names:
            return upload.id, _named(csvs, wanted.file_names, place)
        if len(csvs) != 1:
            # There is none, or the request does not name one of several (facts 2.3).
            raise FileNotSupported(details=details)
        return upload.id, csvs[0]


def _named(csvs: Sequence[CsvFacts], names: Sequence[str], place: str) -> CsvFacts:
    """Returns the CSV that a resource names. A resource has exactly one (facts 3.2)."""
    found = [csv for csv in csvs if csv.name in names]
    if len(names) != 1 or len(found) != 1:
        raise FileNotFound(details={"json_path": f"{place}.file_names"})
    return found[0]


def _check_callback(callback: Callback | None) -> None:
    if callback is None:
        return
    if callback.method.lower() != "post":
        raise InvalidCallbackMethod(details={"supported_callback_methods": ["post"]})
    details = {"json_path": "$.callback.url"}
    if len(callback.url) > _MAX_URL_LENGTH:
        raise InvalidCallbackUrl(details=details)
    try:
        # The sender uses the same parser. It resolves and checks the host at each attempt.
        parse_endpoint(callback.url)
    except InvalidEndpoint:
        raise InvalidCallbackUrl(details=details) from None


def _encoding(name: str | None) -> str | None:
    try:
        return None if name is None else canonical_encoding(name)
    except InvalidData as error:
        raise InvalidData(error.message, {"json_path": "$.character_encoding"}) from None


def _write_scopes(module: Module, operation: Operation) -> tuple[str, ...]:
    """Returns the scopes of which the caller needs one (facts 3.1; client contract 4)."""
    name = module.api_name.lower()
    names = {name, name.replace("_", "")}
    if module.generated_type == "custom":
        names.add("custom")
    needed = [s for n in sorted(names) for s in scope.module_write(n)]
    if operation is Operation.UPDATE:
        needed += [f"zohocrm.modules.{n}.update" for n in sorted(names)]
    return tuple(needed)
