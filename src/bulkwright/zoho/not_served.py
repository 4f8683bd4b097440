"""What Zoho documents and this server does not do: every such request gets HTTP 501.

A client must never take a gap for an answer: not "nothing found" for a search that was not made,
not an unsorted list for a sorted one, not an error that blames the request. docs/coverage.md is
made of the same tables.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from bulkwright.domain.errors import InvalidModule
from bulkwright.web.request import Request
from bulkwright.web.response import Response
from bulkwright.web.route import Route
from bulkwright.zoho.auth import Access, Open, caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.documented import HEADERS, OPERATIONS, PARAMETERS
from bulkwright.zoho.problems import NotServed

ZohoRoute = Route[ZohoContext, Access]

_GROUP = "Not served"
_log = logging.getLogger("bulkwright.api.not_served")  # this name is a contract


def gap_routes(served: Sequence[ZohoRoute]) -> tuple[ZohoRoute, ...]:
    """Returns a route for each documented operation that is not among `served`."""
    have = {(route.method, _shape(route.path)) for route in served}
    return tuple(
        Route(
            method,
            path,
            _refuse_operation,
            Access(Open.ANY_SCOPE),
            name=f"{method} {path}",
            group=_GROUP,
            summary="Documented by Zoho, not served",
            errors=(NotServed,),
        )
        for path, methods in OPERATIONS.items()
        for method in methods
        if (method, _shape(path)) not in have
    )


def gaps_of(route: ZohoRoute) -> tuple[str, ...]:
    """Returns the documented parameters and headers that a route does not declare."""
    key = (route.method, route.path)
    declared = {one.name for one in route.parameters}
    documented = (*PARAMETERS.get(key, ()), *HEADERS.get(key, ()))
    return tuple(name for name in documented if name not in declared)


def refusing_gaps(route: ZohoRoute) -> ZohoRoute:
    """Returns a route that refuses the documented parameters which it does not declare."""
    gaps = gaps_of(route)
    if not gaps:
        return route
    headers = [name.lower().encode() for name in HEADERS.get((route.method, route.path), ())]
    handler = route.handler

    def handle(zoho: ZohoContext, request: Request) -> Response | Awaitable[Response]:
        query = request.query()
        for name in gaps:
            header = name.lower().encode()
            if name in query or (header in headers and request.header(header) is not None):
                raise not_served(zoho, request, name)
        return handler(zoho, request)

    return replace(route, handler=handle, errors=(*route.errors, NotServed))


def not_served(zoho: ZohoContext, request: Request, parameter: str = "") -> NotServed:
    """Returns the error of a gap, after it was logged and counted.

    Without `parameter` the whole operation is not served.
    """
    operation = " ".join(request.route)
    zoho.count_not_served(operation, parameter)
    what = f"The parameter {parameter} of {operation}" if parameter else operation
    _log.warning("not implemented: %s", what)
    return NotServed(
        f"{what} is documented by Zoho, but this server does not implement it.",
        {"operation": operation} | ({"param_name": parameter} if parameter else {}),
    )


async def _refuse_operation(zoho: ZohoContext, request: Request) -> Response:
    module = request.params.get("module")
    if module is not None:
        # Zoho checks the module first: a misspelled one is the caller's mistake.
        try:
            await request.run(zoho.services.metadata.module, caller_of(request), module)
        except InvalidModule:
            raise InvalidModule(details={"resource_path_index": 0}) from None
    raise not_served(zoho, request)


def _shape(path: str) -> str:
    """Returns a path without the names of its parameters, by which two tables may differ."""
    return re.sub(r"\{\w+\}", "{}", path)
