"""Values as they are read from PostgreSQL: in the shapes in which SQLite holds them.

So that what reads records is the same for both stores: exact digits and moments are texts, a list
is the text of a JSON array.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader


class _Text(Loader):
    """Numbers keep their digits, dates are ISO already."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _Moment(Loader):
    """`2026-11-25 08:00:00+00` as `2026-11-25T08:00:00Z`; `infinity` as it is."""

    def load(self, data: Buffer) -> str:
        day, _, time = bytes(data).decode().partition(" ")
        return f"{day}T{time.removesuffix('+00')}Z" if time else day


class _Json(Loader):
    """Without the blanks that the server puts between elements."""

    def load(self, data: Buffer) -> str:
        value = json.loads(bytes(data))
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_LOADERS: dict[str, type[_Text | _Moment | _Json]] = {
    "numeric": _Text,
    "date": _Text,
    "timestamptz": _Moment,
    # Of tables of the user's own; a timestamp without zone is held to be UTC, as it is written.
    "timestamp": _Moment,
    "json": _Text,
    "uuid": _Text,
    "jsonb": _Json,
}


def read_as_sqlite_does(connection: psycopg.Connection[Any]) -> None:
    """Let a connection's rows hold what rows of SQLite hold."""
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)
