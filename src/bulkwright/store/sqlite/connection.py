"""The SQLite database of the API process and the CLI: Python's own `sqlite3`.

A read takes a few microseconds, so the API reads on its event loop. Each thread has its own
connection.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from time import perf_counter

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import STATEMENT_SECONDS
from bulkwright.outages import register
from bulkwright.store.database import Row
from bulkwright.store.sqlite.driver import (
    PAGE_BYTES,
    ROLLBACK_INNER,
    WAL_BYTES,
    SqliteQueries,
    claim_driver,
    make_private,
)
from bulkwright.store.sqlite.errors import is_busy, stdlib_outage
from bulkwright.store.sqlite.write_lock import BUSY_SECONDS, WriteTurn, retry_while_busy

register(sqlite3.Error, stdlib_outage)

_CACHED_STATEMENTS = 1_000
"""The most statements whose column names are cached."""
_STEPS = 100_000
"""Steps of a query between two looks at the time: about a millisecond."""
_READ_SECONDS = 1.0
"""How long a read waits: readers need a lock only while the log of a dead writer is recovered."""


class StdlibDatabase(SqliteQueries):
    """A `Database` (see store/database.py) on one SQLite file, through `sqlite3`."""

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(path, clock)
        claim_driver(path, "sqlite3")
        make_private(path)
        self._path = path
        self._turn = WriteTurn(path)
        self._names: dict[str, tuple[str, ...]] = {}
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._numbers = itertools.count()
        self._waiting_since: dict[int, float] = {}
        """By thread: since when it has been waiting for the write lock, by `perf_counter`."""

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Runs a named query for its effect, once for each row of values, in order."""
        q = self._queries[query]
        with self.transaction():
            self._connection().executemany(q.sql, map(q.bind, rows))

    def sql_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement that Python builds for its effect, once for each row, in order."""
        with self.transaction():
            self._connection().executemany(sql, rows)

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        connection = self._connection()
        if connection.in_transaction:
            return self._rows(connection.execute(sql, values), sql)
        if sql.startswith("SELECT"):
            self._local.ends = perf_counter() + STATEMENT_SECONDS
            try:
                return self._rows(_execute_when_free(connection, sql, values, _READ_SECONDS), sql)
            except sqlite3.OperationalError:
                self._discard(connection)
                raise
            finally:
                self._local.ends = inf
        with self.transaction():
            return self._rows(self._connection().execute(sql, values), sql)

    def change_stamp(self) -> object:
        """Returns a value that equals this thread's last one if nothing was committed since."""
        connection = self._connection()
        # `data_version` changes with commits of other connections, `total_changes` with our writes.
        (version,) = connection.execute("PRAGMA data_version").fetchall()
        return version, connection.total_changes, self._local.number

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All calls inside commit together, or none of them if the block raises.

        Inside another transaction it is a savepoint of that one. Each one is durable.
        """
        connection = self._writing_connection()
        inner = connection.in_transaction
        begun = inf
        try:
            if inner:
                connection.execute("SAVEPOINT inner")
            else:
                with self._waiting(), self._turn.taken(BUSY_SECONDS):
                    _execute_when_free(connection, "BEGIN IMMEDIATE", (), BUSY_SECONDS)
                begun = perf_counter()
            yield
            connection.execute("RELEASE inner" if inner else "COMMIT")
        except BaseException as error:
            self._roll_back(connection, ROLLBACK_INNER if inner else ("ROLLBACK",))
            if not inner:
                self._end_transaction(committed=False)
                if isinstance(error, sqlite3.OperationalError):
                    self._discard(connection)
            raise
        finally:
            self._note_lock(begun)
        if not inner:
            self._end_transaction(committed=True)

    def lock_wait(self) -> float:
        """Returns for how long a writer of this process has been waiting for the write lock.

        If none waits and another process holds the lock, a thread begins to wait for it.
        """
        since = min(list(self._waiting_since.values()), default=None)
        if since is not None:
            return perf_counter() - since
        connection = self._connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                threading.Thread(target=self._wait_for_lock, name="lock", daemon=True).start()
            return 0.0  # other errors are those of writers: reads are answered all the same
        connection.execute("ROLLBACK")
        return 0.0

    def _wait_for_lock(self) -> None:
        with suppress(sqlite3.Error):
            with self.transaction():
                pass
            self._discard(self._connection())

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Notes that this thread waits for the write lock."""
        thread = threading.get_ident()
        self._waiting_since[thread] = perf_counter()
        try:
            yield
        finally:
            del self._waiting_since[thread]

    def close(self) -> None:
        """Closes the connections of every thread."""
        for connection in self._open:
            connection.close()

    def _writing_connection(self) -> sqlite3.Connection:
        """Returns this thread's connection; a new one if the file was read-only when it opened.

        SQLite opens such a file without an error, but that connection can never write.
        """
        connection = self._connection(BUSY_SECONDS)
        if not self._local.writable and not connection.in_transaction:
            self._discard(connection)
            connection = self._connection(BUSY_SECONDS)
        return connection

    def _roll_back(self, connection: sqlite3.Connection, statements: Sequence[str]) -> None:
        # After a full disk or an I/O error SQLite has rolled back by itself.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                for statement in statements:
                    connection.execute(statement)

    def _discard(self, connection: sqlite3.Connection) -> None:
        """Closes a connection, so that the thread's next call opens the file again."""
        self._local.connection = None
        with suppress(ValueError):
            self._open.remove(connection)
        connection.close()

    def _is_over_time(self) -> bool:
        """Whether the query that this thread runs has taken too long; SQLite ends it then."""
        ends: float = self._local.ends
        return perf_counter() > ends

    def _rows(self, cursor: sqlite3.Cursor, sql: str) -> list[Row]:
        found = cursor.fetchall()
        if not found:
            return []
        names = self._names.get(sql)
        if names is None:
            # Reading them from the cursor costs as much as the query itself.
            names = tuple(d[0] for d in cursor.description)
            if len(self._names) < _CACHED_STATEMENTS:
                self._names[sql] = names
        return [dict(zip(names, values, strict=True)) for values in found]

    def _connection(self, seconds: float = _READ_SECONDS) -> sqlite3.Connection:
        """Returns this thread's connection; a new one waits `seconds` for an exclusive lock."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Threads never share a connection; without the flag close() could not close them all.
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
                    _execute_when_free(connection, f"PRAGMA {pragma}", (), seconds)
                _to_wal(connection, seconds)
            except BaseException:
                connection.close()
                raise
            self._local.ends = inf
            connection.set_progress_handler(self._is_over_time, _STEPS)
            self._local.connection = connection
            self._local.writable = os.access(self._path, os.W_OK)
            self._local.number = next(self._numbers)
            self._open.append(connection)
        return connection


def _to_wal(connection: sqlite3.Connection, seconds: float) -> None:
    mode = _execute_when_free(connection, "PRAGMA journal_mode", (), seconds)
    if mode.fetchall()[0][0] != "wal":
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        _execute_when_free(connection, "PRAGMA journal_mode=WAL", (), BUSY_SECONDS)


def _execute_when_free(
    connection: sqlite3.Connection, sql: str, values: Sequence[object], seconds: float
) -> sqlite3.Cursor:
    """Runs a statement outside a transaction; repeats it while another connection holds a lock."""
    return retry_while_busy(lambda: connection.execute(sql, values), seconds)
