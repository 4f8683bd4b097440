"""Records on PostgreSQL: a chunk is a few statements, each driven by an index.

Keys are bound as one array, new records are copied straight into the module's table, changes are
copied into a temporary table first. So a chunk costs the same whether the table is empty or holds
ten million records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import polars as pl

from bulkwright.domain.module import Field, Module, Stamps, StorageType
from bulkwright.domain.read_job import Selection
from bulkwright.ports import ChunkSize
from bulkwright.store import read_sql, tables
from bulkwright.store.images import ImageStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.postgres import sql
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.postgres.copy_text import as_array, as_csv
from bulkwright.store.tables import identifier, quoted

_FOUND = {"at": pl.UInt32, "id": pl.Int64}


class PostgresSink:
    """A `RecordSink` (see ports.py) on PostgreSQL, for the service's tables."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._modules = ModuleStore(database)

    def ensure_index(self, module: Module, field: Field) -> None:
        """Create the index that `find` by this field needs, if the service has to create it."""
        index = tables.table_of(module).index(field)
        if index is None:
            return
        (existing,) = self._db.sql("SELECT to_regclass(?) AS name", (quoted(index),))
        if existing["name"] is None:
            with self._db.transaction():
                self._modules.lock(module)
                # The first job that finds by this field waits until all records are indexed.
                self._db.all("disable_timeout")
                for statement in tables.create_index(module, field):
                    self._db.sql(statement)

    def lock(self, module: Module, groups: Sequence[int] | None = None) -> None:
        """Lock groups of keys of the module until the transaction ends; None locks all of it."""
        if groups is None:
            self._modules.lock(module)
        else:
            self._modules.lock_groups(module, groups)

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """Return the records that hold these keys: columns `at` (in `keys`, UInt32) and `id`."""
        index = self._index_equality(module, field)
        statement = sql.find(module, field, self._db.types, index)
        (found,) = self._db.sql(statement, (as_array(keys),))
        return _as_found(found["lines"])

    def same_keys(self, module: Module, field: Field, keys: pl.Series) -> pl.Series | None:
        """Return the position of the first equal key for each; None if no two can be equal."""
        index = self._index_equality(module, field)
        if index is None or index.compares_bytes or keys.is_empty():
            return None
        statement = sql.same_keys(module, field, self._db.types, index.collation)
        (row,) = self._db.sql(statement, (as_array(keys),))
        return pl.Series("same", row["lines"].split("\n"), pl.String).cast(pl.Int64)

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """Return the keys that these records hold: `id` and one column for each field."""
        keys = self._db.sql(sql.keys_of(module, fields), (as_array(ids),))
        schema = {
            f.api_name: pl.String if f.storage_type is StorageType.TEXT else pl.Int64
            for f in fields
        }
        return pl.DataFrame(keys, schema={"id": pl.Int64, **schema})

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Return `count` new ids of a module, ascending."""
        first = self._modules.take_ids(count)
        return pl.int_range(first, first + count, dtype=pl.Int64, eager=True)

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records."""
        self._insert(module, records, stamps)

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the given columns of the records with these ids."""
        self._update(module, records, stamps, keep_empty=keep_empty)

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
        differs = sql.differs(module, compared, keep_empty=keep_empty)
        return self._update(module, records, stamps, keep_empty=keep_empty, only=f" AND {differs}")

    def equal(self, module: Module, rows: pl.DataFrame, *, keep_empty: bool) -> pl.Series:
        """Return which rows, by `$at`, hold what the records with their ids hold already."""
        compared = [c for c in rows.columns if c not in ("id", "$at")]
        types = sql.column_types(module, ["id", *compared], self._db.types)
        staged = self._stage(rows.select("id", *compared, "$at"), {**types, "$at": "BIGINT"})
        (found,) = self._db.sql(sql.equal(module, compared, staged, keep_empty=keep_empty))
        self._db.sql(f"TRUNCATE {staged}")
        lines = found["lines"].split("\n") if found["lines"] else []
        return pl.Series("$at", lines, pl.String).cast(pl.Int64)

    def _index_equality(self, module: Module, field: Field) -> sql.IndexEquality | None:
        """How the index of a text field compares; None if the field is no text."""
        if field.storage_type is not StorageType.TEXT or field.column is None:
            return None
        table, column = tables.table_of(module).name, field.column.name
        found = self._db.one("index_equality", table=table, column=column)
        return None if found is None else sql.IndexEquality(**found)

    def _insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> int:
        """Add records and return the number that the database stored."""
        table = tables.table_of(module)
        names = table.columns()
        columns = [names[c] for c in (*records.columns, *stamps)]
        return self._copy(table.name, columns, records, list(map(_text, stamps.values())))

    def _update(
        self,
        module: Module,
        records: pl.DataFrame,
        stamps: Stamps,
        *,
        keep_empty: bool,
        only: str = "",
    ) -> int:
        """Change records and return the number that the database changed."""
        staged = self._stage(records, sql.column_types(module, records.columns, self._db.types))
        changed = [c for c in records.columns if c != "id"]
        statement = sql.update(module, changed, stamps, staged, keep_empty=keep_empty)
        written = self._db.change(statement + only)
        self._db.sql(f"TRUNCATE {staged}")  # the same transaction may stage such changes again
        return written

    def _stage(self, rows: pl.DataFrame, types: Mapping[str, str]) -> str:
        """Copy rows into a temporary table of their types, and return its name."""
        staged = f"staged_{hashlib.sha256(repr(types).encode()).hexdigest()[:16]}"
        self._db.sql(sql.stage(staged, types))
        self._copy(staged, list(map(identifier, rows.columns)), rows)
        return staged

    def _copy(
        self,
        table: str,
        columns: Sequence[str],
        rows: pl.DataFrame,
        constants: Sequence[str] = (),
    ) -> int:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
        return self._db.copy(statement, as_csv(rows, constants))


class PostgresReader:
    """A `RecordReader` (see ports.py) on PostgreSQL, by COPY."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def snapshot(self) -> AbstractContextManager[None]:
        """All calls of `read` inside see the records of one moment."""
        return self._db.snapshot()

    def read(
        self, module: Module, fields: Sequence[Field], wanted: Selection, size: ChunkSize
    ) -> Generator[list[bytes]]:
        """Yield records in the order of their ids, each as its line of a CSV."""
        if wanted.criteria is None:
            # A table without statistics would be sorted, although the index of ids has the order.
            for other_way in ("sort", "bitmapscan"):
                self._db.sql(f"SET LOCAL enable_{other_way} = off")
        statement = read_sql.select(module, fields, wanted, self._db.types)
        return self._db.copy_out(statement.text, statement.values, size)


