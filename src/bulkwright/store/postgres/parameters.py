"""Statements with question marks, as psycopg runs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from psycopg import Connection

from bulkwright.store.database import Row


@lru_cache(1000)
def marked(sql: str) -> str:
    """Returns a statement with psycopg's `%s` in place of each question mark.

    In strings and quoted names a question mark stays, and a percent sign is doubled. So the
    statement must be run with values: without any, psycopg leaves doubled signs as they are.
    """
    parts = _QUOTED.split(sql)
    parts[::2] = [part.replace("?", "%s") for part in parts[::2]]
    parts[1::2] = [name.replace("%", "%%") for name in parts[1::2]]
    return "".join(parts)


_QUOTED = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')""")


def fetched(connection: Connection[Any], sql: str, values: Sequence[object]) -> list[Row]:
    """Runs a statement with question marks and returns its rows; empty if it returns none."""
    if values:
        cursor = connection.execute(marked(sql).encode(), without_nul(values))
    else:
        cursor = connection.execute(sql.encode())
    return cast("list[Row]", cursor.fetchall()) if cursor.description else []


def without_nul(values: Sequence[object]) -> Sequence[object]:
    """Returns the values with U+FFFD for each NUL, which PostgreSQL's texts cannot contain."""
    if any(isinstance(v, str) and "\0" in v for v in values):
        return tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in values)
    return values
