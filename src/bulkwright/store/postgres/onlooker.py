"""A PostgreSQL database as an onlooker sees it: it is read, and what is to be compared goes into
temporary tables of the one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row

from bulkwright.store.check import StoreUnreadable
from bulkwright.store.database import Row
from bulkwright.store.postgres.database import (
    CONNECT_SECONDS,
    Connection,
    PostgresQueries,
    fetched,
    marked,
)
from bulkwright.store.postgres.values import read_as_sqlite_does


class OnlookerDatabase(PostgresQueries):
    """A `Scratch` (see store/check.py) over a PostgreSQL database.

    Everything raises StoreUnreadable where the server finds its data damaged.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._connection: Connection = psycopg.connect(
            url, autocommit=True, row_factory=dict_row, connect_timeout=int(CONNECT_SECONDS)
        )
        read_as_sqlite_does(self._connection)
        self._connection.execute("SET timezone = 'UTC'")

    def many(self, query: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a named query for each row, bound in its order; how many rows that changed."""
        with _told(), self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(marked(self._queries[query].sql).encode(), rows)
            return max(cursor.rowcount, 0)

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`."""
        with _told():
            return fetched(self._connection, sql, values)

    def faults(self) -> list[str]:
        """Nothing: a server has means of its own, `pg_amcheck` and page checksums."""
        return []

    def stamp(self) -> object:
        """Never equal: nothing is kept."""
        return object()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All reads inside see the same moment."""
        with _told(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def close(self) -> None:
        """Close the connection; temporary tables are gone with it."""
        self._connection.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
        raise StoreUnreadable(str(error)) from error
