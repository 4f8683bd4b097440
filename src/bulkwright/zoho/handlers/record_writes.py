"""The endpoints that write single records (facts 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TypeVar

from bulkwright.domain import scope
from bulkwright.domain.errors import InvalidData, RequiredParamMissing
from bulkwright.domain.limits import RECORDS_BODY_BYTES, RECORDS_PER_CALL
from bulkwright.domain.record_write import NotStored, RecordFault, RecordOutcome
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.handlers.bulk_write import LONG_BODY_BYTES, long_body
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.records import RecordsRequest, records_request, since_header
from bulkwright.zoho.present import record_writes as present

T = TypeVar("T")


async def insert(zoho: ZohoContext, request: Request) -> Response:
    """Adds records."""
    calls, caller, module = zoho.services.record_calls, caller_of(request), _module(request)
    return await _answered(zoho, request, lambda r: calls.insert(caller, module, r.records), 201)


async def update(zoho: ZohoContext, request: Request) -> Response:
    """Changes records, which name their ids."""
    calls, caller, module = zoho.services.record_calls, caller_of(request), _module(request)
    since = since_header(request.header(b"if-unmodified-since"))
    return await _answered(
        zoho, request, lambda r: calls.update(caller, module, r.records, since), 200
    )


async def update_one(zoho: ZohoContext, request: Request) -> Response:
    """Changes the record in the path."""
    calls, caller, module = zoho.services.record_calls, caller_of(request), _module(request)
    since = since_header(request.header(b"if-unmodified-since"))

    def call(wanted: RecordsRequest) -> list[RecordOutcome]:
        if len(wanted.records) > 1:
            raise InvalidData(details={"maximum_length": 1, "api_name": "data"})
        (record,) = wanted.records
        named = replace(record, id=request.params["record_id"])
        return calls.update(caller, module, [named], since)

    return await _answered(zoho, request, call, 200, alone=True)


async def upsert(zoho: ZohoContext, request: Request) -> Response:
    """Changes the records that hold the values of a key, and adds the others."""
    calls, caller, module = zoho.services.record_calls, caller_of(request), _module(request)
    since = since_header(request.header(b"if-unmodified-since"))
    return await _answered(
        zoho,
        request,
        lambda r: calls.upsert(caller, module, r.records, r.check, since),
        200,
        upsert=True,
    )


async def delete(zoho: ZohoContext, request: Request) -> Response:
    """Deletes the records that the query names."""
    text = request.query().get("ids", "")
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not ids:
        check = zoho.services.record_calls.check
        await _stored(
            zoho,
            request,
            lambda: check(caller_of(request), _module(request), scope.module_delete),
        )
        name = zoho.version(request).missing_param_key
        raise RequiredParamMissing(details={name: "ids"})
    outcomes = await _delete(zoho, request, ids[: RECORDS_PER_CALL + 1])
    return _response(zoho, request, outcomes, 200)


async def delete_one(zoho: ZohoContext, request: Request) -> Response:
    """Deletes the record in the path."""
    record_id = request.params["record_id"]
    outcomes = await _delete(zoho, request, [record_id])
    return _response(zoho, request, outcomes, 200, alone=True)


async def _delete(zoho: ZohoContext, request: Request, ids: Sequence[str]) -> list[RecordOutcome]:
    delete = zoho.services.record_calls.delete
    return await _stored(zoho, request, lambda: delete(caller_of(request), _module(request), ids))


async def _answered(
    zoho: ZohoContext,
    request: Request,
    call: Callable[[RecordsRequest], list[RecordOutcome]],
    good: int,
    *,
    alone: bool = False,
    upsert: bool = False,
) -> Response:
    """Calls with the records in the body, and returns the response."""
    body = await request.body(RECORDS_BODY_BYTES)

    def run() -> list[RecordOutcome]:
        # Who may not write learns nothing about the body.
        scopes_of = scope.module_update if request.scope["method"] == "PUT" else scope.module_write
        zoho.services.record_calls.check(caller_of(request), _module(request), scopes_of)
        with long_body if len(body) > LONG_BODY_BYTES else nullcontext():
            wanted = records_request(body)
        if wanted.refused is not None:
            raise NotStored(wanted.refused)
        return call(wanted)

    outcomes = await _stored(zoho, request, run)
    return _response(zoho, request, outcomes, good, alone=alone, upsert=upsert)


async def _stored(zoho: ZohoContext, request: Request, work: Callable[[], T]) -> T:
    try:
        return await request.run_heavy(work)
    except NotStored as gap:
        # It must not be dropped in silence.
        raise not_served(zoho, request, gap.api_name) from None


def _response(
    zoho: ZohoContext,
    request: Request,
    outcomes: Sequence[RecordOutcome],
    good: int,
    *,
    alone: bool = False,
    upsert: bool = False,
) -> Response:
    """Returns the response; with `alone`, an unknown id in the path is the error of the call."""
    version = zoho.version(request)
    module = zoho.services.metadata.module(caller_of(request), _module(request))
    if alone:
        (outcome,) = outcomes
        if isinstance(outcome, RecordFault) and outcome.unknown_id:
            raise InvalidData(outcome.message, {"resource_path_index": 1})
    body = present.outcomes(outcomes, module, version, upsert=upsert)
    return json_response(body, present.status_of(outcomes, version, good))


def _module(request: Request) -> str:
    return request.params["module"]
