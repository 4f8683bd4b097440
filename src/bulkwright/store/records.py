"""The records of a module as record calls read and write them, a few at a time.

Workers handle chunks of thousands (ports.py). Both hold the lock of the module while they match and
write, and both compare the same keys, so that a key means one record whichever way wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from bulkwright.domain.criteria import BoundCriteria
from bulkwright.domain.limits import RECORDS_PER_CALL
from bulkwright.domain.module import Field, Module
from bulkwright.domain.scalar import Stored
from bulkwright.store import aggregate_sql, criteria_sql, record_sql, tables
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.times import to_micros

Key = str | int
Columns = Mapping[str, Stored | None]
"""Values by the names of columns in frames (store/tables.py)."""

_HEAD_FIELDS = ("Created_By", "Created_Time", "Modified_By", "Modified_Time")
_HOLDERS = RECORDS_PER_CALL + 2
"""Records of one key that are read. A call changes fewer, so two are left if there were several."""


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One write: of a new record, or of columns of an existing one."""

    id: int
    is_new: bool
    columns: Columns


@dataclass(frozen=True, slots=True)
class Order:
    """How a page of records is sorted; without a field by id."""

    field: Field | None = None
    ascending: bool = False
    few: bool = False
    """Whether an index finds the records, so that few are sorted."""
    then: tuple[Order, ...] = ()
    """How records are sorted that are equal by the field."""


