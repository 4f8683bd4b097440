"""SQL of criteria, in both dialects: conditions on typed columns, with bound values only.

Both stores give one answer. Texts that are no keys are compared byte by byte, or with their ASCII
letters in lower case: no collation of the database decides. SQLite holds exact decimals as texts,
so they are compared as two whole numbers, before and after the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkwright.domain.criteria import (
    BoundCondition,
    BoundCriteria,
    BoundPath,
    Comparator,
    CriteriaGroup,
)
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.store.record_sql import marks
from bulkwright.store.tables import ModuleTable, Types, table_of

_C = Comparator
_FRACTION_DIGITS = 9
_LAST = "\U0010ffff"
"""Greater than any character of a text, in the order of bytes."""


class Sql(NamedTuple):
    """A part of a statement, and the values of its question marks in order."""

    text: str
    values: tuple[object, ...] = ()


def where(module: Module, criteria: BoundCriteria, types: Types) -> Sql:
    """Returns the condition of a WHERE that means the criteria."""
    if isinstance(criteria, CriteriaGroup):
        parts = [where(module, part, types) for part in criteria.parts]
        text = f" {criteria.junction.value.upper()} ".join(f"({part.text})" for part in parts)
        return Sql(text, tuple(value for part in parts for value in part.values))
    if isinstance(criteria, BoundPath):
        return _path(table_of(module), criteria, types)
    return _condition(table_of(module), criteria, types)


def order_terms(module: Module, field: Field, types: Types, direction: str) -> str:
    """Returns the terms of an ORDER BY a field; records without a value come last."""
    table = table_of(module)
    terms = _compared(table, field, types)
    if field.storage_type is StorageType.TEXT:
        terms = [types.ordered.format(term) for term in terms]
    column = table.column(field)
    return ", ".join([f"{column} IS NULL", *(f"{term} {direction}" for term in terms)])


def compared_terms(module: Module, field: Field, types: Types) -> list[str]:
    """Returns the terms by which a field is compared: a decimal of SQLite has two."""
    return _compared(table_of(module), field, types)


def folded_text(module: Module, field: Field, types: Types) -> str:
    """Returns a text field with its ASCII letters in lower case."""
    return types.folded.format(_text(table_of(module), field))


def _path(table: ModuleTable, path: BoundPath, types: Types) -> Sql:
    column, other = table.column(path.field), table_of(path.module)
    met = where(path.module, path.condition, types)
    found = f"{column} IN (SELECT {other.id_column} FROM {other.name} WHERE {met.text})"
    return Sql(_unless(column, found) if path.negated else found, met.values)


def _unless(column: str, text: str) -> str:
    """What a condition does not mean: also the records without a value in its column."""
    return f"({column} IS NULL OR NOT ({text}))"


def _condition(table: ModuleTable, condition: BoundCondition, types: Types) -> Sql:
    column = table.column(condition.field)
    if condition.comparator is _C.EMPTY:
        return Sql(f"{column} IS {'NOT ' if condition.negated else ''}NULL")
    met = _met(table, condition, types)
    return Sql(_unless(column, met.text), met.values) if condition.negated else met


def _met(table: ModuleTable, condition: BoundCondition, types: Types) -> Sql:
    field, comparator, values = condition.field, condition.comparator, condition.values
    if not values:
        return Sql("1 = 0")
    if field.storage_type is StorageType.LIST:
        return _list(table.column(field), comparator, values, types)
    if condition.by_key:
        return _compare([table.key(field)], comparator, [(value,) for value in values])
    if field.storage_type is StorageType.TEXT:
        column = _text(table, field)
        if condition.ignores_case:
            column = types.folded.format(column)
        compared = _compare([column], comparator, [(value,) for value in values])
        if condition.ignores_case:
            # The index of e-mails and phones leaves out empty values.
            return Sql(f"{compared.text} AND {table.column(field)} IS NOT NULL", compared.values)
        return compared
    terms = _compared(table, field, types)
    return _compare(terms, comparator, [_split(field, value, len(terms)) for value in values])


def _compare(
    terms: Sequence[str], comparator: Comparator, values: Sequence[tuple[object, ...]]
) -> Sql:
    """A comparison of one column, or of a row of terms, with values of as many parts."""
    left = terms[0] if len(terms) == 1 else f"({', '.join(terms)})"
    mark = "?" if len(terms) == 1 else f"({marks(len(terms))})"
    first = values[0]
    match comparator:
        case _C.IN:
            each = " OR ".join([f"{left} = {mark}"] * len(values))
            flat = tuple(part for value in values for part in value)
            if len(terms) == 1:
                return Sql(f"{left} IN ({marks(len(values))})", flat)
            return Sql(f"({each})", flat)
        case _C.NOT_EQUAL:
            joined = " AND ".join([f"{left} <> {mark}"] * len(values))
            flat = tuple(part for value in values for part in value)
            return Sql(f"({terms[0]} IS NULL OR ({joined}))", flat)
        case _C.BETWEEN:
            return Sql(f"{left} >= {mark} AND {left} <= {mark}", (*first, *values[1]))
        case _C.STARTS_WITH:
            start = str(first[0])
            return Sql(f"{left} >= ? AND {left} < ?", (start, start + _LAST))
        case _C.CONTAINS | _C.ENDS_WITH | _C.LIKE:
            pattern = _PATTERNS[comparator].format(_escaped(str(first[0])))
            return Sql(f"{left} LIKE ? ESCAPE '!'", (pattern,))
    return Sql(f"{left} {_SIGNS[comparator]} {mark}", first)


def _list(column: str, comparator: Comparator, values: Sequence[object], types: Types) -> Sql:
    """A comparison of the values of a list; several, joined by semicolons, are all in it."""
    elements = types.elements.format(column)

    def has(text: str) -> Sql:
        if comparator in _PATTERNS:
            folded = types.folded.format("e.value")
            pattern = _PATTERNS[comparator].format(_escaped(text))
            test = Sql(f"{folded} LIKE ? ESCAPE '!'", (pattern,))
        else:
            test = Sql("e.value = ?", (text,))
        return Sql(f"EXISTS (SELECT 1 FROM {elements} WHERE {test.text})", test.values)

    wanted = [[has(part) for part in str(value).split(";") if part] for value in values]
    each = [
        Sql(" AND ".join(sql.text for sql in parts), tuple(v for sql in parts for v in sql.values))
        for parts in wanted
        if parts
    ]
    if not each:
        return Sql("1 = 0")
    any_of = " OR ".join(f"({sql.text})" for sql in each)
    flat = tuple(value for sql in each for value in sql.values)
    negated = comparator is _C.NOT_EQUAL
    return Sql(f"({column} IS NULL OR NOT ({any_of}))" if negated else f"({any_of})", flat)


def _text(table: ModuleTable, field: Field) -> str:
    """A column as text; PostgreSQL has columns of other types in existing tables."""
    column = table.column(field)
    if field.column is None or field.column.type.startswith(("text", "character")):
        return column
    return f"CAST({column} AS text)"


def _compared(table: ModuleTable, field: Field, types: Types) -> list[str]:
    """The terms by which a field is compared and sorted."""
    column = table.column(field)
    if field.storage_type is StorageType.DECIMAL and types.decimal_is_text and not field.column:
        return [term.format(column) for term in _DECIMAL_TERMS]
    return [column]


def _split(field: Field, value: object, parts: int) -> tuple[object, ...]:
    if parts == 1:
        return (value,)
    sign = -1 if str(value).startswith("-") else 1
    whole, _, fraction = str(value).lstrip("-").partition(".")
    return sign * int(whole), sign * int(fraction.ljust(_FRACTION_DIGITS, "0"))


_DECIMAL_TERMS = (
    "CAST({0} AS INTEGER)",
    "(CASE WHEN {0} LIKE '-%' THEN -1 ELSE 1 END * CAST(substr(substr({0}, "
    f"instr({{0}} || '.', '.') + 1) || '{'0' * _FRACTION_DIGITS}', 1, {_FRACTION_DIGITS}) "
    "AS INTEGER))",
)
"""The whole part of a decimal text, and nine digits behind the point, both with its sign."""

_SIGNS = {
    _C.EQUALS: "=",
    _C.GREATER_THAN: ">",
    _C.GREATER_EQUAL: ">=",
    _C.LESS_THAN: "<",
    _C.LESS_EQUAL: "<=",
}


_PATTERNS = {
    _C.STARTS_WITH: "{}%",
    _C.CONTAINS: "%{}%",
    _C.ENDS_WITH: "%{}",
    _C.LIKE: "{}",
}


def _escaped(text: str) -> str:
    """A text in which the signs of LIKE stand for themselves."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
