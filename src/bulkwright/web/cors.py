"""CORS: web pages of registered origins may read responses.

The API never reads cookies. The browser SDKs set `withCredentials` all the same, so credentials
are allowed, and therefore the response names the exact origin and never `*` (client contract 6).
Routes that are declared `same_origin` get no such headers: the sign-in pages read a cookie, and a
script of another origin could otherwise agree to its own request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.web.request import Request
from bulkwright.web.router import AnyRoute

Headers = list[tuple[bytes, bytes]]

_FRESH_SECONDS = 5.0
"""A newly registered origin is allowed after this time at most."""
_PREFLIGHT_SECONDS = b"300"


class Cors:
    """The CORS headers of responses."""

    def __init__(
        self,
        origins: Callable[[], frozenset[str]],
        routes: Sequence[AnyRoute],
        allowed_headers: bytes,
        clock: Clock = SYSTEM_CLOCK,
        same_origin: Sequence[str] = (),
    ) -> None:
        """`origins` returns the allowed origins; their requests may have `allowed_headers`.

        `same_origin` are prefixes of mounted apps whose responses no other origin may read.
        """
        self._origins = origins
        self._same_origin = (*_prefixes(routes), *(path.lstrip("/") for path in same_origin))
        methods = ", ".join(sorted({route.method for route in routes}))
        self._preflight: Headers = [
            (b"access-control-allow-methods", methods.encode()),
            (b"access-control-allow-headers", allowed_headers),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        ]
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._fresh_until = 0.0

    def headers(self, request: Request) -> Headers:
        """Returns the headers that let the page of this request read the response."""
        origin = request.header(b"origin")
        if origin is None or request.scope["path"].lstrip("/").startswith(self._same_origin):
            return []
        if origin not in self._current():
            return [(b"vary", b"Origin")]
        allowed: Headers = [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        ]
        if request.scope["method"] == "OPTIONS":
            return allowed + self._preflight
        return [*allowed, (b"access-control-expose-headers", b"Content-Disposition")]

    def _current(self) -> frozenset[str]:
        now = self._clock.monotonic()
        if now >= self._fresh_until:
            self._known = self._origins()
            self._fresh_until = now + _FRESH_SECONDS
        return self._known


def _prefixes(routes: Sequence[AnyRoute]) -> tuple[str, ...]:
    return tuple(route.path.lstrip("/") for route in routes if route.same_origin)
