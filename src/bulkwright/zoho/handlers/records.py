"""Records, read beside bulk write (facts 9)."""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.errors import LimitExceeded, RequiredParamMissing
from bulkwright.domain.limits import LISTED_FIELDS, RECORD_PAGES, RECORDS_PER_PAGE
from bulkwright.web.request import Request
from bulkwright.web.response import NO_CONTENT, Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.parse.path import record_id
from bulkwright.zoho.parse.query import listed_names, whole_number
from bulkwright.zoho.present import records as present


async def records(zoho: ZohoContext, request: Request) -> Response:
    """Returns a page of records, newest first."""
    query = request.query()
    fields = listed_names(query, "fields")
    if zoho.version(request).fields_required:
        _check_fields(fields)
    page = await request.run(
        zoho.services.records.page,
        caller_of(request),
        request.params["module"],
        number=whole_number(query, "page", 1, RECORD_PAGES),
        per_page=whole_number(query, "per_page", RECORDS_PER_PAGE, RECORDS_PER_PAGE),
    )
    if not page.records:
        return NO_CONTENT
    return json_response(present.records(page, fields))


async def record(zoho: ZohoContext, request: Request) -> Response:
    """Returns one record."""
    caller, module = caller_of(request), request.params["module"]
    fields = listed_names(request.query(), "fields")
    found = await request.run(zoho.services.records.record, caller, module, record_id(request))
    return NO_CONTENT if found is None else json_response(present.record(found, fields))


def _check_fields(fields: Sequence[str]) -> None:
    if not fields:
        raise RequiredParamMissing(details={"param_name": "fields"})
    if len(fields) > LISTED_FIELDS:
        raise LimitExceeded(
            "Fields limit exceeded", {"param_name": "fields", "limit": LISTED_FIELDS}
        )
