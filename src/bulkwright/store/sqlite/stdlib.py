"""The SQLite database of the API process and the CLI: Python's own `sqlite3`.

A read takes a few microseconds, so the API does it without leaving its event loop. Each thread
has a connection of its own. Writers wait for one another here, in small steps, because SQLite's
own busy handler sleeps up to 100 ms between tries and would starve beside a busy worker.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bulkwright.store.database import Row
from bulkwright.store.queries import Query, load
from bulkwright.store.sqlite.driver import BUSY_SECONDS, UNDO_INNER, claim_driver

_REMEMBERED = 1_000
"""Statements whose column names are kept."""


class StdlibDatabase:
    """A `Database` (see store/database.py) on one SQLite file through `sqlite3`."""

    def __init__(self, path: Path) -> None:
        claim_driver(path, "sqlite3")
        self._path = path
        self._queries: dict[str, Query] = load("sqlite")
        self._names: dict[str, tuple[str, ...]] = {}
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []

    def all(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query and return its rows."""
        q = self._queries[query]
        return self.sql(q.sql, q.bind(values))

    def one(self, query: str, /, **values: object) -> Row | None:
        """Run a named query and return its first row, or None."""
        rows = self.all(query, **values)
        return rows[0] if rows else None

    def run(self, query: str, /, **values: object) -> None:
        """Run a named query for its effect."""
        self.all(query, **values)

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`."""
        connection = self._connection()
        if sql.startswith("SELECT") or connection.in_transaction:
            return self._rows(connection.execute(sql, values), sql)
        with self.transaction():
            return self._rows(connection.execute(sql, values), sql)

    def stamp(self) -> object:
        """Equal to the last one on this thread if nothing was committed since, by anybody."""
        connection = self._connection()
        # The first changes with every other connection's commit, the second with our own writes.
        (version,) = connection.execute("PRAGMA data_version").fetchall()
        return version, connection.total_changes

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls inside commit together, or not at all when the block raises.

        Inside another transaction it is a savepoint of that one.
        """
        connection = self._connection()
        inner = connection.in_transaction
        if inner:
            connection.execute("SAVEPOINT inner")
        else:
            self._begin(connection)
        try:
            yield
        except BaseException:
            for statement in UNDO_INNER if inner else ("ROLLBACK",):
                connection.execute(statement)
            raise
        connection.execute("RELEASE inner" if inner else "COMMIT")

    def close(self) -> None:
        """Close the connections of every thread."""
        for connection in self._open:
            connection.close()

    def _rows(self, cursor: sqlite3.Cursor, sql: str) -> list[Row]:
        found = cursor.fetchall()
        if not found:
            return []
        names = self._names.get(sql)
        if names is None:
            # Asking the cursor costs as much as the query itself.
            names = tuple(d[0] for d in cursor.description)
            if len(self._names) < _REMEMBERED:
                self._names[sql] = names
        return [dict(zip(names, values, strict=True)) for values in found]

    def _begin(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.002)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Threads never share a connection; the flag only lets close() reach them all.
            connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
            for pragma in ("busy_timeout=0", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
            self._to_wal(connection)
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _to_wal(self, connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA journal_mode").fetchall()[0][0] != "wal":
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA busy_timeout=0")
