"""The endpoints of bulk write: upload, create, details, download."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from threading import Lock

from bulkwright.domain.idempotency import idempotency_key
from bulkwright.domain.job import Job
from bulkwright.domain.limits import JSON_BODY_BYTES
from bulkwright.domain.upload import Upload
from bulkwright.web.multipart import hand_over_file
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.parse.jobs import job_request
from bulkwright.zoho.parse.path import job_id, linked_job_id
from bulkwright.zoho.parse.upload import check_upload_headers
from bulkwright.zoho.present import jobs as present

IDEMPOTENCY_KEY = b"idempotency-key"
"""Not Zoho's: a request that is repeated with it has no second effect."""
LONG_BODY_BYTES = 64 * 1024
long_body = Lock()
"""Held while a long body is parsed. One thread of Python runs at a time: the threads that parse
would take its turns from the thread that answers all requests."""


async def upload(zoho: ZohoContext, request: Request) -> Response:
    """Receives a zip (facts 2)."""
    check_upload_headers(request, caller_of(request).org_id)
    received = await _receive(zoho, request)
    return json_response(present.uploaded(received))


async def create(zoho: ZohoContext, request: Request) -> Response:
    """Creates a job (facts 3). The body is JSON, whatever its Content-Type says."""
    body = await request.body(JSON_BODY_BYTES)
    version = zoho.version(request).name

    text = request.header(IDEMPOTENCY_KEY)
    key = None if text is None else idempotency_key(text, b"create", version.encode(), body)

    def parse_and_create() -> Job:
        with long_body if len(body) > LONG_BODY_BYTES else nullcontext():
            # The callback of the job uses the version of this request.
            wanted = replace(job_request(body), version=version, idempotency=key)
        return zoho.services.jobs.create(caller_of(request), wanted)

    # On a thread, because a long body takes long to parse.
    return json_response(present.created(await request.run(parse_and_create)), 201)


def details(zoho: ZohoContext, request: Request) -> Response:
    """Returns the details of a job (founding page)."""
    job = zoho.services.jobs.details(caller_of(request).org_id, job_id(request))
    return json_response(present.job_details(job, zoho.version(request)))


async def download(zoho: ZohoContext, request: Request) -> Response:
    """Returns the result of a job (facts 5)."""
    org_id = caller_of(request).org_id
    number = linked_job_id(request, org_id)
    disposition = b'attachment; filename="%d.zip"' % number
    headers = ((b"content-type", b"application/zip"), (b"content-disposition", disposition))
    if request.scope["method"] == "HEAD":
        size = await request.run(zoho.services.jobs.result_size, org_id, number)
        return Response(200, headers=headers, size=size)
    file, unchecked = await request.run(zoho.services.jobs.open_result_to_send, org_id, number)
    return Response(200, headers=headers, file=file, sha256=unchecked)


async def _receive(zoho: ZohoContext, request: Request) -> Upload:
    uploads, most = zoho.services.uploads, zoho.limits.upload_bytes
    key = request.header(IDEMPOTENCY_KEY)
    if key is not None:
        idempotency_key(key)  # refused before the file is received
    caller = caller_of(request)
    left = await request.run(uploads.admit, caller, key=key)
    return await hand_over_file(
        request,
        zoho.services.files.incoming(),
        left if most is None else min(most, left),
        lambda name, incoming: uploads.receive(caller, name, incoming, key),
    )
