"""The request, the job or the error that log lines belong to.

It is known where the work begins, and a context variable carries it, so that code that logs needs
no parameter for it.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_fields: ContextVar[Mapping[str, object]] = ContextVar("fields", default={})  # noqa: B039 - a Mapping: never written to

_PROCESS = secrets.token_hex(4)
_numbers = itertools.count(1)
_request: ContextVar[int] = ContextVar("request", default=0)


def begin_request() -> None:
    """Gives the current task a new request number; its log lines belong to that request."""
    _request.set(next(_numbers))


def request_id() -> str:
    """Returns the id of the current request, 16 hexadecimal digits; empty outside of requests.

    It is made when it is needed, because most requests log nothing.
    """
    number = _request.get()
    return f"{_PROCESS}{number & 0xFFFFFFFF:08x}" if number else ""


@contextmanager
def about(**values: object) -> Iterator[None]:
    """Adds fields to all log lines of the block."""
    before = _fields.set({**_fields.get(), **values})
    try:
        yield
    finally:
        _fields.reset(before)


def log_fields() -> Mapping[str, object]:
    """Returns the fields of the `about` blocks around the caller."""
    return _fields.get()
