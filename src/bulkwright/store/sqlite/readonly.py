"""One SQLite file as an onlooker sees it: read through `sqlite3`, never written.

Other processes may serve it meanwhile; in WAL mode neither waits for the other. What is to be
compared goes into temporary tables, which lie outside of the file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bulkwright.store.check import StoreUnreadable
from bulkwright.store.database import Row
from bulkwright.store.migrate import made_tables
from bulkwright.store.sqlite.driver import BUSY_SECONDS, SqliteQueries, claim_driver

_MOST_FAULTS = 20


class ReadOnlyDatabase(SqliteQueries):
    """A `Scratch` (see store/check.py) over one SQLite file.

    Everything raises StoreUnreadable where the file is damaged, or is none of SQLite's.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        claim_driver(path, "sqlite3")
        uri = f"{path.resolve().as_uri()}?mode=ro"
        if not os.access(path.parent, os.W_OK):
            # Where no file can be made beside it, SQLite reads it only when told that nobody
            # writes, which nobody can there.
            uri += "&immutable=1"
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row

    def many(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a named query for each row, bound in its order; how many rows that changed."""
        before = self._connection.total_changes
        with _told():
            self._connection.execute("BEGIN")
            self._connection.executemany(self._queries[query].sql, rows)
            self._connection.execute("COMMIT")
        return self._connection.total_changes - before

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`."""
        with _told():
            return [dict(row) for row in self._connection.execute(sql, values)]

    def faults(self) -> list[str]:
        """What the database itself finds wrong with it; empty when it is sound."""
        with _told():
            ask = self._connection.execute
            checked = ask(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
            ours = made_tables(self.dialect)  # the user's own tables are not ours to judge
            lost = [row for row in ask("PRAGMA foreign_key_check") if row[0] in ours]
        return [text for (text,) in checked if text != "ok"] + [
            f"a row of {table} refers to a row of {parent} that is not there"
            for table, _, parent, _ in lost[:_MOST_FAULTS]
        ]

    def stamp(self) -> object:
        """Never equal: nothing is kept."""
        return object()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All reads inside see the same moment; to be kept short."""
        with _told():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with _told():
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection; temporary tables are gone with it."""
        self._connection.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreUnreadable(str(error)) from error
