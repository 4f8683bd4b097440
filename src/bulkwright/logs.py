"""Log lines, as text for people or as JSON for programs.

What a line is about (which request, which job) is known where the work begins and goes along in a
context variable, so that whoever logs something far below need not hand it on.
"""

from __future__ import annotations

import itertools
import json
import logging
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_known: ContextVar[Mapping[str, object]] = ContextVar("known", default={})  # noqa: B039 - a Mapping: never written to

_PROCESS = secrets.token_hex(4)
_numbers = itertools.count(1)
_request: ContextVar[int] = ContextVar("request", default=0)
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def begin_request() -> None:
    """All further lines of this task are about a new request."""
    _request.set(next(_numbers))


def request_id() -> str:
    """What the request in hand is called, 16 hexadecimal digits; empty where there is none.

    Made when it is wanted: most requests leave no line.
    """
    number = _request.get()
    return f"{_PROCESS}{number & 0xFFFFFFFF:08x}" if number else ""


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """What the lines inside are about, beside what is known already."""
    before = _known.set({**_known.get(), **facts})
    try:
        yield
    finally:
        _known.reset(before)


def log_to_stderr(role: str, style: str, level: str) -> None:
    """Log to stderr: `style` is text or json, `role` what this process is (`api`, `worker`).

    `level` is ours; other libraries are heard from `warning` on, for at `debug` some of them tell
    of headers and URLs, in which there are secrets.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(role) if style == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    # What psycopg warns of at every lost connection is told once by whoever meets it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.getLogger("bulkwright").setLevel(level.upper())


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, role, pid; what it is about
    (`request_id`, `job_id`, `correlation_id`) where that is known; `error`, a traceback."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "role": self._role,
            "pid": record.process,
        }
        if number := request_id():
            line["request_id"] = number
        line |= _known.get()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
