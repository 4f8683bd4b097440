"""Finds the route of a request by method and path.

A path matches only as it is spelled in the route: without percent-encoding, dots or a trailing
slash. Several leading slashes count as one, because every SDK puts one too many before a download
URL (client contract 1.1).

The routes form a tree of the segments of their paths. A literal segment is tried before a
parameter, so `/{module}/search` is found whatever else `/{module}/{record_id}` would match, and the
order of the routes does not matter.
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
_PARAMETER = re.compile(r"\{(\w+)\}")


class BoundRoute(NamedTuple):
    """A route and the function that serves it."""

    route: AnyRoute
    handle: Handle
    key: tuple[str, str]
    """Method and path template: the name of the route in metrics and logs."""
    parameters: tuple[str, ...]
    """The names of the parameters in the path, in their order."""


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
    parameters = tuple(_PARAMETER.findall(route.path))
    handler, access = route.handler, route.access
    if check_access is None:
        return BoundRoute(route, partial(handler, context), key, parameters)

    def check_and_handle(request: Request) -> Response | Awaitable[Response]:
        check_access(context, access, request)
        return handler(context, request)

    return BoundRoute(route, check_and_handle, key, parameters)


class _Node:
    """The paths that have begun with the same segments."""

    __slots__ = ("child", "fits", "literals", "methods", "pattern")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        """The nodes of the next segment, by its text."""
        self.pattern = ""
        """The pattern of a parameter in the next segment; all routes here have the same."""
        self.fits: Callable[[str], object] | None = None
        """Whether a segment is such a parameter; None if there is none."""
        self.child: _Node | None = None
        """The node that it leads to."""
        self.methods: dict[str, BoundRoute] = {}
        """The routes whose path ends here, by method."""


class Router:
    """The routes of all faces."""

    def __init__(self, bound: Sequence[BoundRoute], patterns: Mapping[str, str]) -> None:
        """`patterns` are the regular expressions of parameters that are not any segment."""
        self.routes = tuple(one.route for one in bound)
        self._root = _Node()
        for one in bound:
            self._add(one, patterns)

    def match(self, method: str, path: str) -> tuple[BoundRoute, dict[str, str]]:
        """Returns the route and the parameters in a path (`normal_path`). HEAD is served like GET.

        Raises NoRoute and WrongMethod.
        """
        values: list[str] = []
        node = _find(self._root, path.split("/"), 1, values)
        if node is None:
            raise NoRoute
        bound = node.methods.get("GET" if method == "HEAD" else method)
        if bound is None:
            raise WrongMethod
        return bound, dict(zip(bound.parameters, values, strict=True))

    def has_path(self, path: str) -> bool:
        """Returns whether any method is served under this path (`normal_path`)."""
        return _find(self._root, path.split("/"), 1, []) is not None

    def _add(self, bound: BoundRoute, patterns: Mapping[str, str]) -> None:
        node = self._root
        for segment in bound.route.path.split("/")[1:]:
            name = _PARAMETER.fullmatch(segment)
            if name is None:
                node = node.literals.setdefault(segment, _Node())
                continue
            pattern = patterns.get(name[1], _SEGMENT)
            if node.child is None:
                node.pattern, node.fits = pattern, re.compile(pattern).fullmatch
                node.child = _Node()
            if node.pattern != pattern:
                raise ValueError(f"{bound.route.path}: another pattern of {name[0]} at this place")
            node = node.child
        node.methods[bound.route.method] = bound


def normal_path(raw_path: bytes) -> str:
    """Returns a path as it is matched: not decoded, with one leading slash."""
    return "/" + raw_path.decode("latin-1").lstrip("/")


def _find(node: _Node, segments: Sequence[str], at: int, values: list[str]) -> _Node | None:
    """Returns the node of a path, and appends its parameters to `values`; None if it has none."""
    end = len(segments)
    while at < end:
        segment = segments[at]
        at += 1
        following = node.literals.get(segment)
        if node.fits is not None:
            if following is not None:
                known = len(values)
                found = _find(following, segments, at, values)
                if found is not None:
                    return found
                del values[known:]
            following = node.child if node.fits(segment) else None
            values.append(segment)
        if following is None:
            return None
        node = following
    return node if node.methods else None
