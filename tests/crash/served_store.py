"""A served deployment on either store, and its database as an operator reaches it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from tests.support.processes import free_port
from tests.support.served import Served


class Upserts(Served):
    """A server whose jobs upsert by the address."""

    operation = "upsert"
    mapped = {"find_by": "Email"}  # noqa: RUF012 - as in `Served`, nothing changes it


class ServedStore:
    """Starts servers on one data folder, and queries their database while they run or are gone."""

    def __init__(self, data: Path, url: str = "") -> None:
        """`url` is that of a PostgreSQL database; without one the store is SQLite."""
        self.data, self.url = data, url

    def server(self) -> Upserts:
        """A server on the folder, to be started by `with`. Started again, it has the same port."""
        options = ("--database", self.url) if self.url else ()
        port = free_port()
        return Upserts(self.data, "--profile", "service", *options, port=port, timeout=300.0)

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Rows of the database; `?` is a value."""
        return list(self._each(sql, values))

    def each_lead(self) -> Iterator[Any]:
        """Yields all columns of all leads, by id."""
        catalogue = (
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'org%Leads'"
            if self.url
            else "SELECT name FROM sqlite_master WHERE name LIKE 'org%\\_Leads' ESCAPE '\\'"
        )
        ((table,),) = self.rows(catalogue)
        yield from self._each(f'SELECT * FROM "{table}" ORDER BY id')

    def _each(self, sql: str, values: Sequence[object] = ()) -> Iterator[Any]:
        if self.url:
            with psycopg.connect(self.url) as connection, connection.cursor("each") as cursor:
                yield from cursor.execute(sql.replace("?", "%s").encode(), values or None)
            return
        path = self.data / "bulkwright.sqlite"
        with closing(sqlite3.connect(path, timeout=30)) as file:
            yield from file.execute(sql, values)
