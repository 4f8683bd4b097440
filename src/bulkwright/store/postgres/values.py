"""Loads the values of PostgreSQL's rows with the types that SQLite returns.

So the code that reads records is the same for both stores: exact decimals and times are texts, a
list is the text of a JSON array.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader


class _Text(Loader):
    """Loads the text as the server sends it: all digits of a number, a date in ISO format."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _Time(Loader):
    """Loads `2026-11-25 08:00:00+00` as `2026-11-25T08:00:00Z`.

    `infinity`, years before 1 (`BC`) and years beyond 9999 stay as the server sends them.
    """

    def load(self, data: Buffer) -> str:
        text = bytes(data).decode()
        found = _MOMENT.fullmatch(text)
        return f"{found[1]}T{found[2]}Z" if found else text


_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9:.]+)(?:\+00)?")


class _Json(Loader):
    """Loads JSON as text, without the spaces that the server writes between elements.

    The text is not parsed, because the server's numbers and levels have other limits than Python's.
    """

    def load(self, data: Buffer) -> str:
        return _SPACES.sub(rb"\1", bytes(data)).decode()


_SPACES = re.compile(rb'("(?:[^"\\]|\\.)*+")| ')
"""A string, which is kept, or a space between elements."""


_LOADERS: dict[str, type[_Text | _Time | _Json]] = {
    "numeric": _Text,
    "date": _Text,
    "timestamptz": _Time,
    # Only in existing tables. A timestamp without zone is UTC, because it is written so.
    "timestamp": _Time,
    "json": _Text,
    "uuid": _Text,
    "jsonb": _Json,
}


def load_as_sqlite(connection: psycopg.Connection[Any]) -> None:
    """Makes the rows of a connection have the types that SQLite returns."""
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)
