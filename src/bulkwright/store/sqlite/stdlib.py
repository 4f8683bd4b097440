"""The SQLite database of the API process and the CLI: Python's own `sqlite3`.

A read takes a few microseconds, so the API does it without leaving its event loop. Each thread
has a connection of its own.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bulkwright.store.database import Row
from bulkwright.store.sqlite.driver import (
    BUSY_SECONDS,
    PAGE_BYTES,
    UNDO_INNER,
    WAL_BYTES,
    SqliteQueries,
    claim_driver,
    patiently,
)

_REMEMBERED = 1_000
"""Statements whose column names are kept."""
_READ_SECONDS = 1.0
"""How long a read waits: readers need no lock but while a dead writer's work is put right."""


class StdlibDatabase(SqliteQueries):
    """A `Database` (see store/database.py) on one SQLite file through `sqlite3`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        claim_driver(path, "sqlite3")
        self._path = path
        self._names: dict[str, tuple[str, ...]] = {}
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._numbers = itertools.count()

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a named query for its effect, once for each of these rows of values, in order."""
        q = self._queries[query]
        with self.transaction():
            self._connection().executemany(q.sql, map(q.bind, rows))

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`."""
        connection = self._connection()
        if connection.in_transaction:
            return self._rows(connection.execute(sql, values), sql)
        if sql.startswith("SELECT"):
            try:
                return self._rows(_patiently(connection, sql, values, _READ_SECONDS), sql)
            except sqlite3.OperationalError:
                self._drop(connection)
                raise
        with self.transaction():
            return self._rows(self._connection().execute(sql, values), sql)

    def stamp(self) -> object:
        """Equal to the last one on this thread if nothing was committed since, by anybody."""
        connection = self._connection()
        # The first changes with every other connection's commit, the second with our own writes.
        (version,) = connection.execute("PRAGMA data_version").fetchall()
        return version, connection.total_changes, self._local.number

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls inside commit together, or not at all when the block raises.

        Inside another transaction it is a savepoint of that one.
        """
        connection = self._connection(BUSY_SECONDS)
        inner = connection.in_transaction
        try:
            if inner:
                connection.execute("SAVEPOINT inner")
            else:
                _patiently(connection, "BEGIN IMMEDIATE", (), BUSY_SECONDS)
            yield
            connection.execute("RELEASE inner" if inner else "COMMIT")
        except BaseException as error:
            self._undo(connection, UNDO_INNER if inner else ("ROLLBACK",))
            if not inner and isinstance(error, sqlite3.OperationalError):
                self._drop(connection)
            raise

    def close(self) -> None:
        """Close the connections of every thread."""
        for connection in self._open:
            connection.close()

    def _undo(self, connection: sqlite3.Connection, statements: Sequence[str]) -> None:
        # After a full disk or an I/O error SQLite has rolled back by itself.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                for statement in statements:
                    connection.execute(statement)

    def _drop(self, connection: sqlite3.Connection) -> None:
        """Let the thread's next call open the file anew.

        A connection that was opened while the file could not be written to never can.
        """
        self._local.connection = None
        with suppress(ValueError):
            self._open.remove(connection)
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

    def _connection(self, seconds: float = _READ_SECONDS) -> sqlite3.Connection:
        """This thread's connection; waits so long while somebody else holds the file alone."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Threads never share a connection; the flag only lets close() reach them all.
            connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
            try:
                for pragma in (
                    "busy_timeout=0",
                    f"journal_size_limit={WAL_BYTES}",
                    "synchronous=FULL",
                    "foreign_keys=ON",
                ):
                    _patiently(connection, f"PRAGMA {pragma}", (), seconds)
                _to_wal(connection, seconds)
            except BaseException:
                connection.close()
                raise
            self._local.connection = connection
            self._local.number = next(self._numbers)
            self._open.append(connection)
        return connection


def _to_wal(connection: sqlite3.Connection, seconds: float) -> None:
    mode = _patiently(connection, "PRAGMA journal_mode", (), seconds)
    if mode.fetchall()[0][0] != "wal":
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        _patiently(connection, "PRAGMA journal_mode=WAL", (), BUSY_SECONDS)


def _patiently(
    connection: sqlite3.Connection, sql: str, values: Sequence[object], seconds: float
) -> sqlite3.Cursor:
    """Run a statement outside a transaction, again and again while somebody holds the lock."""
    return patiently(lambda: connection.execute(sql, values), seconds)
