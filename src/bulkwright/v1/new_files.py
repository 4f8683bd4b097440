"""Files: upload one."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.file_format import FileFormat
from bulkwright.domain.idempotency import IdempotencyKey, idempotency_key
from bulkwright.domain.scope import JOBS_CREATE
from bulkwright.domain.upload import Upload
from bulkwright.files import Incoming
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, json_answer
from bulkwright.v1.present import file_snapshot
from bulkwright.v1.problems import InvalidParameter
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
    text = call.request.header(b"idempotency-key") if call.key is None else call.key
    if text is not None:
        idempotency_key(text)
    return text


def idempotency_of(call: OwnCall, *requested: bytes) -> IdempotencyKey | None:
    """Returns the key of a request that asks for `requested`; None without one."""
    text = key_of(call)
    return None if text is None else idempotency_key(text, *requested)


_PARAMETERS = (
    ParameterDoc(
        "format", "query", "What the file is. Without it, the content decides, then the name.",
        {"enum": list(FileFormat)},
    ),
    ParameterDoc(
        "sheet", "query", "The sheet of a workbook that has several.", {"type": "string"}
    ),
)  # fmt: skip


def _named_format(call: OwnCall) -> FileFormat | None:
    if unknown := call.query.keys() - {parameter.name for parameter in _PARAMETERS}:
        raise InvalidParameter(f"Unknown parameter {min(unknown)}; give format or sheet.")
    text = call.query.get("format")
    try:
        return None if text is None else FileFormat(text)
    except ValueError:
        raise InvalidParameter(
            f"format is one of {', '.join(FileFormat)}. A gzip of csv, tsv or jsonl needs no name."
        ) from None


async def upload_file(call: OwnCall) -> Response:
    """Receives a file of any format, and returns what it holds."""
    uploads, caller, key = call.api.services.uploads, call.caller, key_of(call)
    named, sheet = _named_format(call), call.query.get("sheet")

    def take(name: str, incoming: Incoming) -> Upload:
        return uploads.receive_any(caller, name, incoming, key, named=named, sheet=sheet)

    return json_answer(file_snapshot(await receive_upload(call, take, key)), 201)


async def receive_upload(
    call: OwnCall,
    take: Callable[[str, Incoming], Upload],
    key: str | None = None,
    fields: dict[str, str] | None = None,
) -> Upload:
    """Receives the file of a form as far as the org may upload; returns what `take` makes of it.

    `fields` gets the other parts of the form before that.
    """
    uploads, request = call.api.services.uploads, call.request
    most = uploads.limits.upload_bytes
    left = await request.run(uploads.admit, call.caller, key=key)
    return await hand_over_file(
        request,
        call.api.services.files.incoming(),
        left if most is None else min(most, left),
        take,
        heavy=True,
        fields=fields,
    )


ENDPOINTS = (
    OwnEndpoint(
        "POST", "/api/v1/files",
        name="uploadOwnFile", group="files", summary="Upload a file",
        text="A CSV, TSV, JSON lines, Parquet or XLSX, or a zip with a CSV. It is stored durably "
        "before the response, which says how it is read. A job can use a file as long as the "
        "service keeps it.",
        parameters=(*_PARAMETERS, IDEMPOTENCY_HEADER),
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
            InvalidParameter, e.InvalidRequest, e.InvalidData, e.InvalidFileFormat,
            e.FileNotSupported, e.FileTooLarge, e.QuotaExceeded, e.IdempotencyKeyReused,
        ),
        handler=upload_file, scopes=JOBS_CREATE, right=Right.CREATE_JOBS,
    ),
)  # fmt: skip
