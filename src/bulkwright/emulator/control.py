"""The declaration of a control, and how it is served.

A control needs the access token of `dev-credentials.json`. It stays valid for controls when it has
expired on the emulated clock, and when a reset has removed it from the store.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from bulkwright.domain import errors
from bulkwright.domain.limits import CONTROL_BODY_BYTES
from bulkwright.emulator.controls import Controls, NoBaseline, NoCopies, StillBusy
from bulkwright.events.unexpected import log_unexpected
from bulkwright.service.bearer import bearer_token
from bulkwright.web import errors as web
from bulkwright.web.json import encode
from bulkwright.web.mount import KERNEL_REQUEST
from bulkwright.web.request import Request as KernelRequest
from bulkwright.wire.decoding import NO_JSON
from bulkwright.wire.own import ProblemDetails

StructT = TypeVar("StructT", bound=Struct)


class NoSuchControl(errors.BulkwrightError):
    """No control has this path."""

    code = "NO_SUCH_PATH"
    default_message = "The emulator has no control with this path; docs/emulator.md lists them."


class NoSuchControlMethod(errors.BulkwrightError):
    """The control has no such method."""

    code = "NO_SUCH_METHOD"
    default_message = "The control has no such method; docs/emulator.md lists them."


class InvalidControlBody(errors.RequestError):
    """The body is no JSON of the form that the control takes."""

    code = "INVALID_BODY"


class InvalidControlParameter(errors.RequestError):
    """A parameter of the query has a value that it cannot have."""

    code = "INVALID_PARAMETER"


class ControlBodyTooLong(errors.RequestError):
    """The body is longer than a control takes."""

    code = "BODY_TOO_LONG"
    default_message = "The body of the request is too long. Send a shorter one."


class NotTheKey(errors.AccessError):
    """The token is not the one that opens the controls."""

    code = "INVALID_TOKEN"
    default_message = (
        "Send `Authorization: Bearer TOKEN` with the access_token of dev-credentials.json."
    )


STATUS: dict[type[Exception], int] = {
    NoSuchControl: 404,
    NoSuchControlMethod: 405,
    ControlBodyTooLong: 413,
    errors.AccessError: 401,
    errors.RequestError: 400,
    errors.ResourceNotFound: 404,
    NoBaseline: 409,
    StillBusy: 503,
    NoCopies: 501,
}
"""The status of each class of error. A class that is not listed has that of its parent."""


class ControlCall(NamedTuple):
    """What the function of a control works with."""

    controls: Controls
    request: KernelRequest
    path: Mapping[str, str]
    """The parameters in the path."""
    query: Mapping[str, str]
    """The parameters of the query; of several with one name the first."""
    sent: bytes | None = None
    """The body; None: that of the request."""

    async def body(self, kind: type[StructT]) -> StructT:
        """Returns the JSON body, or the defaults if there is none. Raises InvalidControlBody."""
        sent = self.sent
        if sent is None:
            sent = await self.request.body(CONTROL_BODY_BYTES)
        try:
            return msgspec.json.decode(sent or b"{}", type=kind)
        except NO_JSON as error:
            raise InvalidControlBody(f"{error}.") from None


class Control(NamedTuple):
    """A method of a path below `/api/v1/emulator`."""

    method: str
    path: str
    handler: Callable[[ControlCall], Awaitable[object]]
    """Returns the JSON body of the answer, or an answer of its own."""


def served(control: Control, controls: Controls) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that serves a control; it raises nothing."""

    async def serve(request: Request) -> Response:
        kernel: KernelRequest = request.scope[KERNEL_REQUEST]
        kernel.route = (control.method, control.path)
        try:
            _check_key(controls, kernel)
            call = ControlCall(controls, kernel, request.path_params, kernel.query())
            body = await control.handler(call)
        except Exception as error:
            return problem(error)
        if isinstance(body, Response):
            return body
        return Response(encode(body), media_type="application/json")

    return serve


def _check_key(controls: Controls, request: KernelRequest) -> None:
    try:
        token = bearer_token(request.headers(b"authorization"))
    except errors.AccessError:
        raise NotTheKey from None
    if not hmac.compare_digest(token.encode(), controls.key.encode()):
        raise NotTheKey


def problem(error: Exception) -> Response:
    """Returns the response to any error."""
    known = _known(error)
    status = next((STATUS[k] for k in type(known).__mro__ if k in STATUS), 500)
    body = ProblemDetails(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        code=known.code,
        detail=known.message,
        details=known.details,
    )
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return Response(encode(body), status, headers, "application/problem+json")


def _known(error: Exception) -> errors.BulkwrightError:
    if isinstance(error, errors.BulkwrightError):
        return error
    if isinstance(error, web.BodyTooLarge):
        return ControlBodyTooLong()
    if isinstance(error, web.HttpError):
        return errors.InvalidRequest(str(error) or None)
    number, _ = log_unexpected(error)
    return errors.BulkwrightError(
        "An internal error. The log of the server has its cause under the correlation_id.",
        {"correlation_id": number},
    )
