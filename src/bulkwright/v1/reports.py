"""The rows of an ended job: the full result, the failed rows, and errors in groups.

The rows are read on threads, a few at a time: Python runs one thread at a time, and a longer piece
of work would keep other requests waiting. So memory is flat, and the first bytes are sent at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict
from threading import Lock
from typing import TypeVar

from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Send

from bulkwright.domain.account import Right
from bulkwright.domain.job import Job, Resource
from bulkwright.domain.limits import REPORT_SEND_SECONDS, REPORTS_OF_ORG
from bulkwright.domain.outcome import Outcome
from bulkwright.domain.report_errors import (
    NoResult,
    ResultExpired,
    ResultUnusable,
    UploadExpired,
    UploadUnusable,
)
from bulkwright.domain.scope import JOBS_READ
from bulkwright.domain.undo_errors import NoImages
from bulkwright.service.changes import BeforeJob
from bulkwright.service.job_rows import JobRows, ReportedRow
from bulkwright.service.reports import (
    ErrorGroups,
    failed_csv,
    full_csv,
    message_of,
    updated_ids,
)
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.jobs import job_of
from bulkwright.v1.problems import InvalidParameter, NoSuchJob, TooManyReports
from bulkwright.web.json import encode
from bulkwright.web.route import ParameterDoc, ResponseDoc
from bulkwright.wire import own

T = TypeVar("T")

CSV, JSON_LINES = "text/csv", "application/x-ndjson"
"""The media types of reports."""
_piece = Lock()
"""Held while a piece of a report is made: Python runs one thread at a time anyway, and two of them
would keep the thread waiting that answers all requests."""


async def full_result(call: OwnCall) -> Response:
    """Returns a line for each row of a file, as CSV or as JSON lines."""
    query = query_of(call, "module", "format", "before")
    as_json, with_before = wants_json_lines(call), _flag(query, "before")
    job = await call.request.run(job_of, call)
    resource = resource_of(job, query.get("module"))
    changes, before = call.api.services.changes, None
    if with_before:
        before = await call.request.run(changes.before, call.caller, job, resource)

    def pieces() -> Iterator[bytes]:
        with call.api.services.job_rows.open(job, resource) as rows:
            if as_json:
                yield from _json_lines(rows, before)
            else:
                quoted = call.api.services.settings.quotes_formulas
                lines = full_csv(rows, quote_formulas=quoted, before=before)
                yield from map(str.encode, lines)

    ending = "jsonl" if as_json else "csv"
    return await download(
        call, pieces(), f"{job.id}-result.{ending}", JSON_LINES if as_json else CSV
    )


async def failed_rows(call: OwnCall) -> Response:
    """Returns the rows of a file that were not stored, as a CSV to correct and upload again."""
    query = query_of(call, "module", "errors")
    with_errors = _flag(query, "errors")
    job = await call.request.run(job_of, call)
    resource = resource_of(job, query.get("module"))
    quoted = call.api.services.settings.quotes_formulas

    def pieces() -> Iterator[bytes]:
        with call.api.services.job_rows.open(job, resource) as rows:
            lines = failed_csv(rows, with_errors=with_errors, quote_formulas=quoted)
            yield from map(str.encode, lines)

    return await download(call, pieces(), f"{job.id}-failed.csv", CSV)


async def job_errors(call: OwnCall) -> own.JobErrors:
    """Returns the errors of the rows of a file in groups."""
    query = query_of(call, "module")
    job = await call.request.run(job_of, call)
    resource = resource_of(job, query.get("module"))
    found = ErrorGroups(call.api.services.job_rows, job, resource)
    work = found.work()
    while await call.request.run_heavy(_next, work) is not None:
        pass
    return own.JobErrors(
        module=resource.module,
        skipped=found.outcomes[Outcome.SKIPPED],
        unprocessed=found.outcomes[Outcome.UNPROCESSED],
        groups=[
            own.ErrorGroupRows(
                code=group.code,
                column=group.column,
                field=group.field,
                rows=group.rows,
                samples=[own.ErrorSampleRow(**asdict(sample)) for sample in group.samples],
            )
            for group in found.groups()
        ],
    )


class _Download(StreamingResponse):
    """A stream that gives up on a client that takes too long."""

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(REPORT_SEND_SECONDS):
                await send(message)

        await super().stream_response(send_in_time)


async def download(call: OwnCall, pieces: Iterator[bytes], name: str, media: str) -> Response:
    """Returns a stream of pieces. Raises what the making of the first piece raises."""
    if call.api.reports[call.caller.org_id] >= REPORTS_OF_ORG:
        raise TooManyReports
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    media_type = f"{media}; charset=utf-8" if media == CSV else media
    first = await call.request.run_heavy(_next, pieces)
    if call.request.scope["method"] == "HEAD":
        return Response(headers=headers, media_type=media_type)
    return _Download(_sent(call, first, pieces), headers=headers, media_type=media_type)


async def _sent(
    call: OwnCall, piece: bytes | None, pieces: Iterator[bytes]
) -> AsyncIterator[bytes]:
    reports, org = call.api.reports, call.caller.org_id
    reports[org] += 1
    try:
        while piece is not None:
            if piece:
                yield piece
            piece = await call.request.run_heavy(_next, pieces)
    finally:
        reports[org] -= 1


def _next(pieces: Iterator[T]) -> T | None:
    """Returns the next piece, None at the end; only one is made at a time in this process."""
    with _piece:
        return next(pieces, None)


def _json_lines(rows: JobRows, before: BeforeJob | None) -> Iterator[bytes]:
    names = _names(rows.dialect.header)
    for piece in rows:
        known = {} if before is None else before.of(updated_ids(piece))
        lines = (_row(row, rows, names, known.get(row.record_id)) for row in piece)
        yield b"".join(encode(line) + b"\n" for line in lines)


def _row(
    row: ReportedRow, rows: JobRows, names: list[str], before: dict[str, str | None] | None
) -> own.ResultRow:
    errors, cells = rows.errors_of(row), row.file.cells
    return own.ResultRow(
        row=row.number,
        line=row.file.line,
        outcome=row.outcome,
        record_id=row.record_id or None,
        message=message_of(row, errors, rows.job),
        errors=[own.RowError(**error._asdict()) for error in errors],
        cells={**dict.fromkeys(names, ""), **dict(zip(names, cells, strict=False))},
        more_cells=cells[len(names) :],
        before=before if row.outcome == Outcome.UPDATED else None,
    )


def _names(header: Sequence[str]) -> list[str]:
    """Returns a name for each column; no two are equal."""
    names: dict[str, None] = {}
    for number, name in enumerate(header, 1):
        while not name or name in names:
            name = f"{name}#{number}"
        names[name] = None
    return list(names)


def wants_json_lines(call: OwnCall) -> bool:
    """Whether a report is requested as JSON lines. Raises InvalidParameter."""
    wanted = call.query.get("format")
    if wanted not in (None, "csv", "jsonl"):
        raise InvalidParameter("format is csv or jsonl.", {"parameter": "format"})
    accepted = call.request.header(b"accept") or ""
    return wanted == "jsonl" or (wanted is None and JSON_LINES in accepted)


def _flag(query: Mapping[str, str], name: str) -> bool:
    wanted = query.get(name, "false")
    if wanted not in ("true", "false"):
        raise InvalidParameter(f"{name} is true or false.", {"parameter": name})
    return wanted == "true"


def query_of(call: OwnCall, *names: str) -> Mapping[str, str]:
    """Returns the query. Raises InvalidParameter if it has other names."""
    if unknown := call.query.keys() - set(names):
        raise InvalidParameter(
            f"There is no parameter {min(unknown)}; there are {', '.join(names)}."
        )
    return call.query


def resource_of(job: Job, module: str | None) -> Resource:
    """Returns the resource that writes to a module; without one, the only resource."""
    found = [r for r in job.resources if module in (None, r.module)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(r.module for r in job.resources)
    raise InvalidParameter(f"module is one of {names}.", {"parameter": "module"})


MODULE_OF_JOB = ParameterDoc(
    "module", "query", "The module of the file; needed if the job has several.", {"type": "string"}
)
_ERRORS = (NoSuchJob, InvalidParameter, NoResult, ResultExpired, ResultUnusable)
_UPLOAD_ERRORS = (UploadExpired, UploadUnusable, TooManyReports)

ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/result",
        name="readFullResult", group="results", summary="The outcome of every row",
        text="A line for each row of the file: row, line, outcome, record id, the first error and "
        "a message with all of them, then all columns of the file, mapped or not.",
        parameters=(
            MODULE_OF_JOB,
            ParameterDoc(
                "format", "query", "csv, or jsonl for JSON lines, as an Accept header with "
                "application/x-ndjson chooses too.", {"enum": ["csv", "jsonl"]},
            ),
            ParameterDoc(
                "before", "query", "Whether each updated row shows what its record held before the "
                "job. The token needs the scope to read the module.", {"type": "boolean"},
            ),
        ),
        answers={200: ResponseDoc("The rows as CSV; a line of JSON lines is a ResultRow.",
                                  ({"type": "string"},), media=CSV)},
        errors=(*_ERRORS, *_UPLOAD_ERRORS, NoImages),
        handler=full_result, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/failed-rows",
        name="readFailedRows", group="results", summary="The rows that were not stored",
        text="The header and the records of the upload that were skipped or not reached, in UTF-8 "
        "and otherwise as they stand there. Correct them and upload the file again.",
        parameters=(
            MODULE_OF_JOB,
            ParameterDoc(
                "errors", "query", "Whether the columns ERRORS and MESSAGE are added.",
                {"type": "boolean"},
            ),
        ),
        answers={200: ResponseDoc("The rows.", ({"type": "string"},), media=CSV)},
        errors=(*_ERRORS, *_UPLOAD_ERRORS),
        handler=failed_rows, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/errors",
        name="listErrors", group="results", summary="The errors of the rows in groups",
        text="How many rows have which error in which column, with the first of them.",
        parameters=(MODULE_OF_JOB,),
        answers={200: ResponseDoc("The groups.", (own.JobErrors,))},
        errors=_ERRORS,
        handler=job_errors, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
