"""One SQLite file that is read through `sqlite3` and never written.

Other processes may serve it at the same time; in WAL mode neither waits for the other. The rows to
compare are in temporary tables, which are outside the file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.outages import register
from bulkwright.store.check import StoreUnreadable
from bulkwright.store.database import Row
from bulkwright.store.migrate import service_tables
from bulkwright.store.sqlite.driver import SqliteQueries, claim_driver
from bulkwright.store.sqlite.errors import stdlib_outage
from bulkwright.store.sqlite.write_lock import BUSY_SECONDS

register(sqlite3.Error, stdlib_outage)

_MOST_FAULTS = 20


class SqliteReadonlyDatabase(SqliteQueries):
    """A `ReadonlyDatabase` (see store/check.py) over one SQLite file.

    Every method raises StoreUnreadable if the file is damaged or is no SQLite file.
    """

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(path, clock)
        claim_driver(path, "sqlite3")
        uri = f"{path.resolve().as_uri()}?mode=ro"
        if not os.access(path.parent, os.W_OK):
            # If no file can be created beside it, SQLite reads it only as immutable; no process can
            # write to it there.
            uri += "&immutable=1"
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row

    def insert_rows(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Runs a named INSERT into a temporary table for each row; returns how many it added."""
        before = self._connection.total_changes
        with _unreadable():
            self._connection.execute("BEGIN")
            self._connection.executemany(self._queries[query].sql, rows)
            self._connection.execute("COMMIT")
        return self._connection.total_changes - before

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        with _unreadable():
            return [dict(row) for row in self._connection.execute(sql, values)]

    def faults(self) -> list[str]:
        """Returns what SQLite's integrity check finds; empty if the file is undamaged."""
        with _unreadable():
            execute = self._connection.execute
            checked = execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
            ours = service_tables(self.dialect)  # existing tables are not checked
            lost = [row for row in execute("PRAGMA foreign_key_check") if row[0] in ours]
        return [text for (text,) in checked if text != "ok"] + [
            f"a row of {table} refers to a row of {parent} that is not there"
            for table, _, parent, _ in lost[:_MOST_FAULTS]
        ]

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All reads inside see the same snapshot; keep it short."""
        with _unreadable():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with _unreadable():
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Closes the connection, which deletes the temporary tables."""
        self._connection.close()


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreUnreadable(str(error)) from error
