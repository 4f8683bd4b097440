"""The log of requests: what was called, by which user, and what was answered.

It holds the newest exchanges only. Secrets are replaced when an exchange leaves the log, so that a
request costs no more than an entry of a list.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from bulkwright.clock import Clock
from bulkwright.domain.account import Caller
from bulkwright.domain.limits import LOGGED_BODY_BYTES, LOGGED_REQUESTS
from bulkwright.web.request import Request
from bulkwright.web.response import Response

SENT = "bulkwright.sent"
"""The key of the received body in the ASGI scope."""
NOT_IMPLEMENTED = 501
MASKED = "***"
_MOST_CALLERS = 1_000
_SECRETS = (
    "access_token|refresh_token|client_secret|code|code_verifier|token|password|otp|csrf|authtoken"
    "|zapikey"
)
_SECRET_HEADERS = (b"authorization", b"cookie", b"proxy-authorization", b"x-emulator-key")
_IN_FORM = re.compile(rf"(^|[?&])({_SECRETS.replace('_', '(?:_|%5[Ff])')})=[^&]*")
_IN_JSON = re.compile(rf'"({_SECRETS})"(\s*):(\s*)"(?:[^"\\]|\\.)*"')
_TOKENS = re.compile("/oauth/|/accounts/|/console/")
"""Paths whose `code` is a secret; elsewhere it is the code of an answer."""


class Exchange(NamedTuple):
    """A request and its answer. Texts are as they were sent: they may hold secrets."""

    number: int
    """Counts the requests of this process since its start."""
    time: datetime
    """When it was answered, on the emulated clock."""
    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    route: tuple[str, str]
    """Method and path template; empty texts if no route has the path."""
    caller: Caller | None
    """None if there was no valid token."""
    status: int
    seconds: float
    """From the head of the request to the end of the answer."""
    sent: bytes | None
    """The body of the request; None if it was a file or too long."""
    answered: bytes | None
    """The body of the answer; None if it was a file or too long."""

    @property
    def is_implemented(self) -> bool:
        """Whether the service has what was called."""
        return self.status != NOT_IMPLEMENTED

    @property
    def code(self) -> str | None:
        """The code in the answer; that of the first record, if each record has one."""
        try:
            body = json.loads(self.answered or b"")
        except ValueError:
            return None
        if isinstance(body, dict) and isinstance(body.get("data"), list) and body["data"]:
            body = body["data"][0]
        if not isinstance(body, dict):
            return None
        found = body.get("code", body.get("error"))
        return found if isinstance(found, str) else None

    @property
    def shown_path(self) -> str:
        """The path, in which a link to a result may have a secret."""
        return self.path.decode("latin-1")

    @property
    def shown_query(self) -> str:
        """The query without secrets."""
        return _IN_FORM.sub(rf"\1\2={MASKED}", self.query.decode("latin-1"))

    @property
    def shown_headers(self) -> list[tuple[str, str]]:
        """The headers of the request without secrets."""
        return [
            (k.decode("latin-1"), MASKED if k in _SECRET_HEADERS else v.decode("latin-1"))
            for k, v in self.headers
        ]

    def shown_body(self, body: bytes | None) -> str | None:
        """Returns `sent` or `answered` as text without secrets; None if it was not kept."""
        if body is None:
            return None
        text = body.decode("utf-8", "replace")
        if _TOKENS.search(self.shown_path):
            text = _IN_FORM.sub(rf"\1\2={MASKED}", text)
        return _IN_JSON.sub(_masked, text) if _TOKENS.search(self.shown_path) else text


def _masked(found: re.Match[str]) -> str:
    return f'"{found[1]}"{found[2]}:{found[3]}"{MASKED}"'


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """Which exchanges are wanted. None and False mean all."""

    method: str | None = None
    path: str | None = None
    """A pattern: `/crm/*/Leads`."""
    status: str | None = None
    """A status or a class of them: `429`, `4xx`."""
    org_id: int | None = None
    not_implemented: bool = False
    after: int = 0
    """Only exchanges with greater numbers."""

    def matches(self, one: Exchange) -> bool:
        """Returns whether an exchange is wanted."""
        return (
            one.number > self.after
            and (self.method is None or one.method == self.method.upper())
            and (self.path is None or fnmatchcase(one.shown_path, self.path))
            and (self.status is None or _has_status(one.status, self.status))
            and (
                self.org_id is None or (one.caller is not None and one.caller.org_id == self.org_id)
            )
            and not (self.not_implemented and one.is_implemented)
        )


def _has_status(status: int, wanted: str) -> bool:
    return str(status) == wanted or (wanted[1:].lower() == "xx" and str(status)[0] == wanted[0])


class ExchangeLog:
    """The newest exchanges of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._entries: deque[Exchange] = deque(maxlen=LOGGED_REQUESTS)
        self._callers: dict[bytes, Caller] = {}
        """By the Authorization header: a response from the cache has no caller."""

    def note(
        self, request: Request, response: Response | None, status: int, seconds: float
    ) -> None:
        """Adds an exchange. The response is None if a mounted app has made it."""
        scope = request.scope
        path, caller, body = scope["raw_path"], request.caller, None
        if path.startswith(b"/api/v1/emulator"):
            return
        headers = scope["headers"]
        token = next((v for k, v in headers if k == b"authorization"), b"")
        if caller is None:
            caller = self._callers.get(token) if status < 400 else None
        elif token not in self._callers:
            if len(self._callers) >= _MOST_CALLERS:
                self._callers.clear()
            self._callers[token] = caller
        if response is not None and response.file is None:
            body = response.body if len(response.body) <= LOGGED_BODY_BYTES else None
        sent = scope.get(SENT, b"")
        self._entries.append(
            Exchange(
                next(self._numbers),
                self._clock.now(),
                scope["method"],
                path,
                scope["query_string"],
                headers,
                request.route,
                caller,
                status,
                seconds,
                None if len(sent) > LOGGED_BODY_BYTES else sent,
                body,
            )
        )

    def find(self, wanted: ExchangeFilter) -> Iterator[Exchange]:
        """Returns the exchanges that are wanted, oldest first."""
        return filter(wanted.matches, list(self._entries))

    def clear(self) -> None:
        """Forgets all exchanges. Their numbers are not given again."""
        self._entries.clear()
