"""The endpoints of bulk read: create, details, result (facts 12)."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from bulkwright.domain.idempotency import idempotency_key
from bulkwright.domain.limits import JSON_BODY_BYTES
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.record_write import NotStored
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.handlers.bulk_write import IDEMPOTENCY_KEY, LONG_BODY_BYTES, long_body
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.path import job_id
from bulkwright.zoho.parse.reads import read_request
from bulkwright.zoho.present import reads as present


async def create(zoho: ZohoContext, request: Request) -> Response:
    """Creates a bulk read. The body is JSON, whatever its Content-Type says."""
    body = await request.body(JSON_BODY_BYTES)
    version, text = zoho.version(request).name, request.header(IDEMPOTENCY_KEY)
    key = None if text is None else idempotency_key(text, b"read", version.encode(), body)

    def parse_and_create() -> ReadJob:
        with long_body if len(body) > LONG_BODY_BYTES else nullcontext():
            # The callback of the job uses the version of this request.
            wanted = replace(read_request(body), version=version, idempotency=key)
        return zoho.services.reads.create(caller_of(request), wanted)

    try:
        job = await request.run(parse_and_create)
    except NotStored as gap:
        raise not_served(zoho, request, gap.api_name) from None
    return json_response(present.created(job), 201)


def details(zoho: ZohoContext, request: Request) -> Response:
    """Returns the details of a bulk read."""
    job = zoho.services.reads.details(caller_of(request).org_id, job_id(request))
    return json_response(present.details(job, zoho.version(request)))


async def result(zoho: ZohoContext, request: Request) -> Response:
    """Returns the zip with the CSV of a bulk read."""
    org_id, number = caller_of(request).org_id, job_id(request)
    disposition = b'attachment; filename="%d.zip"' % number
    headers = ((b"content-type", b"application/zip"), (b"content-disposition", disposition))
    if request.scope["method"] == "HEAD":
        size = await request.run(zoho.services.reads.result_size, org_id, number)
        return Response(200, headers=headers, size=size)
    file, unchecked = await request.run(zoho.services.reads.open_result_to_send, org_id, number)
    return Response(200, headers=headers, file=file, sha256=unchecked)
