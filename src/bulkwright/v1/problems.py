"""Errors as clients of the own API see them: problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from bulkwright.domain import delivery_errors, errors, report_errors
from bulkwright.domain.limits import EVENT_STREAMS_OF_ORG, REPORTS_OF_ORG
from bulkwright.domain.undo_errors import CannotUndo
from bulkwright.events.unexpected import log_unexpected
from bulkwright.web import errors as web
from bulkwright.web.json import encode
from bulkwright.wire.own import ProblemDetails

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 5


class NoSuchPath(errors.BulkwrightError):
    """No endpoint has this path."""

    code = "NO_SUCH_PATH"
    default_message = "No endpoint has this path. /api/v1/openapi.json lists all of them."


class NoSuchMethod(errors.BulkwrightError):
    """The path has endpoints, but none with this method."""

    code = "NO_SUCH_METHOD"
    default_message = "This path has no such method. /api/v1/openapi.json lists all of them."


class NoSuchJob(errors.BulkwrightError):
    """The org of the caller has no job with this id."""

    code = "NO_SUCH_JOB"
    default_message = "The org has no job with this id. GET /api/v1/jobs lists its jobs."


class NoSuchTemplate(errors.BulkwrightError):
    """The org of the caller has no import template of this name."""

    code = "NO_SUCH_TEMPLATE"
    default_message = (
        "The org has no import template of this name. GET /api/v1/import-templates lists them."
    )


class NoHistory(errors.BulkwrightError):
    """The module has no record with this id, and jobs keep nothing of one."""

    code = "NO_SUCH_RECORD"
    default_message = "The module has no record with this id, and no job keeps what it held."


class InvalidParameter(errors.RequestError):
    """A parameter of the query has a value that it cannot have."""

    code = "INVALID_PARAMETER"


class InvalidBody(errors.RequestError):
    """The body of the request is no JSON of the form that the endpoint takes."""

    code = "INVALID_BODY"


class BodyTooLong(errors.RequestError):
    """The body of the request is longer than the endpoint takes."""

    code = "BODY_TOO_LONG"
    default_message = "The body of the request is too long. Send a shorter one."


class TooManyStreams(errors.QuotaExceeded):
    """The org has as many open streams of events as it may have."""

    code = "TOO_MANY_STREAMS"
    default_message = (
        f"The org has {EVENT_STREAMS_OF_ORG} open streams of events. Close one, or poll the job."
    )


class TooManyReports(errors.QuotaExceeded):
    """The org downloads as many reports as it may at the same time."""

    code = "TOO_MANY_REPORTS"
    default_message = (
        f"The org has {REPORTS_OF_ORG} open downloads of rows. Read one to its end, or close it."
    )


class Unavailable(errors.BulkwrightError):
    """An outage of the machine or of a server; the request can be repeated."""

    code = "UNAVAILABLE"
    default_message = (
        "The server cannot use its database or its files now; its log has the cause under the "
        "correlation_id. Send the request again later."
    )


STATUS: dict[type[errors.BulkwrightError], int] = {
    errors.BulkwrightError: 500,
    errors.RequestError: 400,
    errors.FileTooLarge: 413,
    BodyTooLong: 413,
    errors.IdempotencyKeyReused: 409,
    errors.JobHasEnded: 409,
    errors.JobIsOpen: 409,
    delivery_errors.CallbackIsPending: 409,
    delivery_errors.NoCallback: 404,
    errors.QuotaExceeded: 429,
    errors.AccessError: 403,
    errors.AuthenticationFailure: 401,
    errors.InvalidToken: 401,
    errors.ResourceNotFound: 404,
    NoSuchPath: 404,
    NoSuchJob: 404,
    NoSuchTemplate: 404,
    NoHistory: 404,
    errors.InvalidModule: 404,
    CannotUndo: 409,
    NoSuchMethod: 405,
    report_errors.NoResult: 404,
    report_errors.RowsGone: 410,
    Unavailable: 503,
}
"""The status of each class of error. A class that is not listed has that of its parent."""


_DETAIL: dict[type[errors.BulkwrightError], str] = {
    errors.AuthenticationFailure: "Send one header `Authorization: Bearer TOKEN` with an access "
    "token; `bulkwright token create` makes one.",
    errors.InvalidToken: "The access token is unknown, has expired or was revoked; "
    "`bulkwright token create` makes one.",
    errors.InvalidFileId: "The org has no file with this id. POST /api/v1/files uploads one and "
    "returns its id.",
    errors.FileNotFound: "The file has no CSV with this file_name. POST /api/v1/files returned the "
    "names of its CSVs.",
    errors.ColumnIndexNotFound: "The file has no column with this index. The first column has 0.",
    errors.HeaderLimitExceeded: "The file has more columns than a job may have.",
}
"""What to do, for errors whose own messages are those of Zoho."""

_HINT: dict[type[errors.BulkwrightError], str] = {
    InvalidBody: "/api/v1/openapi.json describes the body.",
    errors.MandatoryFieldsNotMapped: "Give each of these fields a column or a default.",
    errors.ModuleNotAvailable: "Give the API name of a module that the org has.",
    errors.FileNotSupported: "Correct the file and upload it again.",
    errors.InvalidFileFormat: "Send a zip with a CSV as the part `file` of a multipart form.",
    errors.MandatoryNotFound: "It names the field that identifies a record.",
}
"""What to do, for errors whose own messages say what is wrong."""


def status_of(kind: type[Exception]) -> int:
    """Returns the HTTP status of a class of error."""
    return next((STATUS[k] for k in kind.__mro__ if k in STATUS), 500)


def problem(error: Exception) -> Response:
    """Returns the response to any error, also of the kernel and of the machine."""
    body = details_of(error)
    headers = {}
    if body.status == 401:
        headers["www-authenticate"] = "Bearer"
    elif body.code == Unavailable.code:
        headers["retry-after"] = str(_RETRY_SECONDS)
    return Response(encode(body), body.status, headers, MEDIA_TYPE)


def details_of(error: Exception) -> ProblemDetails:
    """Returns what a client reads about any error, also of the kernel and of the machine."""
    known = _known(error)
    status = status_of(type(known))
    return ProblemDetails(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        code=known.code,
        detail=_detail(known),
        details=known.details,
    )


def _detail(error: errors.BulkwrightError) -> str:
    """Returns whole sentences: what is wrong, and what to do."""
    text = _DETAIL.get(type(error), error.message)
    hint = _HINT.get(type(error), "")
    return f"{text}{'' if text.endswith(('.', '?')) else '.'} {hint}".strip()


def _known(error: Exception) -> errors.BulkwrightError:
    if isinstance(error, errors.BulkwrightError):
        return error
    if isinstance(error, web.BodyTooLarge):
        return BodyTooLong()
    if isinstance(error, web.FilePartTooLarge):
        return errors.FileTooLarge()
    if isinstance(error, web.HttpError):
        return errors.InvalidRequest(str(error) or None)
    number, outage = log_unexpected(error)
    details = {"correlation_id": number}
    if outage is not None:
        return Unavailable(details=details)
    return errors.BulkwrightError(
        "An internal error. The log of the server has its cause under the correlation_id.", details
    )