class PostgresImages(ImageStore):
    """The `RecordImages` (see ports.py) of jobs on PostgreSQL."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__(database)
        self._db = database

    def keep(self, module: Module, job_id: int, ids: pl.Series, columns: Sequence[str]) -> None:
        """Keep columns of these records as they are now, unless the job wrote the record last."""
        self._db.sql(sql.keep(module, job_id, columns), (as_array(ids),))

    def _numbers(
        self, columns: Sequence[str], select: str, values: Sequence[object]
    ) -> pl.DataFrame:
        (row,) = self._db.sql(sql.numbers(columns, select), values)
        schema = dict.fromkeys(columns, pl.Int64)
        if not row["lines"]:
            return pl.DataFrame(schema=schema)
        found = pl.read_csv(row["lines"].encode(), has_header=False, schema=schema)
        return found.sort("id")


class PostgresParentRecords:
    """The `ParentRecords` (see ports.py) of jobs on PostgreSQL."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def remember(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Store the record of each row by the key of its text in a CSV column."""
        known = pl.DataFrame([keys.alias("key"), ids.alias("id")]).drop_nulls()
        texts, numbers = as_array(known["key"]), as_array(known["id"])
        self._db.run("add_parents", job_id=job_id, column_index=column, keys=texts, ids=numbers)

    def find(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """Return the records of the rows with these keys, as `RecordSink.find` does."""
        texts = as_array(keys)
        found = self._db.one("find_parents", job_id=job_id, column_index=column, keys=texts)
        assert found is not None
        return _as_found(found["lines"])


def _text(stamp: int | datetime) -> str:
    return str(stamp) if isinstance(stamp, int) else f"{stamp:%Y-%m-%dT%H:%M:%SZ}"


def _as_found(lines: str | None) -> pl.DataFrame:
    """Lines of position and id as columns `at` and `id`."""
    if not lines:
        return pl.DataFrame(schema=_FOUND)
    return pl.read_csv(lines.encode(), has_header=False, schema=_FOUND)
