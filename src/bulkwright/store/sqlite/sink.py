"""Records on SQLite: whole Arrow batches bound in C, every statement driven by an index.

Each call runs one prepared statement for all rows of a frame, so that a chunk costs the same
whether the table is empty or holds ten million records.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from bulkwright.domain.module import Field, Module
from bulkwright.store import tables
from bulkwright.store.modules import ModuleStore
from bulkwright.store.sqlite.adbc import AdbcDatabase


class SqliteSink:
    """A `RecordSink` (see ports.py) on SQLite through ADBC."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._db = database
        self._modules = ModuleStore(database)

    def make_findable(self, module: Module, field: Field) -> None:
        """Make sure that `find` by this field is driven by an index."""
        if field.api_name != "id":
            self._db.sql(tables.create_index(module, field))

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """The records that hold these keys: columns `key`, `id`."""
        found = self._db.select(tables.find(module, field), keys.to_frame())
        return found.select(pl.col("key").cast(keys.dtype), pl.col("id").cast(pl.Int64))

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """The keys that these records hold now: `id` and one column for each field."""
        held = self._db.select(tables.keys_of(module, fields), ids.to_frame())
        return held.with_columns(pl.selectors.string().replace("", None))

    def remember_parents(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Keep which records the rows of a job's parent CSV became, by the text of a column."""
        rows = pl.DataFrame([keys.alias("key"), ids.alias("record_id")]).drop_nulls()
        self._db.write_named("add_parent", rows, job_id=job_id, column_index=column)

    def find_parents(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """The records that rows of the parent's CSV became: columns `key`, `id`."""
        return self._db.select_named(
            "find_parent", keys.to_frame("key"), job_id=job_id, column_index=column
        )

    def take_ids(self, count: int) -> int:
        """Take `count` consecutive new ids and return the first."""
        return self._modules.take_ids(count)

    def insert(self, module: Module, records: pl.DataFrame) -> None:
        """Add records."""
        self._db.write(tables.insert(module, records.columns), _storable(records))

    def update(self, module: Module, records: pl.DataFrame, *, keep_empty: bool) -> None:
        """Change the named columns of the records with these ids."""
        changed = [c for c in records.columns if c != "id"]
        statement = tables.update(module, changed, keep_empty=keep_empty)
        self._db.write(statement, _storable(records.select(*changed, "id")))

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Add values that a picklist does not hold yet; returns the field as it is then."""
        return self._modules.grow_pick_list(module, field, values)


def _storable(records: pl.DataFrame) -> pl.DataFrame:
    # What SQLite has no type for travels as text that sorts as the value does.
    return records.with_columns(
        pl.selectors.boolean().cast(pl.Int64),
        pl.selectors.date().dt.to_string("%Y-%m-%d"),
        pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
    )
