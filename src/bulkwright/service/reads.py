"""Creates bulk reads, returns their details and opens their results. Workers run them.

Creation checks everything that can be known before the first record is read.
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
from bulkwright.domain.account import Caller, User
from bulkwright.domain.audit import Action
from bulkwright.domain.criteria import conditions
from bulkwright.domain.errors import (
    InvalidToken,
    ModuleNotAvailable,
    ResourceNotFound,
)
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.job import Person
from bulkwright.domain.limits import READ_PAGES, Limits
from bulkwright.domain.module import Module
from bulkwright.domain.read_errors import FieldNotAvailable, PageRangeExceeded
from bulkwright.domain.read_job import BoundQuery, ReadJob, ReadQuery, ReadRequest
from bulkwright.domain.record_errors import ExpiredToken, TokenMismatch
from bulkwright.domain.record_write import NotStored
from bulkwright.files import Area, Files
from bulkwright.service import results
from bulkwright.service.audit import AuditLog
from bulkwright.service.callbacks import WhyNever, check_callback
from bulkwright.service.mapping import shortened
from bulkwright.service.open_jobs import check_open_jobs
from bulkwright.service.read_criteria import ReadCriteria, is_elsewhere
from bulkwright.service.record_access import require_scope
from bulkwright.store.accounts import AccountStore
from bulkwright.store.idempotency import IdempotencyStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.reads import ReadStore, bound_json
from bulkwright.store.records import RecordStore


@dataclass(frozen=True, slots=True)
class ReadService:
    """Creates and returns the bulk reads of an org."""

    accounts: AccountStore
    modules: ModuleStore
    reads: ReadStore
    jobs: JobStore
    records: RecordStore
    files: Files
    keys: IdempotencyStore
    audit: AuditLog
    limits: Limits
    clock: Clock = SYSTEM_CLOCK
    why_never: WhyNever = lambda _endpoint: None

    def create(self, caller: Caller, request: ReadRequest) -> ReadJob:
        """Checks a request and adds its job.

        If the request has an idempotency key, returns the job of the first request with this key.
        Raises the RequestError of the first mistake, and NotStored for what is documented and not
        served.
        """
        user = self.accounts.user(caller.org_id, caller.user_id)
        if user is None:
            raise InvalidToken
        if request.idempotency is not None:
            known = self.keys.known(
                caller.org_id, request.idempotency, partial(self.reads.job, caller.org_id)
            )
            if known is not None:
                return known
        check_open_jobs(self.jobs, caller.org_id, self.limits)
        check_callback(request.callback, self.why_never)
        name, query = self._wanted(caller, request)
        module = self._module(caller, name)
        if not 1 <= query.page <= READ_PAGES and query.after is None:
            raise PageRangeExceeded(
                f"Invalid page number for query. Page {query.page} is not supported for the query. "
                f"Page range is from 1 to {READ_PAGES}.",
                {"max_limit": READ_PAGES},
            )
        _check_fields(module, query.fields or ())
        job = ReadJob(
            id=0,
            org_id=caller.org_id,
            module=module.api_name,
            module_id=module.id,
            query=query,
            bound=self._bound(user, module, query),
            created_by=Person(user.id, user.name),
            created_time=self.clock.now().astimezone(ZoneInfo(user.time_zone)),
            time_zone=user.time_zone,
            callback=request.callback,
            version=request.version,
        )
        return self._add(job, caller, request.idempotency)

    def page(self, org_id: int, *, before: int | None, most: int) -> list[ReadJob]:
        """Returns at most `most` bulk reads of an org, newest first.

        With `before`, those whose ids are lower.
        """
        return self.reads.page(org_id, before=before, most=most)

    def details(self, org_id: int, job_id: int) -> ReadJob:
        """Returns a bulk read of an org as it is now. Raises ResourceNotFound."""
        job = self.reads.job(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job

    def open_result_to_send(self, org_id: int, job_id: int) -> tuple[BinaryIO, str | None]:
        """Opens the zip with the CSV to send it (`results.open_to_send`).

        Raises ResourceNotFound if there is none, ResultDamaged if its checksum differs.
        """
        job = self._ended(org_id, job_id)
        with _as_not_found():
            return results.open_to_send(self.files, job_id, job.result_sha256)

    def result_size(self, org_id: int, job_id: int) -> int:
        """Returns the size of the zip with the CSV in bytes. Raises ResourceNotFound."""
        self._ended(org_id, job_id)
        with _as_not_found():
            return self.files.size(Area.RESULTS, job_id)

    def _add(self, job: ReadJob, caller: Caller, key: IdempotencyKey | None) -> ReadJob:
        with self.reads.transaction():
            numbered = replace(job, id=self.modules.take_ids(1))
            if key is not None:
                find = partial(self.reads.job, job.org_id)
                first = self.keys.take(job.org_id, key, numbered.id, find)
                if first is not None:
                    return first
            self.reads.add(numbered)
            self.audit.record_call(Action.JOB_CREATED, caller, f"{numbered.id}: read {job.module}")
        return numbered

    def _ended(self, org_id: int, job_id: int) -> ReadJob:
        job = self.details(org_id, job_id)
        if not job.has_result or job.result_swept:
            raise ResourceNotFound
        return job

    def _wanted(self, caller: Caller, request: ReadRequest) -> tuple[str, ReadQuery]:
        """Returns the module and the query; those of an earlier job if a token continues it."""
        if request.continues is None:
            return request.module, request.query
        before = self.reads.job(caller.org_id, request.continues)
        if before is None or before.read is None or not before.read.more:
            raise ExpiredToken(details={"param_name": "page_token"})
        given, kept = request.query, replace(before.query, page=before.query.page + 1)
        agree = (
            request.module in ("", before.module),
            given.page in (1, kept.page),
            given.fields in (None, kept.fields),
            given.criteria in (None, kept.criteria),
        )
        if not all(agree):
            raise TokenMismatch(details={"param_name": "page_token"})
        return before.module, replace(kept, after=before.read.last_id, page_token=given.page_token)

    def _module(self, caller: Caller, name: str) -> Module:
        module = self.modules.module(caller.org_id, name)
        if module is None:
            named = shortened(name)
            raise ModuleNotAvailable(
                f"Requested module '{named}' is not available.", {"api_name": named}
            )
        require_scope(module, caller, scope.module_read)
        if not module.table_kind.has_all_operations:
            raise NotStored("query.module of an existing table")
        return module

    def _bound(self, user: User, module: Module, query: ReadQuery) -> BoundQuery:
        if query.criteria is None:
            return BoundQuery(None, {})
        found = ReadCriteria(module, self.modules, self.records, ZoneInfo(user.time_zone)).bind(
            query.criteria
        )
        named = {c.field: module.field(c.field) for c in conditions(query.criteria)}
        ids = {name: field.id for name, field in named.items() if field is not None}
        return BoundQuery(bound_json(found), ids)


def _check_fields(module: Module, names: Sequence[str]) -> None:
    for name in names:
        if is_elsewhere(module, name):
            raise NotStored(f"query.fields {shortened(name)}")
        if module.field(name) is None:
            raise FieldNotAvailable(
                f"Requested field api name '{shortened(name)}' is not available for the module "
                f"'{module.api_name}'. Check permission or visibility for the field.",
                {"api_name": shortened(name), "module": module.api_name},
            )


@contextmanager
def _as_not_found() -> Iterator[None]:
    """Raises ResourceNotFound for a file that does not exist."""
    try:
        yield
    except FileNotFoundError:
        raise ResourceNotFound from None
