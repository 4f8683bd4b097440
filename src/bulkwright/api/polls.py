"""Answers to polls: a client that asks again before anything has changed gets the same answer.

Clients ask for the details of a running job again and again. As long as nobody has committed
anything, the answer to the same path with the same token is the same, and asking the database
whether that is so costs a fraction of reading token and job anew. An answer is kept for a second
at most, for a token may run out.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from bulkwright.api.http import Answer, Request
from bulkwright.store.database import Database

_SECONDS = 1.0
_MOST = 4_096


_KEPT = b"/crm/"
"""Where kept answers are; other requests do not even ask the database whether it has changed."""


class Poll(NamedTuple):
    """One request: what it is known by, what it saw, and the answer if it is kept."""

    key: tuple[bytes, ...] | None
    stamp: object = None
    answer: Answer | None = None
    route: tuple[str, str] = ("", "")
    """Which route made the answer."""


_NEW = Poll(None)


class Polls:
    """The kept answers of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stamp: object = None
        self._kept: dict[tuple[bytes, ...], tuple[float, Answer, tuple[str, str]]] = {}

    def begin(self, request: Request) -> Poll:
        """Look up the answer; to be called before the request reads anything."""
        scope = request.scope
        if scope["method"] != "GET" or not scope["raw_path"].startswith(_KEPT):
            return _NEW
        tokens = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(tokens) != 1:
            return _NEW
        stamp = self._database.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._kept.clear()
        key = (scope["raw_path"], tokens[0])
        kept = self._kept.get(key)
        if kept is None or kept[0] <= time.monotonic():
            return Poll(key, stamp)
        return Poll(key, stamp, kept[1], kept[2])

    def keep(self, poll: Poll, answer: Answer, route: tuple[str, str]) -> None:
        """Keep an answer, unless something was committed while it was made."""
        if poll.key is None or poll.stamp != self._stamp:
            return
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[poll.key] = (time.monotonic() + _SECONDS, answer, route)