class RecordStore:
    """Reads and writes records. The calls that write belong inside `locked`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._modules = ModuleStore(database)
        self._indexed: set[str] = set()
        """The indexes that exist."""

    @contextmanager
    def locked(self, module: Module) -> Iterator[None]:
        """Opens a transaction that has locked the module: no other one matches or writes."""
        with self._db.transaction():
            self._modules.lock(module)
            yield

    def forget_indexes(self) -> None:
        """Makes `ensure_index` look again: the database was replaced."""
        self._indexed.clear()

    def ensure_index(self, module: Module, field: Field) -> None:
        """Creates the index by which records are found by a field, if it is missing.

        The first call that finds by a field waits until all records are indexed.
        """
        index = tables.table_of(module).index(field)
        if index is None or index in self._indexed:
            return
        if self._db.one("index_exists", name=index) is None:
            if field.is_key:
                statements = tables.create_index(module, field)
            else:
                folded = criteria_sql.folded_text(module, field, self._db.types)
                statements = [record_sql.folded_index(module, field, index, folded)]
            with self.locked(module):
                self._db.all("disable_timeout")
                for statement in statements:
                    self._db.sql(statement)
        self._indexed.add(index)

    def page(
        self, module: Module, criteria: BoundCriteria | None, order: Order, limit: int, offset: int
    ) -> list[Row]:
        """Returns a page of the records that meet the criteria."""
        found = self._where(module, criteria)
        statement = record_sql.select(module, found.text, self._order(module, order))
        return self._db.sql(statement, (*found.values, limit, offset))

    def groups(
        self,
        module: Module,
        criteria: BoundCriteria,
        by: Sequence[Field],
        aggregates: Sequence[tuple[str, Field]],
        order: Order,
        limit: int,
        offset: int,
    ) -> list[tuple[Row, list[object]]]:  # wide: the clauses of one query
        """Returns groups of the records that meet the criteria: fields, and aggregates of fields.

        A count or a sum is a number, the least and the greatest value is as it is stored.
        """
        found, types = self._where(module, criteria), self._db.types
        named = list(enumerate(aggregates))
        columns = [
            column
            for number, (name, field) in named
            for column in aggregate_sql.columns_of(module, name, number, field, types)
        ]
        terms = self._terms(module, order)
        statement = aggregate_sql.groups(module, by, columns, found.text, terms)
        return [
            (row, [aggregate_sql.value_of(name, n, field, row) for n, (name, field) in named])
            for row in self._db.sql(statement, (*found.values, limit, offset))
        ]

    def ids(self, module: Module, criteria: BoundCriteria, most: int) -> list[int]:
        """Returns the ids of up to `most` records that meet the criteria."""
        found = self._where(module, criteria)
        rows = self._db.sql(record_sql.ids(module, found.text), (*found.values, most))
        return [int(row["id"]) for row in rows]

    def count(self, module: Module, criteria: BoundCriteria | None) -> int:
        """Returns the number of records that meet the criteria."""
        found = self._where(module, criteria)
        (row,) = self._db.sql(record_sql.count(module, found.text), found.values)
        return int(row["count"])

    def deleted(self, module: Module, after: int, until: int, limit: int, offset: int) -> list[Row]:
        """Returns records that were deleted within a time (in microseconds), newest first."""
        return self._db.all(
            "deleted_records",
            module_id=module.id,
            after=after,
            until=until,
            most=limit,
            skipped=offset,
        )

    def _where(self, module: Module, criteria: BoundCriteria | None) -> criteria_sql.Sql:
        if criteria is None:
            return criteria_sql.Sql("1 = 1")
        return criteria_sql.where(module, criteria, self._db.types)

    def _order(self, module: Module, order: Order) -> str:
        direction = _direction(order)
        id_column = tables.table_of(module).id_column
        if order.few:
            # Not by the primary key: it would be read from its end until enough records are found.
            return f"{id_column} + 0 {direction}"
        if order.field is None or order.field.api_name == "id":
            return f"{id_column} {direction}"
        return ", ".join([*self._terms(module, order), f"{id_column} {direction}"])

    def _terms(self, module: Module, order: Order) -> list[str]:
        return [
            criteria_sql.order_terms(module, one.field, self._db.types, _direction(one))
            for one in (order, *order.then)
            if one.field is not None
        ]

    def find(self, module: Module, field: Field, keys: Collection[Key]) -> dict[Key, list[int]]:
        """Returns the ids of the records that hold these keys, oldest first."""
        if not keys:
            return {}
        statement = record_sql.find(module, field, len(keys), _HOLDERS)
        found: dict[Key, list[int]] = {}
        for row in self._db.sql(statement, tuple(keys)):
            found.setdefault(row["key"], []).append(int(row["id"]))
        return {key: sorted(ids) for key, ids in found.items()}

    def heads(self, module: Module, ids: Collection[int], keyed: Sequence[Field]) -> dict[int, Row]:
        """Returns records by id: the keys of some fields, and who wrote them and when."""
        if not ids:
            return {}
        others = [f for name in _HEAD_FIELDS if (f := module.field(name)) is not None]
        statement = record_sql.heads(module, keyed, others, len(ids))
        return {int(row["id"]): row for row in self._db.sql(statement, tuple(ids))}

    def existing(self, module: Module, ids: Collection[int]) -> set[int]:
        """Returns those of these ids that records have."""
        return set(self.heads(module, ids, ()))

    def take_ids(self, module: Module, count: int) -> int:
        """Takes ids for new records of a call and returns the first."""
        first = self._modules.take_ids(count)
        # `bulkwright check` knows by it that no result line reports these records.
        self._db.run("add_direct_ids", module_id=module.id, first=first, count=count)
        return first

    def write(self, module: Module, changes: Sequence[RecordChange]) -> None:
        """Writes changes in their order; equal statements that follow each other are one call."""
        if not changes:
            return
        writer = {tables.WRITER: self._modules.take_ids(1)}
        changes = [replace(c, columns={**c.columns, **writer}) for c in changes]
        for (is_new, columns), group in groupby(changes, lambda c: (c.is_new, tuple(c.columns))):
            if is_new:
                rows = [(change.id, *change.columns.values()) for change in group]
                self._db.sql_all(record_sql.insert(module, ("id", *columns)), rows)
            else:
                rows = [(*change.columns.values(), change.id) for change in group]
                self._db.sql_all(record_sql.update(module, columns), rows)

    def delete(self, module: Module, ids: Sequence[int], author: int, now: datetime) -> set[int]:
        """Deletes records and notes who did; returns the ids of those that existed."""
        named = [f for f in (module.display_field,) if f is not None and f.api_name != "id"]
        creator = module.field("Created_By")
        others = named + ([] if creator is None else [creator])
        statement = record_sql.heads(module, (), others, len(ids))
        rows = self._db.sql(statement, tuple(ids)) if ids else []
        if not rows:
            return set()
        self._db.run_all(
            "add_deleted_record",
            [
                {
                    "module_id": module.id,
                    "org_id": module.org_id,
                    "id": row["id"],
                    "display_name": str(row[named[0].api_name] or "") if named else "",
                    "created_by": row.get("Created_By"),
                    "deleted_by": author,
                    "deleted_time": to_micros(now),
                }
                for row in rows
            ],
        )
        found = [int(row["id"]) for row in rows]
        self._db.sql(record_sql.delete(module, len(found)), tuple(found))
        return set(found)


def _direction(order: Order) -> str:
    return "ASC" if order.ascending else "DESC"
