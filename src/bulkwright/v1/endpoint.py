"""The declaration of an endpoint of the own API, and how it is served."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from inspect import iscoroutinefunction
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.errors import ScopeMismatch
from bulkwright.domain.limits import JSON_BODY_BYTES
from bulkwright.service.bearer import bearer_token
from bulkwright.v1.problems import InvalidBody, problem
from bulkwright.v1.services import OwnServices
from bulkwright.web.json import encode
from bulkwright.web.mount import KERNEL_REQUEST
from bulkwright.web.request import Request as KernelRequest
from bulkwright.web.route import EndpointDoc
from bulkwright.wire.decoding import NO_JSON

StructT = TypeVar("StructT", bound=Struct)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of the character that no database stores; JSON has no other way to write it."""


@dataclass(frozen=True, slots=True)
class OwnApi:
    """What every endpoint works with."""

    services: OwnServices
    observe: Callable[[KernelRequest, Exception], None]
    """Observes the error of a request."""
    is_draining: Callable[[], bool]
    """Whether the process is about to end, so that streams must end."""
    streams: Counter[int] = field(default_factory=Counter)
    """Open streams of events, by org."""
    reports: Counter[int] = field(default_factory=Counter)
    """Open downloads of reports, by org."""


class OwnCall(NamedTuple):
    """What a handler works with."""

    api: OwnApi
    request: KernelRequest
    caller: Caller
    check_access: Callable[[], object]
    """Raises an AccessError if the caller may not call the endpoint any more."""
    path: Mapping[str, str]
    """The parameters in the path."""
    query: Mapping[str, str]
    """The parameters of the query; of several with one name the first."""
    body: bytes = b""
    """The JSON body, if the endpoint takes one."""
    key: str | None = None
    """The idempotency key; None: that of the header, if there is one."""


@dataclass(frozen=True, slots=True)
class OwnEndpoint(EndpointDoc):
    """An endpoint that the app serves."""

    _: KW_ONLY
    handler: Callable[[OwnCall], object]
    """Returns the body of the response, or a response of its own. It runs on a thread, unless it is
    a coroutine function, which receives the body of the request itself."""
    scopes: tuple[str, ...]
    """The token must have one of these scopes."""
    right: Right
    """The user's role must include this right."""
    takes: type[Struct] | None = None
    """What the JSON body is decoded into."""


def served(endpoint: OwnEndpoint, api: OwnApi) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that serves an endpoint; it raises nothing."""

    async def serve(request: Request) -> Response:
        kernel: KernelRequest = request.scope[KERNEL_REQUEST]
        kernel.route = (endpoint.method, endpoint.path)
        authorization = kernel.headers(b"authorization")
        check_access = partial(_check_access, api.services, endpoint, authorization)
        try:
            caller = replace(await kernel.run(check_access), address=kernel.address)
            kernel.caller, kernel.party = caller, caller.org_id
            sent = b"" if endpoint.takes is None else await kernel.body(JSON_BODY_BYTES)
            query = kernel.query()
            call = OwnCall(api, kernel, caller, check_access, request.path_params, query, sent)
            if iscoroutinefunction(endpoint.handler):
                body = await endpoint.handler(call)
            else:
                body = await kernel.run(endpoint.handler, call)
        except Exception as error:
            api.observe(kernel, error)
            return problem(error)
        return body if isinstance(body, Response) else json_answer(body)

    return serve


def json_answer(body: object, status: int = 200, **headers: str) -> Response:
    """Returns a response with a struct as its body."""
    return Response(encode(body), status, headers, "application/json")


def decode(call: OwnCall, kind: type[StructT]) -> StructT:
    """Returns the body of a request as a struct. Raises InvalidBody."""
    try:
        decoded = msgspec.json.decode(call.body, type=kind)
    except NO_JSON as error:
        raise InvalidBody(f"{error}.") from None
    if _NUL.search(call.body):
        raise InvalidBody("A text of the body has the character NUL.")
    return decoded


def require_access(endpoint: OwnEndpoint, caller: Caller) -> None:
    """Raises an AccessError if a caller may not call an endpoint."""
    if not scope.permits(caller.scopes, endpoint.scopes):
        wanted = scope.shown(endpoint.scopes[0])
        raise ScopeMismatch(f"The access token lacks the scope {wanted}.")
    caller.role.require(endpoint.right)


def _check_access(services: OwnServices, endpoint: OwnEndpoint, authorization: list[str]) -> Caller:
    caller = services.tokens.check(bearer_token(authorization))
    require_access(endpoint, caller)
    return caller
