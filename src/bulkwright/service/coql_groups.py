"""COQL queries with aggregates, or with `group by` (facts 10.11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from bulkwright.domain.account import Caller
from bulkwright.domain.coql import CoqlQuery, SelectedColumn
from bulkwright.domain.criteria import BoundCriteria
from bulkwright.domain.module import UNWRITABLE, Field, Module, StorageType
from bulkwright.domain.record import Value
from bulkwright.domain.record_errors import InvalidQuery
from bulkwright.domain.record_write import NotStored
from bulkwright.service.criteria import is_computed
from bulkwright.service.records import RecordService
from bulkwright.store.database import Row
from bulkwright.store.records import Order

_WRONG_COLUMN = "column given seems to be invalid"
_NUMBERS = frozenset({StorageType.INTEGER, StorageType.DECIMAL})
_ORDERED = _NUMBERS | {StorageType.DATE, StorageType.DATETIME}
_AGGREGATED: Mapping[str, Collection[StorageType]] = {
    "SUM": _NUMBERS,
    "AVG": _NUMBERS,
    "MIN": _ORDERED,
    "MAX": _ORDERED,
    "COUNT": frozenset(StorageType),
}
"""The fields of which each aggregate is served."""
_NOT_GROUPED = frozenset({StorageType.DECIMAL, StorageType.LIST})


def grouped_rows(
    records: RecordService,
    caller: Caller,
    module: Module,
    query: CoqlQuery,
    criteria: BoundCriteria,
) -> tuple[tuple[dict[str, Value], ...], bool]:
    """Returns the rows of a query, and whether a later offset has rows.

    Raises InvalidQuery for a column that is neither grouped by nor an aggregate, and NotStored for
    what this server does not do.
    """
    if not module.table_kind.has_all_operations:
        raise NotStored("aggregates of an existing table")
    by = tuple(_field(module, query.resolved(name)) for name in query.group_by)
    if any(field.storage_type in _NOT_GROUPED for field in by):
        raise NotStored("group by a decimal or a list")
    for column in query.columns:
        if column.aggregate is None and _field(module, column.path) not in by:
            raise InvalidQuery(_WRONG_COLUMN, {"column_name": column.path})
    aggregates = [column for column in query.columns if column.aggregate is not None]
    fields = [_aggregated(module, column) for column in aggregates]
    found = records.store.groups(
        module,
        criteria,
        by,
        [(column.aggregate or "", field) for column, field in zip(aggregates, fields, strict=True)],
        _order(query, by),
        query.limit + 1,
        query.offset,
    )
    rows = _shown(records, caller, module, by, [row for row, _ in found])
    for place, (column, field) in enumerate(zip(aggregates, fields, strict=True)):
        values = [numbers[place] for _, numbers in found]
        if column.aggregate in ("MIN", "MAX") and field.storage_type not in _NUMBERS:
            stored = [{field.api_name: value} for value in values]
            shown = _shown(records, caller, module, (field,), stored)
            values = [row[field.api_name] for row in shown]
        if column.aggregate in ("MIN", "MAX") and field.api_name == "id":
            values = [value if value is None else str(value) for value in values]
        for row, value in zip(rows, values, strict=True):
            row[column.written] = cast("Value", value)
    return tuple(rows[: query.limit]), len(found) > query.limit


def _field(module: Module, path: str) -> Field:
    if "." in path:
        raise NotStored("groups and aggregates of a lookup's column")
    field = module.field(path)
    if field is None:
        raise InvalidQuery(_WRONG_COLUMN, {"column_name": path})
    if field.data_type in UNWRITABLE or is_computed(field):
        raise NotStored(field.api_name)
    return field


def _aggregated(module: Module, column: SelectedColumn) -> Field:
    field = _field(module, column.path)
    if field.storage_type not in _AGGREGATED[column.aggregate or ""]:
        raise NotStored(f"{column.aggregate} of a {field.storage_type.value}")
    return field


def _order(query: CoqlQuery, by: Sequence[Field]) -> Order:
    """Sorted as the query says, then by the fields of the groups."""
    grouped = {field.api_name: field for field in by}
    orders = []
    for sort in query.order_by:
        written = query.resolved(sort.column)
        field = grouped.get(written)
        if field is None and "(" in written:
            raise NotStored("order by an aggregate")
        if field is None:
            raise InvalidQuery(_WRONG_COLUMN, {"column_name": sort.column})
        orders.append(Order(field, sort.ascending))
    orders += [Order(field, ascending=True) for field in by]
    return replace(orders[0], then=tuple(orders[1:])) if orders else Order()


def _shown(
    records: RecordService,
    caller: Caller,
    module: Module,
    fields: Sequence[Field],
    rows: Sequence[Row],
) -> list[dict[str, Value]]:
    """Returns the stored values of fields as records show them."""
    narrowed = replace(module, fields=tuple(fields))
    built = records.built(caller, narrowed, [{"id": 0, **row} for row in rows])
    ids = [{"id": str(record.id)} if "id" in record.values else {} for record in built]
    return [{**record.values, **number} for record, number in zip(built, ids, strict=True)]
