"""Which web pages may read answers: those of registered JavaScript clients, by exact origin.

The API never reads cookies; the browser SDKs set `withCredentials` all the same, so credentials
are allowed, and therefore an origin is always named and never `*` (client contract 6). The pages
for people do read a cookie: no script of another origin may read them, or it could agree to its
own request.
"""

from __future__ import annotations

import time
from contextlib import suppress

from bulkwright.api.http import Request
from bulkwright.domain.account import ClientKind
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.store.accounts import AccountStore

Headers = list[tuple[bytes, bytes]]

_FRESH_SECONDS = 5.0
"""A client registered meanwhile is known after this long."""
_OWN = ("oauth/v2/auth", "healthz", "readyz", "metrics")
"""What no page of another origin may read: the pages for people, and what is told to operators."""
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, feature, X-CRM-ORG, X-ZOHO-SDK",
    ),
    (b"access-control-max-age", b"300"),
]


class Origins:
    """The origins of registered JavaScript clients."""

    def __init__(self, accounts: AccountStore) -> None:
        self._accounts = accounts
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    def headers(self, request: Request, *, preflight: bool = False) -> Headers:
        """The headers that let the asking page read the answer; none for other pages."""
        origin = request.header(b"origin")
        if origin is None or request.scope["path"].lstrip("/").startswith(_OWN):
            return []
        if origin not in self._current():
            return [(b"vary", b"Origin")]
        allowed: Headers = [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        ]
        if preflight:
            return allowed + _PREFLIGHT
        return [*allowed, (b"access-control-expose-headers", b"Content-Disposition")]

    def _current(self) -> frozenset[str]:
        if time.monotonic() >= self._until:
            self._known = frozenset(
                origin
                for org in self._accounts.orgs()
                for client in self._accounts.clients(org.id)
                if client.kind is ClientKind.JAVASCRIPT
                for uri in client.redirect_uris
                for origin in _origins(uri)
            )
            self._until = time.monotonic() + _FRESH_SECONDS
        return self._known


def _origins(uri: str) -> list[str]:
    """The origin of a redirect URI; none of one that was registered before they were checked."""
    with suppress(InvalidEndpoint):
        return [parse_endpoint(uri).origin]
    return []
