"""Files: upload one."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.idempotency import idempotency_key
from bulkwright.domain.scope import JOBS_CREATE
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, json_answer
from bulkwright.v1.present import file_snapshot
from bulkwright.web.multipart import hand_over_file
from bulkwright.web.route import BodyDoc, ParameterDoc, ResponseDoc
from bulkwright.wire import own

IDEMPOTENCY_HEADER = ParameterDoc(
    "Idempotency-Key", "header",
    "A request that is repeated with its key has no second effect, and gets the first response.",
    {"type": "string"},
)  # fmt: skip


def key_of(call: OwnCall) -> str | None:
    """Returns the idempotency key of a request. Raises InvalidData."""
    text = call.request.header(b"idempotency-key")
    if text is not None:
        idempotency_key(text)
    return text


async def upload_file(call: OwnCall) -> Response:
    """Receives a zip, and returns what it holds."""
    uploads, request, caller = call.api.services.uploads, call.request, call.caller
    key, most = key_of(call), uploads.limits.upload_bytes
    left = await request.run(uploads.admit, caller, key=key)
    upload = await hand_over_file(
        request,
        call.api.services.files.incoming(),
        left if most is None else min(most, left),
        lambda name, incoming: uploads.receive(caller, name, incoming, key),
    )
    return json_answer(file_snapshot(upload), 201)


ENDPOINTS = (
    OwnEndpoint(
        "POST", "/api/v1/files",
        name="uploadOwnFile", group="files", summary="Upload a file",
        text="A zip with a CSV. It is stored durably before the response, which says how it is "
        "read. A job can use a file as long as the service keeps it.",
        parameters=(IDEMPOTENCY_HEADER,),
        body=BodyDoc(
            ("multipart/form-data",),
            {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            },
        ),
        answers={201: ResponseDoc("The file.", (own.FileSnapshot,))},
        errors=(
            e.InvalidRequest, e.InvalidData, e.InvalidFileFormat, e.FileTooLarge,
            e.QuotaExceeded, e.IdempotencyKeyReused,
        ),
        handler=upload_file, scopes=JOBS_CREATE, right=Right.CREATE_JOBS,
    ),
)  # fmt: skip
