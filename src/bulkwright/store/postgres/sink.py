"""Records on PostgreSQL: a chunk is a handful of statements, each driven by an index.

Keys go as one array, new records by COPY straight into the module's table, changes by COPY into a
temporary table first. So a chunk costs the same whether the table is empty or holds ten million
records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import polars as pl

from bulkwright.domain.module import Field, Kind, Module, Stamps
from bulkwright.ports import Refused
from bulkwright.store import tables
from bulkwright.store.modules import ModuleStore
from bulkwright.store.postgres import own, rows
from bulkwright.store.postgres.copying import as_array, copied
from bulkwright.store.postgres.database import PostgresDatabase
from bulkwright.store.tables import identifier, quoted

_PLACED = {"at": pl.UInt32, "id": pl.Int64}


class PostgresSink:
    """A `RecordSink` (see ports.py) on PostgreSQL."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._modules = ModuleStore(database)

    def make_findable(self, module: Module, field: Field) -> None:
        """Make sure that `find` by this field is driven by an index."""
        if field.api_name == "id" or module.table is not None:
            return
        (there,) = self._db.sql(
            "SELECT to_regclass(?) AS name", (quoted(tables.index_name(module, field)),)
        )
        if there["name"] is None:
            with self._db.transaction():
                self._modules.hold(module)
                # For the first job that finds by it, all records that are there are indexed.
                self._db.all("take_time")
                self._db.sql(tables.create_index(module, field))

    def hold(self, module: Module) -> None:
        """Let nobody else match or write records of a module until the transaction ends."""
        self._modules.hold(module)
        if module.table is not None:
            self._db.run("check_rules_at_once")

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """The records that hold these keys: columns `at` (in `keys`, UInt32), `id`."""
        (found,) = self._db.sql(rows.find(module, field, self._db.types), (as_array(keys),))
        return _placed(found["lines"])

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """The keys that these records hold now: `id` and one column for each field."""
        held = self._db.sql(rows.keys_of(module, fields), (as_array(ids),))
        schema = {f.api_name: pl.String if f.kind is Kind.TEXT else pl.Int64 for f in fields}
        return pl.DataFrame(held, schema={"id": pl.Int64, **schema})

    def remember_parents(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Keep which records the rows of a job's parent CSV became, by the text of a column."""
        known = pl.DataFrame([keys.alias("key"), ids.alias("id")]).drop_nulls()
        texts, numbers = as_array(known["key"]), as_array(known["id"])
        self._db.run("add_parents", job_id=job_id, column_index=column, keys=texts, ids=numbers)

    def find_parents(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """The records that rows of the parent's CSV became: columns `at`, `id`, as `find`."""
        texts = as_array(keys)
        found = self._db.one("find_parents", job_id=job_id, column_index=column, keys=texts)
        assert found is not None
        return _placed(found["lines"])

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Take `count` new ids of a module, ascending."""
        if module.table is not None:
            return own.take_ids(self._db, module, count)
        first = self._modules.take_ids(count)
        return pl.int_range(first, first + count, dtype=pl.Int64, eager=True)

    def attempt(self, module: Module) -> AbstractContextManager[None]:
        """What is written inside stays, or is taken back and raised as Refused."""
        return own.attempt(self._db, module)

    def write_each(
        self, module: Module, each: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, Refused]]:
        """Write rows one by one, past those that are refused: which these are, and why.

        They are staged as texts, and the server goes through them by itself.
        """
        columns = [c for c in each.columns if c not in ("$new", "$lacks")]
        numbered = each.with_row_index("$at")
        names = [identifier(c) for c in numbered.columns]
        staged = f"rows_{hashlib.sha256(repr(names).encode()).hexdigest()[:16]}"
        self._db.sql(rows.stage(staged, dict.fromkeys(numbered.columns, "TEXT")))
        self._db.run("make_refused")
        self._copy(staged, names, numbered)
        self._db.sql(rows.each(module, staged, columns, changed, keep_empty=keep_empty))
        found = self._db.all("refused_rows")
        self._db.sql(f"TRUNCATE {staged}, refused")
        told = [
            (row["at"], own.Told(row["state"], row["rule"], row["col"], row["told"]))
            for row in found
        ]
        # Rows that one rule refuses are refused alike: the catalog is asked once.
        why = {words: own.refused(self._db, module, words) for words in {w for _, w in told}}
        return [(at, why[words]) for at, words in told]

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records."""
        names = tables.columns(module)
        columns = [names[c] for c in (*records.columns, *stamps)]
        constants = list(map(_text, stamps.values()))
        written = self._copy(tables.table(module), columns, records, constants)
        if module.table is not None:
            own.see_that_they_stand(module, written, records.height)

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the named columns of the records with these ids."""
        types = rows.column_types(module, records.columns, self._db.types)
        staged = f"staged_{hashlib.sha256(repr(types).encode()).hexdigest()[:16]}"
        self._db.sql(rows.stage(staged, types))
        self._copy(staged, list(map(quoted, records.columns)), records)
        changed = [c for c in records.columns if c != "id"]
        statement = rows.update(module, changed, stamps, staged, keep_empty=keep_empty)
        written = self._db.change(statement)
        if module.table is not None:
            own.see_that_they_stand(module, written, records.height)
        self._db.sql(f"TRUNCATE {staged}")  # the same transaction may stage such changes again

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Add values that a picklist does not hold yet; returns the field as it is then."""
        return self._modules.grow_pick_list(module, field, values)

    def _copy(
        self,
        table: str,
        columns: Sequence[str],
        records: pl.DataFrame,
        constants: Sequence[str] = (),
    ) -> int:
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
        return self._db.copy(sql, copied(records, constants))


def _text(stamp: int | datetime) -> str:
    return str(stamp) if isinstance(stamp, int) else f"{stamp:%Y-%m-%dT%H:%M:%SZ}"


def _placed(lines: str | None) -> pl.DataFrame:
    """Lines of place and id as columns `at`, `id`."""
    if not lines:
        return pl.DataFrame(schema=_PLACED)
    return pl.read_csv(lines.encode(), has_header=False, schema=_PLACED)
