"""The SQLite database of a worker: ADBC, which binds whole Arrow batches in C.

One connection, used by one thread at a time. It is in autocommit mode and sends BEGIN IMMEDIATE
itself. So a transaction has the write lock from its first statement on and cannot fail later
because of another writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import cast

import polars as pl
from adbc_driver_manager import DatabaseError, Error
from adbc_driver_manager import dbapi as driver_manager
from adbc_driver_manager.dbapi import Connection
from adbc_driver_sqlite import dbapi

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.outages import register
from bulkwright.store.database import Row
from bulkwright.store.queries import Query
from bulkwright.store.sqlite.checkpoint import Checkpoints
from bulkwright.store.sqlite.driver import (
    CHECKPOINT_ROWS,
    PAGE_BYTES,
    ROLLBACK_INNER,
    WAL_BYTES,
    SqliteQueries,
    claim_driver,
    make_private,
)
from bulkwright.store.sqlite.errors import adbc_outage
from bulkwright.store.sqlite.write_lock import BUSY_SECONDS, WriteTurn, retry_while_busy

register(Error, adbc_outage)


def _call(
    function: Callable[..., object],
    arguments: Sequence[object],
    named: Mapping[str, object],
    cancel: Callable[[], object],
) -> object:
    """Calls the driver. The driver manager would take SIGINT away from Python for this time, to
    cancel the call, which the driver of SQLite does not do: the signal would be lost.
    """
    del cancel
    return function(*arguments, **named)


vars(driver_manager)["_blocking_call"] = _call


class AdbcDatabase(SqliteQueries):
    """A `Database` (see store/database.py) on one SQLite file, through ADBC."""

    def __init__(self, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(path, clock)
        claim_driver(path, "adbc")
        make_private(path)
        self._turn = WriteTurn(path)
        self._checkpoints = Checkpoints(path)
        self._written = 0
        self._connection: Connection = dbapi.connect(str(path), autocommit=True)
        self._depth = 0
        for pragma in (
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
            f"page_size={PAGE_BYTES}",
            "journal_mode=WAL",
            f"journal_size_limit={WAL_BYTES}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
            f"wal_autocheckpoint={WAL_BYTES // PAGE_BYTES}",
        ):
            retry_while_busy(partial(self.sql, f"PRAGMA {pragma}"), BUSY_SECONDS)

    def run(self, query: str, /, **values: object) -> None:
        """Runs a named query for its effect."""
        q = self._queries[query]
        self.write(q.sql, _one_row(q.bind(values)))

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Runs a named query for its effect, once for each row of values, in order."""
        q = self._queries[query]
        columns = zip(*map(q.bind, rows), strict=True)
        self.write(q.sql, pl.DataFrame([_column(i, values) for i, values in enumerate(columns)]))

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        return cast("list[Row]", self.frame(sql, values).rows(named=True))

    def frame(
        self, sql: str, values: Sequence[object] = (), *, batch_rows: int | None = None
    ) -> pl.DataFrame:
        """Runs such a statement and returns its rows as a frame.

        The driver takes the types of the columns from the first `batch_rows` rows.
        """
        with self._connection.cursor() as cursor:
            if batch_rows is not None:
                cursor.adbc_statement.set_options(**{_BATCH_ROWS: str(batch_rows)})
            cursor.execute(sql, _one_row(values) if values else None)
            return cursor.fetch_polars()

    def select(self, sql: str, keys: pl.DataFrame) -> pl.DataFrame:
        """Runs a SELECT once for each row of `keys`, in C, and returns all rows found."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, keys)
            return cursor.fetch_polars()

    def write(self, sql: str, rows: pl.DataFrame) -> int:
        """Runs a statement once for each row of `rows`, in C; columns bind by position.

        Returns how many rows of the database it has changed.
        """
        with self._connection.cursor() as cursor:
            cursor.executemany(sql, rows)
            changed = cursor.rowcount
        self._written += len(rows)
        return changed

    def select_named(self, query: str, keys: pl.DataFrame, **values: object) -> pl.DataFrame:
        """Runs a named query once for each row of `keys`; the other parameters stay the same."""
        q = self._queries[query]
        return self.select(q.sql, _with_constants(q, keys, values))

    def write_named(self, query: str, rows: pl.DataFrame, **values: object) -> None:
        """Runs a named query once for each row of `rows`; the other parameters stay the same."""
        q = self._queries[query]
        self.write(q.sql, _with_constants(q, rows, values))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All calls inside commit together, or none of them if the block raises.

        Inside another transaction it is a savepoint of that one. A power cut may undo one that is
        not `durable`: its commit flushes nothing.
        """
        if durable or self._depth:
            with self._transaction():
                yield
            return
        self._control("PRAGMA synchronous=NORMAL")
        try:
            with self._transaction():
                yield
        finally:
            self._control("PRAGMA synchronous=FULL")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All statements inside see one moment, and no writer waits. They may only read."""
        self._control("BEGIN")
        try:
            yield
        finally:
            # There is none any more after an I/O error.
            with suppress(DatabaseError):
                self._control("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        begin, commit, rollback = _TRANSACTION if self._depth == 0 else _SAVEPOINT
        with self._turn.taken(BUSY_SECONDS) if self._depth == 0 else nullcontext():
            self._control(begin)
        begun = perf_counter()
        self._depth += 1
        try:
            yield
            self._control(commit)
        except BaseException:
            # After a full disk or an I/O error SQLite has rolled back by itself. Then this fails,
            # and the first error must be raised.
            with suppress(DatabaseError):
                for statement in rollback:
                    self._control(statement)
            if self._depth == 1:
                self._end_transaction(committed=False)
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._note_lock(begun)
        if self._depth == 0:
            self._end_transaction(committed=True)
            if self._written >= CHECKPOINT_ROWS:
                self._written = 0
                self._checkpoints.request()

    def _control(self, statement: str) -> None:
        """Runs a statement without values and without rows."""
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, None)

    def close(self) -> None:
        """Closes the connection."""
        self._checkpoints.close()
        self._connection.close()


_BATCH_ROWS = "adbc.sqlite.query.batch_rows"
_TRANSACTION = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_SAVEPOINT = ("SAVEPOINT inner", "RELEASE inner", ROLLBACK_INNER)


def _with_constants(query: Query, rows: pl.DataFrame, values: Mapping[str, object]) -> pl.DataFrame:
    """Returns the rows with the constants as columns, in the order of the question marks."""
    return rows.with_columns(pl.lit(v).alias(k) for k, v in values.items()).select(
        *query.parameters
    )


def _one_row(values: Sequence[object]) -> pl.DataFrame:
    # Every statement needs it, and made of columns it takes twice as long.
    schema = {str(i): _dtype(value) for i, value in enumerate(values)}
    return pl.from_dicts([{str(i): _plain(v) for i, v in enumerate(values)}], schema)


def _column(number: int, values: Sequence[object]) -> pl.Series:
    known = next((v for v in values if v is not None), None)
    return pl.Series(str(number), [_plain(v) for v in values], dtype=_dtype(known))


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _dtype(value: object) -> type[pl.DataType]:
    """The type of a column with this value; the driver cannot bind a column whose type is Null."""
    if isinstance(value, int):
        return pl.Int64
    return pl.Float64 if isinstance(value, float) else pl.String
