"""Errors on the wire: the one table of HTTP statuses, and the shapes of error bodies."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from bulkwright.api.http import Answer, json_answer
from bulkwright.domain import errors
from bulkwright.logs import about, request_id
from bulkwright.present import moment
from bulkwright.trouble import trouble
from bulkwright.wire import responses as wire

_log = logging.getLogger(__name__)


class InvalidUrlPattern(errors.BulkwrightError):
    """Nothing is served under this path (founding page)."""

    code = "INVALID_URL_PATTERN"
    default_message = "Please check if the URL trying to access is a correct one"


class InvalidRequestMethod(errors.BulkwrightError):
    """The path is served, but not for this method (founding page)."""

    code = "INVALID_REQUEST_METHOD"
    default_message = "The http request method type is not a valid one"


STATUS: dict[type[errors.BulkwrightError], int] = {
    errors.BulkwrightError: 500,
    errors.RequestError: 400,
    errors.FileTooLarge: 413,
    errors.InvalidFileFormat: 200,  # as captured; the pages say 400 (facts 2.3), and so can we
    errors.AuthenticationFailure: 401,
    errors.InvalidToken: 401,
    errors.ScopeMismatch: 401,
    errors.NoPermission: 403,
    errors.AuthorizationFailed: 400,
    errors.GatewayRefusal: 403,
    errors.FeatureNotSupported: 200,  # as captured (facts 2.3)
    errors.LinkNotValid: 403,
    errors.ResourceNotFound: 404,
    errors.OAuthError: 200,  # clients read `error` and not the status (facts 7.2)
    errors.TooManyTokenRequests: 400,
    InvalidUrlPattern: 404,
    InvalidRequestMethod: 400,
}
"""The status of each class of error; a class that is not listed has its parent's."""

_NO_TIME = "1970-01-01T00:00:00+00:00"


def status_of(error: type[errors.BulkwrightError]) -> int:
    """The HTTP status of a class of error."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def answer_to(error: errors.BulkwrightError, *, file_format_status: int = 200) -> Answer:
    """How an error looks on the wire."""
    status = status_of(type(error))
    if isinstance(error, errors.TooManyTokenRequests):
        return json_answer(wire.TokensDenied(), status)
    if isinstance(error, errors.OAuthError):
        return json_answer(wire.TokenRefused(error=error.message), status)
    if isinstance(error, errors.GatewayRefusal):
        refused = wire.GatewayProblem(x_error=error.message, http_status=str(status))
        return json_answer(refused, status)
    if isinstance(error, errors.LinkNotValid):
        return json_answer(wire.GatewayProblem(http_status=str(status)), status)
    details = error.details
    if isinstance(error, errors.InvalidFileFormat):
        status = file_format_status
        details = {"created_time": moment(datetime.now(UTC))} | details
    elif isinstance(error, errors.FeatureNotSupported):
        details = {"created_time": _NO_TIME} | details
    return json_answer(
        wire.Problem(code=error.code, details=details, message=error.message), status
    )


def answer_to_bug(fault: Exception) -> Answer:
    """The answer to what should not happen, or to trouble of the machine.

    The caller learns the id of the request, to quote it, and nothing else; the log has the rest.
    """
    number = request_id()
    reason = trouble(fault)
    with about(correlation_id=number):
        if reason is None:
            _log.error("internal error %s", number, exc_info=fault)
        else:
            _log.error("internal error %s: %s", number, reason)
    error = errors.BulkwrightError(details={"correlation_id": number})
    return answer_to(error)
