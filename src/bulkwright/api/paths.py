"""From method and path to a route.

Only spelled-out paths lead anywhere: no percent-encoding, no dots, no trailing slash. Leading
slashes count as one, because every SDK puts one too many before a download URL (client contract
1.1).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bulkwright.api.auth import Needed
from bulkwright.api.http import Answer, Request
from bulkwright.api.problems import InvalidRequestMethod, InvalidUrlPattern
from bulkwright.domain.account import Right
from bulkwright.wire.versions import VERSIONS

Handler = Callable[[Request], Answer | Awaitable[Answer]]

_SHAPES = {"version": "|".join(re.escape(v) for v in sorted(VERSIONS, reverse=True))}
"""Parameters that are not just any segment."""


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: `{name}` in its path is a parameter."""

    method: str
    path: str
    needed: Needed
    handler: Handler
    right: Right | None = None
    """What the caller's profile must include, beside the scopes of the token."""
    kept: bool = False
    """Whether the answer follows from path, token and database alone (api/polls.py)."""


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_path.setdefault(route.path, {})[route.method] = route
        self._table = [(_compiled(path), methods) for path, methods in by_path.items()]

    def match(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        """The route and its parameters; HEAD goes where GET goes.

        Raises InvalidUrlPattern and InvalidRequestMethod.
        """
        path = "/" + raw_path.decode("latin-1").lstrip("/")
        for pattern, methods in self._table:
            found = pattern.fullmatch(path)
            if found is not None:
                route = methods.get("GET" if method == "HEAD" else method)
                if route is None:
                    raise InvalidRequestMethod
                return route, found.groupdict()
        raise InvalidUrlPattern

    def knows(self, raw_path: bytes) -> bool:
        """Whether any method is served under this path."""
        path = "/" + raw_path.decode("latin-1").lstrip("/")
        return any(pattern.fullmatch(path) for pattern, _ in self._table)


def _compiled(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    made = [re.escape(parts[0])]
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        made += [f"(?P<{name}>{_SHAPES.get(name, '[A-Za-z0-9_.~-]{1,400}')})", re.escape(text)]
    return re.compile("".join(made))
