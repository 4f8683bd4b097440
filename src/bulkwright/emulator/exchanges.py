"""The log of requests: what was called, by which user, and what was answered.

It holds the newest exchanges only. Secrets are replaced when an exchange leaves the log, so that a
request costs no more than an entry of a list.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from bulkwright.domain.account import Caller
from bulkwright.domain.limits import LOGGED_BODY_BYTES, LOGGED_REQUESTS
from bulkwright.store.times import from_micros
from bulkwright.web.request import Request, Scope
from bulkwright.web.response import Response

SENT = "bulkwright.sent"
"""The key of the received body in the ASGI scope."""
WATCHED = "bulkwright.watched"
"""The key of a list in the ASGI scope of a request that an intervention may answer."""
UNLOGGED = "bulkwright.unlogged"
"""The key in the ASGI scope of a request that a control has made."""
NOT_IMPLEMENTED = 501
MASKED = "***"
_LEFT_OUT = (b"/api/v1/emulator", b"/console")
"""The controls, and pages that people look at."""
_SECRETS = (
    "access_token|refresh_token|client_secret|code|code_verifier|token|password|otp|csrf|authtoken"
    "|zapikey"
)
_SECRET_HEADERS = (b"authorization", b"cookie", b"proxy-authorization", b"x-emulator-key")
_IN_FORM = re.compile(rf"(^|[?&])({_SECRETS.replace('_', '(?:_|%5[Ff])')})=[^&]*")
_IN_JSON = re.compile(rf'"({_SECRETS})"(\s*):(\s*)"(?:[^"\\]|\\.)*"')
_TOKENS = re.compile("/oauth/|/accounts/|/console/")
"""Paths whose `code` is a secret; elsewhere it is the code of an answer."""


_new_tuple = tuple.__new__


class Exchange(NamedTuple):
    """A request and its answer. Texts are as they were sent: they may hold secrets."""

    number: int
    """Counts the requests of this process since its start."""
    micros: int
    """When it was answered, on the emulated clock, in microseconds since 1970."""
    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    route: tuple[str, str]
    """Method and path template; empty texts if no route has the path."""
    caller: Caller | None
    """None if there was no valid token."""
    status: int
    """0 if the connection was cut before the client got one."""
    seconds: float
    """From the head of the request to the end of the answer."""
    sent: bytes | None
    """The body of the request; None if it was a file or too long."""
    answered: bytes | None
    """The body of the answer; None if it was a file or too long."""

    @property
    def time(self) -> datetime:
        """When it was answered, on the emulated clock."""
        return from_micros(self.micros, "UTC")

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


def _is_left_out(scope: Scope) -> bool:
    return scope["raw_path"].startswith(_LEFT_OUT) or UNLOGGED in scope


class ExchangeLog:
    """The newest exchanges of this process."""

    def __init__(self, micros: Callable[[], int]) -> None:
        """`micros` returns the emulated time in microseconds since 1970."""
        self._micros = micros
        self._numbers = itertools.count(1)
        self._entries: deque[Exchange] = deque(maxlen=LOGGED_REQUESTS)

    def note(
        self, request: Request, response: Response | None, status: int, seconds: float
    ) -> None:
        """Adds an exchange. The response is None if a mounted app has made it."""
        scope = request.scope
        if _is_left_out(scope):
            return
        body = None
        if response is not None and response.file is None:
            body = response.body
        entry = self._entry(scope, request.route, request.caller, (status, seconds, body))
        watched = scope.get(WATCHED)
        if watched is None:
            self._entries.append(entry)
        else:
            watched.append(entry)

    def note_intervened(self, scope: Scope, status: int, seconds: float) -> None:
        """Adds the exchange of a request that interventions have seen.

        `status` is what the client got; 0 if that was nothing.
        """
        if _is_left_out(scope):
            return
        noted: list[Exchange] = scope[WATCHED]
        if not noted:
            entry = self._entry(scope, ("", ""), None, (status, seconds, None))
        elif noted[-1].status == status:
            entry = noted[-1]._replace(seconds=seconds)
        else:
            entry = noted[-1]._replace(status=status, seconds=seconds, answered=None)
        self._entries.append(entry)

    def _entry(
        self,
        scope: Scope,
        route: tuple[str, str],
        caller: Caller | None,
        answer: tuple[int, float, bytes | None],
    ) -> Exchange:
        status, seconds, body = answer
        sent = scope.get(SENT, b"")
        # A named tuple takes its values one by one otherwise: that costs twice as much.
        return _new_tuple(
            Exchange,
            (
                next(self._numbers),
                self._micros(),
                scope["method"],
                scope["raw_path"],
                scope["query_string"],
                scope["headers"],
                route,
                caller,
                status,
                seconds,
                None if len(sent) > LOGGED_BODY_BYTES else sent,
                None if body is None or len(body) > LOGGED_BODY_BYTES else body,
            ),
        )

    def find(self, wanted: ExchangeFilter) -> Iterator[Exchange]:
        """Returns the exchanges that are wanted, oldest first."""
        return filter(wanted.matches, list(self._entries))

    def clear(self) -> None:
        """Forgets all exchanges. Their numbers are not given again."""
        self._entries.clear()
