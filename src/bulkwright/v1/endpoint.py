"""The declaration of an endpoint of the own API, and how it is served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.errors import ScopeMismatch
from bulkwright.service.bearer import bearer_token
from bulkwright.v1.problems import problem
from bulkwright.v1.services import OwnServices
from bulkwright.web.json import encode
from bulkwright.web.mount import KERNEL_REQUEST
from bulkwright.web.request import Request as KernelRequest
from bulkwright.web.route import EndpointDoc


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


@dataclass(frozen=True, slots=True)
class OwnEndpoint(EndpointDoc):
    """An endpoint that the app serves."""

    _: KW_ONLY
    handler: Callable[[OwnCall], object]
    """Runs on a thread; returns the body of the response, or a response of its own."""
    scopes: tuple[str, ...]
    """The token must have one of these scopes."""
    right: Right
    """The user's role must include this right."""


def served(endpoint: OwnEndpoint, api: OwnApi) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that serves an endpoint; it raises nothing."""

    async def serve(request: Request) -> Response:
        kernel: KernelRequest = request.scope[KERNEL_REQUEST]
        kernel.route = (endpoint.method, endpoint.path)
        authorization = kernel.headers(b"authorization")
        check_access = partial(_check_access, api.services, endpoint, authorization)
        try:
            caller = await kernel.run(check_access)
            kernel.caller, kernel.party = caller, caller.org_id
            call = OwnCall(api, kernel, caller, check_access, request.path_params, kernel.query())
            body = await kernel.run(endpoint.handler, call)
        except Exception as error:
            api.observe(kernel, error)
            return problem(error)
        if isinstance(body, Response):
            return body
        return Response(encode(body), media_type="application/json")

    return serve


def _check_access(services: OwnServices, endpoint: OwnEndpoint, authorization: list[str]) -> Caller:
    caller = services.tokens.check(bearer_token(authorization))
    if not scope.permits(caller.scopes, endpoint.scopes):
        wanted = scope.shown(endpoint.scopes[0])
        raise ScopeMismatch(f"The access token lacks the scope {wanted}.")
    caller.role.require(endpoint.right)
    return caller
