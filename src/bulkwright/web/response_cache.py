"""The cache for clients that poll: the same request gets the same response until data changes.

Clients query the details of a running job again and again. As long as no transaction has
committed, the response to the same path with the same token is the same, and the check for a
commit costs a fraction of reading the token and the job again. A response is kept for a second at
most, because the token may expire. The `Host` must be the same too, so that its check need not be
repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.web.request import Request
from bulkwright.web.response import Response
from bulkwright.web.router import AnyRoute

_SECONDS = 1.0
_MOST_RESPONSES = 4_096


class Lookup(NamedTuple):
    """The result of a look-up; `store` needs it again."""

    key: tuple[bytes, ...] | None
    """None if the response to this request is never cached."""
    stamp: object = None
    response: Response | None = None
    """None if the response has to be made."""
    route: tuple[str, str] = ("", "")
    """The route that made the response."""
    caller: Any = None
    """The caller that it was made for."""


_NOT_CACHED = Lookup(None)


class ResponseCache:
    """The responses of this process that can be sent again."""

    def __init__(
        self,
        stamp: Callable[[], object],
        routes: Sequence[AnyRoute],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`stamp` returns a value that changes with every commit; it is called very often."""
        self._current_stamp = stamp
        self._starts = _starts(routes)
        self._monotonic = clock.monotonic
        self._stamp: object = None
        self._responses: dict[tuple[bytes, ...], tuple[float, Lookup]] = {}
        """When each one expires, and the result of its look-up."""

    def look_up(self, request: Request) -> Lookup:
        """Looks up the response. Must be called before the request reads any data.

        A response that is found needs no check of the head: its request passed all of them.
        """
        scope = request.scope
        if scope["method"] != "GET" or not scope["raw_path"].startswith(self._starts):
            return _NOT_CACHED
        token = host = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if token is not None:
                    return _NOT_CACHED
                token = value
            elif name == b"host":
                if host is not None:
                    return _NOT_CACHED
                host = value
            elif name == b"transfer-encoding":
                return _NOT_CACHED
        if not token or not host:
            return _NOT_CACHED
        stamp = self._current_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._responses.clear()
        key = (scope["raw_path"], token, host)
        found = self._responses.get(key)
        if found is None or found[0] <= self._monotonic():
            return Lookup(key, stamp)
        return found[1]

    def store(
        self, lookup: Lookup, response: Response, route: tuple[str, str], caller: Any = None
    ) -> None:
        """Keeps a response, unless a transaction has committed since the look-up."""
        if lookup.key is None or lookup.stamp != self._stamp:
            return
        if len(self._responses) >= _MOST_RESPONSES:
            self._responses.clear()
        found = Lookup(lookup.key, lookup.stamp, response, route, caller)
        self._responses[lookup.key] = (self._monotonic() + _SECONDS, found)


def _starts(routes: Sequence[AnyRoute]) -> tuple[bytes, ...]:
    """Returns the literal starts of the cached paths, up to their first parameter."""
    starts = {route.path.partition("{")[0] for route in routes if route.cached}
    return tuple(start.encode() for start in starts)
