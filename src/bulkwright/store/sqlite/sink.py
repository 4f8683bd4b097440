"""Records on SQLite: whole Arrow batches bound in C, every statement driven by an index.

Each call runs one prepared statement for all rows of a frame, so that a chunk costs the same
whether the table is empty or holds ten million records.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import polars as pl

from bulkwright.domain.module import Field, Module, Stamps
from bulkwright.ports import Refused
from bulkwright.store import tables
from bulkwright.store.modules import ModuleStore
from bulkwright.store.sqlite import own, rows
from bulkwright.store.sqlite.adbc import AdbcDatabase


class SqliteSink:
    """A `RecordSink` (see ports.py) on SQLite through ADBC."""

    def __init__(self, database: AdbcDatabase) -> None:
        self._db = database
        self._modules = ModuleStore(database)

    def make_findable(self, module: Module, field: Field) -> None:
        """Make sure that `find` by this field is driven by an index."""
        if field.api_name != "id" and module.table is None:
            self._db.sql(tables.create_index(module, field))

    def hold(self, module: Module) -> None:
        """Nothing to do: the transaction holds the whole database."""

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """The records that hold these keys: columns `at` (in `keys`, UInt32), `id`."""
        return _found(self._db.select(rows.find(module, field), _numbered(keys)))

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """The keys that these records hold now: `id` and one column for each field."""
        held = self._db.select(rows.keys_of(module, fields), ids.to_frame())
        return held.with_columns(pl.selectors.string().replace("", None))

    def remember_parents(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Keep which records the rows of a job's parent CSV became, by the text of a column."""
        known = pl.DataFrame([keys.alias("key"), ids.alias("record_id")]).drop_nulls()
        self._db.write_named("add_parent", known, job_id=job_id, column_index=column)

    def find_parents(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """The records that rows of the parent's CSV became: columns `at`, `id`, as `find`."""
        found = self._db.select_named(
            "find_parent", _numbered(keys), job_id=job_id, column_index=column
        )
        return _found(found)

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Take `count` new ids of a module, ascending."""
        if module.table is None:
            first = self._modules.take_ids(count)
        else:
            first = own.next_id(self._db, module)
        return pl.int_range(first, first + count, dtype=pl.Int64, eager=True)

    def attempt(self, module: Module) -> AbstractContextManager[None]:
        """What is written inside stays, or is taken back and raised as Refused."""
        return own.attempt(self._db, module)

    def write_each(
        self, module: Module, each: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, Refused]]:
        """Write rows one by one, past those that are refused: which these are, and why."""
        records = _storable(each.drop("$new", "$lacks"))
        insert = rows.insert(module, records.columns, {})
        update = rows.update(module, changed, {}, keep_empty=keep_empty)
        stand = own.standing(self._db, module, records.columns)
        refused = []
        made: set[int] = set()
        flags = each.select("id", "$new", "$lacks").rows()
        for at, (record, new, lacks) in enumerate(flags):
            row = records[at : at + 1]
            makes = new and record not in made
            if (makes and lacks) or not (makes or changed):
                continue
            try:
                with own.attempt(self._db, module):
                    if makes:
                        self._db.write(insert, row)
                    else:
                        self._db.write(update, row.select(*changed, "id"))
                    stand(row)
            except Refused as why:
                refused.append((at, why))
            else:
                made.add(record)
        return refused

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records."""
        self._db.write(rows.insert(module, records.columns, stamps), _storable(records))
        if module.table is not None:
            own.standing(self._db, module, records.columns)(records)

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the named columns of the records with these ids."""
        changed = [c for c in records.columns if c != "id"]
        statement = rows.update(module, changed, stamps, keep_empty=keep_empty)
        self._db.write(statement, _storable(records.select(*changed, "id")))
        if module.table is not None:
            own.standing(self._db, module, records.columns)(records)

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Add values that a picklist does not hold yet; returns the field as it is then."""
        return self._modules.grow_pick_list(module, field, values)


def _numbered(keys: pl.Series) -> pl.DataFrame:
    # Numbers come back instead of the keys: nothing is copied, and nothing compared again.
    return pl.DataFrame([pl.int_range(keys.len(), eager=True).alias("at"), keys.alias("key")])


def _found(held: pl.DataFrame) -> pl.DataFrame:
    return held.select(pl.col("at").cast(pl.UInt32), pl.col("id").cast(pl.Int64))


def _storable(records: pl.DataFrame) -> pl.DataFrame:
    # What SQLite has no type for travels as text that sorts as the value does.
    return records.with_columns(
        pl.selectors.boolean().cast(pl.Int64),
        pl.selectors.date().dt.to_string("%Y-%m-%d"),
        pl.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
    )
