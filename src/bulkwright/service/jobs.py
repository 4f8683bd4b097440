"""A job is asked for, looked at, and its result fetched.

Creation checks everything that can be known before the first row is read, so that a mistake is
answered at once and by name (facts 3.6) instead of failing a job later.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from bulkwright.csvzip.text import canonical_encoding
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
from bulkwright.domain.job import Callback, Job, Operation, Person, Resource
from bulkwright.domain.limits import Limits
from bulkwright.domain.module import Module
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.upload import CsvFacts
from bulkwright.files import Area, Damaged, Files
from bulkwright.service.mapping import MappingRules
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore

_log = logging.getLogger("bulkwright.jobs")

_LONGEST_URL = 2_000
_BIGGEST_ID = 2**63


@dataclass(frozen=True, slots=True)
class JobService:
    """Creates jobs and tells about them; a worker runs them."""

    accounts: AccountStore
    modules: ModuleStore
    jobs: JobStore
    files: Files
    uploads: UploadService
    limits: Limits
    layout_mandatory: bool = False
    """Whether layout-mandatory fields must be mapped too; the founding page's sample maps fewer."""

    def create(self, caller: Caller, request: JobRequest) -> Job:
        """Check a request and add its job. Raises the RequestError that names what is wrong."""
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
            created_time=datetime.now(UTC).astimezone(ZoneInfo(user.time_zone)),
            time_zone=user.time_zone,
            resources=tuple(resources),
            character_encoding=encoding,
            ignore_empty=request.ignore_empty,
            callback=request.callback,
            fingerprint=request.fingerprint,
            version=request.version,
        )
        return self._added(job)

    def details(self, org_id: int, job_id: int) -> Job:
        """A job of an org as it stands now. Raises ResourceNotFound."""
        job = self.jobs.job(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job

    def open_result(self, org_id: int, job_id: int) -> BinaryIO:
        """The zip with a job's result, open and proven to be the one that was made.

        Raises LinkNotValid when there is none (facts 5), ResultDamaged when it is another one.
        """
        job = self.jobs.job(org_id, job_id)
        if job is None or not job.has_result or job.result_swept:
            raise LinkNotValid
        try:
            return self.files.open(Area.RESULTS, job_id, job.result_sha256)
        except FileNotFoundError:
            raise LinkNotValid from None
        except Damaged as damage:
            _log.error("job %d: %s; restore it from a backup", job_id, damage)
            raise ResultDamaged from damage

    def _added(self, job: Job) -> Job:
        numbered = replace(job, id=self.modules.take_ids(1))
        with self.jobs.together():
            # From here on no sweep takes the upload; until now one may have.
            if not self.jobs.hold_upload(job.org_id, job.resources[0].file_id):
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
        """One resource and its CSV; `parent` is the first resource's, for those after it."""
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
        ignore = request.ignore_empty if wanted.ignore_empty is None else wanted.ignore_empty
        return csv, Resource(
            module=module.api_name,
            module_id=module.id,
            file_id=file_id,
            file_name=csv.name,
            mappings=mappings,
            find_by=wanted.find_by,
            ignore_empty=bool(ignore),
            auto_mapped=wanted.mappings is None,
        )

    def _module(self, caller: Caller, operation: Operation, name: str) -> Module:
        module = self.modules.module(caller.org_id, name)
        if module is None or not module.bulk_write:
            shown = name if len(name) <= 100 else f"{name[:100]}..."
            raise ModuleNotAvailable(f"Requested module '{shown}' is not available.")
        if not scope.permits(caller.scopes, _write_scopes(module, operation)):
            raise ScopeMismatch
        return module

    def _csv(
        self, org_id: int, wanted: ResourceRequest, place: str, encoding: str | None
    ) -> tuple[int, CsvFacts]:
        spot = {"json_path": f"{place}.file_id"}
        text = wanted.file_id
        if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text)):
            raise InvalidFileId(details=spot)
        upload = self.jobs.upload(org_id, int(text)) if int(text) < _BIGGEST_ID else None
        if upload is None:
            # Not FILE_NOT_FOUND: the v2 SDK would take a code it does not know for a success
            # (facts 9.1).
            raise InvalidFileId(details=spot)
        csvs = upload.csvs
        if encoding is not None and (not csvs or any(c.encoding != encoding for c in csvs)):
            try:
                csvs = self.uploads.read_as(upload, encoding)
            except FileNotFoundError:
                raise InvalidFileId(details=spot) from None  # swept at this very moment
        if wanted.file_names:
            return upload.id, _named(csvs, wanted.file_names, place)
        if len(csvs) != 1:
            # Which one is meant is not said, or there is none (facts 2.3).
            raise FileNotSupported(details=spot)
        return upload.id, csvs[0]


def _named(csvs: Sequence[CsvFacts], names: Sequence[str], place: str) -> CsvFacts:
    """The CSV that a resource names; one resource takes one (facts 3.2)."""
    found = [csv for csv in csvs if csv.name in names]
    if len(names) != 1 or len(found) != 1:
        raise FileNotFound(details={"json_path": f"{place}.file_names"})
    return found[0]


def _check_callback(callback: Callback | None) -> None:
    if callback is None:
        return
    if callback.method.lower() != "post":
        raise InvalidCallbackMethod(details={"supported_callback_methods": ["post"]})
    spot = {"json_path": "$.callback.url"}
    if len(callback.url) > _LONGEST_URL:
        raise InvalidCallbackUrl(details=spot)
    try:
        # The parser that connects later. Where a name leads is looked at then, each time anew.
        parse_endpoint(callback.url)
    except InvalidEndpoint:
        raise InvalidCallbackUrl(details=spot) from None


def _encoding(name: str | None) -> str | None:
    try:
        return None if name is None else canonical_encoding(name)
    except InvalidData as error:
        raise InvalidData(error.message, {"json_path": "$.character_encoding"}) from None


def _write_scopes(module: Module, operation: Operation) -> tuple[str, ...]:
    """Scopes of which one is needed (facts 3.1; client contract 4 has the operation's own)."""
    name = module.api_name.lower()
    names = {name, name.replace("_", "")}
    if module.generated_type == "custom":
        names.add("custom")
    needed = [s for n in sorted(names) for s in scope.module_write(n)]
    if operation is Operation.UPDATE:
        needed += [f"zohocrm.modules.{n}.update" for n in sorted(names)]
    return tuple(needed)
