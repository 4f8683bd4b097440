"""A PostgreSQL database that is read and never written.

The rows to compare are in temporary tables of its one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.store.check import StoreUnreadable
from bulkwright.store.database import Row
from bulkwright.store.postgres.connection import (
    CONNECT_SECONDS,
    Connection,
    PostgresQueries,
)
from bulkwright.store.postgres.parameters import fetched, marked
from bulkwright.store.postgres.values import load_as_sqlite


class PostgresReadonlyDatabase(PostgresQueries):
    """A `ReadonlyDatabase` (see store/check.py) over a PostgreSQL database.

    Every method raises StoreUnreadable if the server finds its data damaged.
    """

    def __init__(self, url: str, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(url, clock)
        self._connection: Connection = psycopg.connect(
            url, autocommit=True, row_factory=dict_row, connect_timeout=int(CONNECT_SECONDS)
        )
        load_as_sqlite(self._connection)
        self._connection.execute("SET timezone = 'UTC'")

    def insert_rows(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Runs a named INSERT into a temporary table for each row; returns how many it added."""
        with _unreadable(), self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(marked(self._queries[query].sql).encode(), rows)
            return max(cursor.rowcount, 0)

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        with _unreadable():
            return fetched(self._connection, sql, values)

    def faults(self) -> list[str]:
        """Returns nothing: a server is checked by `pg_amcheck` and page checksums."""
        return []

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All reads inside see the same snapshot."""
        with _unreadable(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def close(self) -> None:
        """Closes the connection, which deletes the temporary tables."""
        self._connection.close()


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
        raise StoreUnreadable(str(error)) from error
