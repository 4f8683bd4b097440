"""Records on SQLite: whole Arrow batches bound in C, every statement driven by an index.

Each call runs one prepared statement for all rows of a frame, so that a chunk costs the same
whether the table is empty or holds ten million records.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase

import polars as pl

from bulkwright.domain.limits import READ_FIRST_ROWS
from bulkwright.domain.module import Field, Module, Stamps, StorageType
from bulkwright.domain.read_job import Selection
from bulkwright.ports import ChunkSize
from bulkwright.store import read_sql, tables
from bulkwright.store.images import ImageStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.sqlite import sql
from bulkwright.store.sqlite.adbc import AdbcDatabase


class SqliteSink:
    """A `RecordSink` (see ports.py) on SQLite through ADBC, for the service's tables."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._db = database
        self._modules = ModuleStore(database)

    def ensure_index(self, module: Module, field: Field) -> None:
        """Create the index that `find` by this field needs, if the service has to create it."""
        for statement in tables.create_index(module, field):
            self._db.sql(statement)

    def lock(self, module: Module, groups: Sequence[int] | None = None) -> None:
        """Nothing to do: the transaction locks the whole database."""

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """Return the records that hold these keys: columns `at` (in `keys`, UInt32) and `id`."""
        statement = sql.find(module, field, self._collation(module, field))
        return _as_found(self._db.select(statement, _numbered(keys)))

    def same_keys(self, module: Module, field: Field, keys: pl.Series) -> pl.Series | None:
        """Return the position of the first equal key for each; None if no two can be equal."""
        collation = self._collation(module, field)
        if collation not in _FOLDED:
            return None
        folded = _FOLDED[collation](keys).to_frame("key").with_row_index("at")
        return folded.select(pl.col("at").min().over("key")).to_series()

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """Return the keys that these records hold: `id` and one column for each field."""
        keys = self._db.select(sql.keys_of(module, fields), ids.to_frame())
        return keys.with_columns(pl.selectors.string().replace("", None))

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Return `count` new ids of a module, ascending."""
        first = self._modules.take_ids(count)
        return pl.int_range(first, first + count, dtype=pl.Int64, eager=True)

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records."""
        self._db.write(sql.insert(module, records.columns, stamps), as_stored(records))

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the given columns of the records with these ids."""
        changed = [c for c in records.columns if c != "id"]
        statement = sql.update(module, changed, stamps, keep_empty=keep_empty)
        self._db.write(statement, as_stored(records.select(*changed, "id")))

    def update_differing(
        self,
        module: Module,
        records: pl.DataFrame,
        stamps: Stamps,
        compared: Sequence[str],
        *,
        keep_empty: bool,
    ) -> int:
        """Change records that differ in one of the compared columns; return how many."""
        changed = [c for c in records.columns if c != "id"]
        statement = sql.update_differing(module, changed, stamps, compared, keep_empty=keep_empty)
        return self._db.write(statement, as_stored(records.select(*changed, "id")))

    def equal(self, module: Module, rows: pl.DataFrame, *, keep_empty: bool) -> pl.Series:
        """Return which rows, by `$at`, hold what the records with their ids hold already."""
        compared = [c for c in rows.columns if c not in ("id", "$at")]
        statement = sql.equal(module, compared, keep_empty=keep_empty)
        found = self._db.select(statement, as_stored(rows.select("$at", "id", *compared)))
        return found.to_series().cast(pl.Int64)

    def _collation(self, module: Module, field: Field) -> str | None:
        """The collation of the index of a text field; None if it has none."""
        if field.storage_type is not StorageType.TEXT or field.column is None:
            return None
        table = tables.existing_table_of(module).existing.name
        found = self._db.one("index_collation", table=table, column=field.column.name)
        return None if found is None else str(found["collation"])


_FOLDED: Mapping[str | None, Callable[[pl.Series], pl.Series]] = {
    "NOCASE": lambda keys: keys.str.replace_many(list(ascii_uppercase), list(ascii_lowercase)),
    "RTRIM": lambda keys: keys.str.strip_chars_end(" "),
}
"""What SQLite's own collations compare instead of the text; BINARY compares the text itself."""


class SqliteReader:
    """A `RecordReader` (see ports.py) on SQLite: readers of a WAL keep no writer waiting."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._db = database

    def snapshot(self) -> AbstractContextManager[None]:
        """All calls of `read` inside see the records of one moment."""
        return self._db.snapshot()

    def read(
        self, module: Module, fields: Sequence[Field], wanted: Selection, size: ChunkSize
    ) -> Generator[pl.DataFrame]:
        """Yield records in the order of their ids: a column for each field.

        Each chunk is a query of its own, because all of its rows together decide the types of the
        columns. The first chunk is small, so that long texts do not fill the memory.
        """
        rows, rest = min(READ_FIRST_ROWS, size.rows), wanted
        while True:
            chunk = replace(rest, most=min(rows, rest.most))
            statement = read_sql.select(module, fields, chunk, self._db.types)
            found = self._db.frame(statement.text, statement.values, batch_rows=chunk.most)
            yield found
            if len(found) < chunk.most or len(found) == rest.most:
                return
            last_id = int(found["id"][-1])
            rest = replace(rest, after=last_id, skipped=0, most=rest.most - len(found))
            fitting = int(size.bytes * len(found) / found.estimated_size())
            rows = max(1, min(2 * rows, size.rows, fitting))


class SqliteImages(ImageStore):
    """The `RecordImages` (see ports.py) of jobs on SQLite."""

    def __init__(self, database: AdbcDatabase) -> None:
        super().__init__(database)
        self._db = database

    def keep(self, module: Module, job_id: int, ids: pl.Series, columns: Sequence[str]) -> None:
        """Keep columns of these records as they are now, unless the job wrote the record last."""
        # One statement for all records: that is a third faster than one for each.
        listed = ids.cast(pl.String).str.join(",").item()
        self._db.sql(sql.keep(module, job_id, columns), (f"[{listed}]",))

    def _numbers(
        self, columns: Sequence[str], select: str, values: Sequence[object]
    ) -> pl.DataFrame:
        return self._db.frame(select, values).select(pl.col(*columns).cast(pl.Int64))


class SqliteParentRecords:
    """The `ParentRecords` (see ports.py) of jobs on SQLite."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._db = database

    def remember(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Store the record of each row by the key of its text in a CSV column."""
        known = pl.DataFrame([keys.alias("key"), ids.alias("record_id")]).drop_nulls()
        self._db.write_named("add_parent", known, job_id=job_id, column_index=column)

    def find(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """Return the records of the rows with these keys, as `RecordSink.find` does."""
        found = self._db.select_named(
            "find_parent", _numbered(keys), job_id=job_id, column_index=column
        )
        return _as_found(found)


def _numbered(keys: pl.Series) -> pl.DataFrame:
    """The keys with their positions.

    Queries return the positions, so that no key is copied back or compared again.
    """
    return pl.DataFrame([pl.int_range(keys.len(), eager=True).alias("at"), keys.alias("key")])


def _as_found(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of position and id with the types that `find` promises."""
    return rows.select(pl.col("at").cast(pl.UInt32), pl.col("id").cast(pl.Int64))


def as_stored(records: pl.DataFrame) -> pl.DataFrame:
    """Records as SQLite holds them: a type that it lacks becomes a text that sorts alike."""
    return records.with_columns(
        pl.selectors.boolean().cast(pl.Int64),
        pl.selectors.date().dt.to_string("%Y-%m-%d"),
        pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
    )
