"""The SQLite database of a worker: ADBC, which binds whole Arrow batches in C.

One connection, used by one thread at a time. It stands in autocommit mode and says BEGIN
IMMEDIATE itself, so that a transaction has the write lock from its first statement on and never
has to give up half-way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import polars as pl
from adbc_driver_manager.dbapi import Connection
from adbc_driver_sqlite import dbapi

from bulkwright.store.database import Row
from bulkwright.store.queries import Query, load
from bulkwright.store.sqlite.driver import BUSY_SECONDS, UNDO_INNER, claim_driver


class AdbcDatabase:
    """A `Database` (see store/database.py) on one SQLite file through ADBC."""

    def __init__(self, path: Path) -> None:
        claim_driver(path, "adbc")
        self._queries: dict[str, Query] = load("sqlite")
        self._connection: Connection = dbapi.connect(str(path), autocommit=True)
        self._depth = 0
        for pragma in (
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            self.sql(f"PRAGMA {pragma}")

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
        with self._connection.cursor() as cursor:
            cursor.execute(sql, _one_row(values) if values else None)
            frame = cursor.fetch_polars()
            return cast("list[Row]", frame.rows(named=True))

    def select(self, sql: str, keys: pl.DataFrame) -> pl.DataFrame:
        """Run a SELECT once for each row of `keys`, in C, and return all rows found."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, keys)
            return cursor.fetch_polars()

    def write(self, sql: str, rows: pl.DataFrame) -> None:
        """Run a statement once for each row of `rows`, in C; columns bind by position."""
        with self._connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def stamp(self) -> object:
        """Never equal: a worker keeps nothing that it has read."""
        return object()

    def select_named(self, query: str, keys: pl.DataFrame, **values: object) -> pl.DataFrame:
        """Run a named query once for each row of `keys`; the other parameters stay the same."""
        q = self._queries[query]
        return self.select(q.sql, _spread(q, keys, values))

    def write_named(self, query: str, rows: pl.DataFrame, **values: object) -> None:
        """Run a named query once for each row of `rows`; the other parameters stay the same."""
        q = self._queries[query]
        self.write(q.sql, _spread(q, rows, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls inside commit together, or not at all when the block raises.

        Inside another transaction it is a savepoint of that one.
        """
        begin, commit, undo = _TRANSACTION if self._depth == 0 else _SAVEPOINT
        self.sql(begin)
        self._depth += 1
        try:
            yield
        except BaseException:
            for statement in undo:
                self.sql(statement)
            raise
        else:
            self.sql(commit)
        finally:
            self._depth -= 1

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


_TRANSACTION = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_SAVEPOINT = ("SAVEPOINT inner", "RELEASE inner", UNDO_INNER)


def _spread(query: Query, rows: pl.DataFrame, values: Mapping[str, object]) -> pl.DataFrame:
    """The rows with the constant parameters beside them, in the order of the question marks."""
    return rows.with_columns(pl.lit(v).alias(k) for k, v in values.items()).select(
        *query.parameters
    )


def _one_row(values: Sequence[object]) -> pl.DataFrame:
    # Typed, for the driver cannot bind a column whose type is Null.
    return pl.DataFrame(
        [
            pl.Series(str(i), [int(v) if isinstance(v, bool) else v], dtype=_dtype(v))
            for i, v in enumerate(values)
        ]
    )


def _dtype(value: object) -> type[pl.DataType]:
    match value:
        case int():
            return pl.Int64
        case float():
            return pl.Float64
        case _:
            return pl.String
