"""The endpoints that read records: list, get, search, count, deleted (facts 9 and 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bulkwright.domain import scope
from bulkwright.domain.criteria import CriteriaGroup, conditions
from bulkwright.domain.errors import (
    InvalidData,
    LimitExceeded,
    RequiredParamMissing,
    ScopeMismatch,
)
from bulkwright.domain.limits import LISTED_FIELDS, PAGED_RECORDS, WORD_CHARACTERS
from bulkwright.domain.record_errors import (
    AmbiguousRequest,
    ApiNotSupported,
    CriteriaLimitExceeded,
    ExpectedParamMissing,
    LimitReached,
    PatternNotMatched,
)
from bulkwright.domain.record_write import NotStored
from bulkwright.service.records import RecordPage, Wanted
from bulkwright.web.request import Request
from bulkwright.web.response import NO_CONTENT, Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.criteria import parse_criteria
from bulkwright.zoho.parse.paging import Paging, next_token, paging, previous_token
from bulkwright.zoho.parse.path import record_id
from bulkwright.zoho.parse.query import listed_names
from bulkwright.zoho.parse.records import since_header
from bulkwright.zoho.present import records as present
from bulkwright.zoho.versions import Version

_NOT_MODIFIED = Response(304)
_SEARCHES = ("criteria", "email", "phone", "word")
_KINDS = {"all": ("recycle", "permanent"), "recycle": ("recycle",), "permanent": ("permanent",)}


async def records(zoho: ZohoContext, request: Request) -> Response:
    """Returns a page of records, newest first unless the query sorts them."""
    query, version = request.query(), zoho.version(request)
    fields = listed_names(query, "fields")
    if version.fields_required:
        _check_fields(fields)
    since = since_header(request.header(b"if-modified-since"))
    page = _paging(zoho, request, query, since)
    caller, module = caller_of(request), request.params["module"]
    try:
        found = await request.run_heavy(zoho.services.records.page, caller, module, page.query)
    except NotStored as gap:
        raise not_served(zoho, request, gap.api_name) from None
    if not found.records:
        return NO_CONTENT if since is None else _NOT_MODIFIED
    return json_response(present.records(found.records, _info(zoho, found, page, version), fields))


async def record(zoho: ZohoContext, request: Request) -> Response:
    """Returns one record."""
    caller, module = caller_of(request), request.params["module"]
    fields = listed_names(request.query(), "fields")
    found = await request.run(zoho.services.records.record, caller, module, record_id(request))
    if found is None:
        return NO_CONTENT
    since = since_header(request.header(b"if-modified-since"))
    modified = found.values.get("Modified_Time")
    if since is not None and isinstance(modified, datetime) and modified <= since:
        return _NOT_MODIFIED
    return json_response(present.record(found, fields))


async def search(zoho: ZohoContext, request: Request) -> Response:
    """Returns a page of the records that the query searches for."""
    query, version = request.query(), zoho.version(request)
    wanted = _wanted(query, version)
    if wanted.is_empty:
        raise ExpectedParamMissing(details={"param_names": _SEARCHES})
    page = _numbered(zoho, request, query, None)
    if page.number * page.query.per_page > PAGED_RECORDS:
        raise LimitReached(details={"limit": str(PAGED_RECORDS)})
    contains = _contains(wanted, version)

    def run() -> RecordPage:
        return zoho.services.records.search(
            caller_of(request), request.params["module"], wanted, page.query, contains=contains
        )

    try:
        found = await request.run_heavy(run)
    except NotStored as gap:
        raise not_served(zoho, request, gap.api_name) from None
    if not found.records:
        return NO_CONTENT
    info = present.page_info(len(found.records), page.query.per_page, page.number, found.has_more)
    if version.page_tokens:
        info |= {"sort_by": page.sort_by, "sort_order": page.sort_order}
    return json_response(present.records(found.records, info, listed_names(query, "fields")))


async def count(zoho: ZohoContext, request: Request) -> Response:
    """Returns how many records the query searches for."""
    query, version = request.query(), zoho.version(request)
    if not version.counts_records:
        raise ApiNotSupported(details={"supported_version": "v2.1"})
    _check_layout_scope(request)
    if "cvid" in query:
        others = [name for name in _SEARCHES if name in query]
        if others:
            both = [{"param_name": name} for name in ("cvid", *others)]
            raise AmbiguousRequest(
                "Please use either Cvid or Search Params. Combination of both the params is not "
                "allowed",
                {"ambiguity_due_to": both},
            )
        raise not_served(zoho, request, "cvid")
    wanted = _wanted(query, version)
    contains = _contains(wanted, version)

    def run() -> int:
        return zoho.services.records.count(
            caller_of(request), request.params["module"], wanted, contains=contains
        )

    try:
        return json_response({"count": await request.run_heavy(run)})
    except NotStored as gap:
        raise not_served(zoho, request, gap.api_name) from None


async def deleted(zoho: ZohoContext, request: Request) -> Response:
    """Returns a page of deleted records, newest first."""
    query = request.query()
    kind = (query.get("type") or "all").lower()
    if kind not in _KINDS:
        raise PatternNotMatched(details={"param_name": "type"})
    since = since_header(request.header(b"if-modified-since"))
    page = _numbered(zoho, request, query, since)
    found = await request.run(
        zoho.services.records.deleted,
        caller_of(request),
        request.params["module"],
        _KINDS[kind],
        page.query,
    )
    if not found.records:
        return NO_CONTENT if since is None else _NOT_MODIFIED
    info = present.page_info(len(found.records), page.query.per_page, page.number, found.has_more)
    return json_response(present.deleted(found.records, info))


def _paging(
    zoho: ZohoContext, request: Request, query: Mapping[str, str], since: datetime | None
) -> Paging:
    bound_to = f"{caller_of(request).user_id} {' '.join(request.route)} {request.params['module']}"
    return paging(query, zoho.version(request), bound_to, zoho.now(), since)


def _numbered(
    zoho: ZohoContext, request: Request, query: Mapping[str, str], since: datetime | None
) -> Paging:
    """Returns a page that has a number only: searches and deleted records have no tokens."""
    version = replace(zoho.version(request), page_tokens=False, paged_records=None)
    return paging(query, version, "", zoho.now(), since)


def _info(zoho: ZohoContext, found: RecordPage, page: Paging, version: Version) -> present.Json:
    """Returns what a page says of itself; from v3 on with the tokens of its neighbours."""
    size = len(found.records)
    if not version.page_tokens:
        return present.page_info(size, page.query.per_page, page.number, found.has_more)
    now = zoho.now()
    token = next_token(page, found.records[-1].id, now) if found.has_more else None
    return present.token_info(
        present.page_info(size, page.query.per_page, page.number, found.has_more),
        page.sort_by,
        page.sort_order,
        token,
        previous_token(page, now),
        now,
    )


def _wanted(query: Mapping[str, str], version: Version) -> Wanted:
    """Returns what a query searches for. Of several parameters the first one counts."""
    name = next((name for name in _SEARCHES if query.get(name)), None)
    if name is None:
        return Wanted()
    text = query[name].strip()
    if name != "criteria":
        if name == "word" and len(text) < WORD_CHARACTERS:
            raise InvalidData("provide atleast 2 letters for search", {"param_name": "word"})
        return Wanted(
            email=text if name == "email" else None,
            phone=text if name == "phone" else None,
            word=text if name == "word" else None,
        )
    criteria = parse_criteria(text)
    if sum(1 for _ in conditions(criteria)) > version.criteria:
        raise CriteriaLimitExceeded(
            f"no of criterium that can be given exceed the limit {version.criteria}",
            {"limit": version.criteria},
        )
    return Wanted(criteria)


def _contains(wanted: Wanted, version: Version) -> bool:
    """Whether `equals` means contains: from v6 on, and before for several conditions."""
    return version.equals_contains or isinstance(wanted.criteria, CriteriaGroup)


def _check_layout_scope(request: Request) -> None:
    scopes = caller_of(request).scopes
    if not scope.permits(scopes, scope.SETTINGS_LAYOUTS):
        raise ScopeMismatch


def _check_fields(fields: Sequence[str]) -> None:
    if not fields:
        raise RequiredParamMissing(details={"param_name": "fields"})
    if len(fields) > LISTED_FIELDS:
        raise LimitExceeded(
            "Fields limit exceeded", {"param_name": "fields", "limit": LISTED_FIELDS}
        )
