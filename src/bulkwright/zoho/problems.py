"""Errors as Zoho's clients see them: the only table of HTTP statuses, and the shapes of bodies."""

from __future__ import annotations

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import errors
from bulkwright.events.unexpected import log_unexpected
from bulkwright.web import errors as web
from bulkwright.web.response import Response, json_response
from bulkwright.wire import responses as wire
from bulkwright.zoho.present.jobs import moment


class InvalidUrlPattern(errors.BulkwrightError):
    """No route has this path (founding page)."""

    code = "INVALID_URL_PATTERN"
    default_message = "Please check if the URL trying to access is a correct one"


class InvalidRequestMethod(errors.BulkwrightError):
    """The path has routes, but none for this method (founding page)."""

    code = "INVALID_REQUEST_METHOD"
    default_message = "The http request method type is not a valid one"


class NotServed(errors.BulkwrightError):
    """Zoho documents it, and this server does not implement it."""

    code = "NOT_IMPLEMENTED"
    default_message = "Documented by Zoho, but this server does not implement it."


class Misdirected(errors.InvalidRequest):
    """With --dev, a request whose Host is no loopback name: a web page of that host sent it."""

    default_message = "This server serves the names of this machine only, such as localhost"


STATUS: dict[type[errors.BulkwrightError], int] = {
    errors.BulkwrightError: 500,
    errors.RequestError: 400,
    errors.FileTooLarge: 413,
    errors.QuotaExceeded: 429,
    errors.IdempotencyKeyReused: 409,
    errors.InvalidFileFormat: 200,  # as captured; 400 with --strict-upload-status (facts 2.3)
    errors.AuthenticationFailure: 401,
    errors.InvalidToken: 401,
    errors.ScopeMismatch: 401,
    errors.NoPermission: 403,
    errors.AuthorizationFailed: 400,
    errors.GatewayRejection: 403,
    errors.FeatureNotSupported: 200,  # as captured (facts 2.3)
    errors.LinkNotValid: 403,
    errors.ResourceNotFound: 404,
    errors.OAuthError: 200,  # clients read `error` and not the status (facts 7.2)
    errors.TooManyTokenRequests: 400,
    InvalidUrlPattern: 404,
    InvalidRequestMethod: 400,
    NotServed: 501,
    Misdirected: 421,
}
"""The status of each class of error. A class that is not listed has that of its parent."""

_FROM_KERNEL: dict[type[Exception], type[errors.BulkwrightError]] = {
    web.HttpError: errors.InvalidRequest,
    web.NoRoute: InvalidUrlPattern,
    web.WrongMethod: InvalidRequestMethod,
    web.ForeignHost: Misdirected,
    web.BadRequest: errors.InvalidRequest,
    web.BodyTooLarge: errors.LimitExceeded,
    web.MalformedMultipart: errors.InvalidData,
    web.MissingFilePart: errors.MandatoryNotFound,
    web.FilePartTooLarge: errors.FileTooLarge,
}
"""The error that clients see for each error of the kernel. A subclass has that of its parent."""


_NO_TIME = "1970-01-01T00:00:00+00:00"


def status_of(error: type[Exception]) -> int:
    """Returns the HTTP status of a class of error."""
    return next((STATUS[kind] for kind in error.__mro__ if kind in STATUS), 500)


def response_to(
    error: Exception, *, file_format_status: int = 200, clock: Clock = SYSTEM_CLOCK
) -> Response:
    """Returns the response to any error, also of the kernel and of the machine."""
    if isinstance(error, web.HttpError):
        kind = next(_FROM_KERNEL[k] for k in type(error).__mro__ if k in _FROM_KERNEL)
        error = kind(str(error) or None)
    if not isinstance(error, errors.BulkwrightError):
        return _internal_error(error)
    status = status_of(type(error))
    if isinstance(error, errors.TooManyTokenRequests):
        return json_response(wire.TokensDenied(), status)
    if isinstance(error, errors.OAuthError):
        return json_response(wire.TokenRefused(error=error.message), status)
    if isinstance(error, errors.GatewayRejection):
        problem = wire.GatewayProblem(x_error=error.message, http_status=str(status))
        return json_response(problem, status)
    if isinstance(error, errors.LinkNotValid):
        return json_response(wire.GatewayProblem(http_status=str(status)), status)
    details, message = error.details, error.message
    if isinstance(error, errors.FileNotSupported) and message != error.default_message:
        # The message is documented (facts 3.6); what is wrong with this file is a detail.
        details, message = details | {"reason": message}, error.default_message
    elif isinstance(error, errors.InvalidFileFormat):
        status = file_format_status
        details = {"created_time": moment(clock.now())} | details
    elif isinstance(error, errors.FeatureNotSupported):
        details = {"created_time": _NO_TIME} | details
    return json_response(wire.Problem(code=error.code, details=details, message=message), status)


def _internal_error(error: Exception) -> Response:
    """Returns the response to a bug or an outage of the machine.

    It contains an id, which the user can quote, and nothing else. The log has the rest.
    """
    number, _ = log_unexpected(error)
    return response_to(errors.BulkwrightError(details={"correlation_id": number}))
