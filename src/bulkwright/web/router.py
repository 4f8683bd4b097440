"""Finds the route of a request by method and path.

A path matches only as it is spelled in the route: without percent-encoding, dots or a trailing
slash. Several leading slashes count as one, because every SDK puts one too many before a download
URL (client contract 1.1).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from bulkwright.web.errors import NoRoute, WrongMethod
from bulkwright.web.request import Request
from bulkwright.web.response import Response
from bulkwright.web.route import ContextT, Route

AnyRoute = Route[Any, Any]
Handle = Callable[[Request], Response | Awaitable[Response]]

_SEGMENT = "[A-Za-z0-9_.~-]{1,400}"


class BoundRoute(NamedTuple):
    """A route and the function that serves it."""

    route: AnyRoute
    handle: Handle
    key: tuple[str, str]
    """Method and path template: the name of the route in metrics and logs."""


def bind(
    routes: Iterable[Route[ContextT, Any]],
    context: ContextT,
    check_access: Callable[[ContextT, Any, Request], None] | None = None,
) -> list[BoundRoute]:
    """Returns the routes with their handlers bound to `context`.

    `check_access` gets the context, `Route.access` and the request before the handler runs. It
    raises an error if the caller may not call.
    """
    return [_bind(route, context, check_access) for route in routes]


def _bind(
    route: Route[ContextT, Any],
    context: ContextT,
    check_access: Callable[[ContextT, Any, Request], None] | None,
) -> BoundRoute:
    key = (route.method, route.path)
    handler, access = route.handler, route.access
    if check_access is None:
        return BoundRoute(route, partial(handler, context), key)

    def check_and_handle(request: Request) -> Response | Awaitable[Response]:
        check_access(context, access, request)
        return handler(context, request)

    return BoundRoute(route, check_and_handle, key)


class Router:
    """The routes of all faces, in the order in which they are tried."""

    def __init__(self, bound: Sequence[BoundRoute], patterns: Mapping[str, str]) -> None:
        """`patterns` are the regular expressions of parameters that are not any segment."""
        self.routes = tuple(one.route for one in bound)
        by_path: dict[str, dict[str, BoundRoute]] = {}
        for one in bound:
            by_path.setdefault(one.route.path, {})[one.route.method] = one
        self._table = [(_compile(path, patterns), methods) for path, methods in by_path.items()]

    def match(self, method: str, path: str) -> tuple[BoundRoute, dict[str, str]]:
        """Returns the route and the parameters in a path (`normal_path`). HEAD is served like GET.

        Raises NoRoute and WrongMethod.
        """
        for pattern, methods in self._table:
            found = pattern.fullmatch(path)
            if found is not None:
                bound = methods.get("GET" if method == "HEAD" else method)
                if bound is None:
                    raise WrongMethod
                return bound, found.groupdict()
        raise NoRoute

    def has_path(self, path: str) -> bool:
        """Returns whether any method is served under this path (`normal_path`)."""
        return any(pattern.fullmatch(path) for pattern, _ in self._table)


def normal_path(raw_path: bytes) -> str:
    """Returns a path as it is matched: not decoded, with one leading slash."""
    return "/" + raw_path.decode("latin-1").lstrip("/")


def _compile(path: str, patterns: Mapping[str, str]) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    made = [re.escape(parts[0])]
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        made += [f"(?P<{name}>{patterns.get(name, _SEGMENT)})", re.escape(text)]
    return re.compile("".join(made))
