"""SQL of aggregates, in both dialects, and the numbers that its columns mean.

Sums are exact. SQLite has whole numbers of 64 bits only and holds decimals as texts, so it adds up
parts of them that are small enough; `sum_of` puts the sums together.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.store.criteria_sql import compared_terms
from bulkwright.store.database import Row
from bulkwright.store.tables import Types, quoted, table_of

_PART = 10**9
_SHIFT = 10**17
"""Makes each whole number of a decimal positive."""
_SHIFTED_DIGITS = 18
_EXACT = Context(prec=60)


def groups(
    module: Module,
    by: Sequence[Field],
    columns: Sequence[str],
    condition: str,
    order: Sequence[str],
) -> str:
    """SELECT of groups of records; binds the values of the condition, then (limit, offset).

    `columns` are those of `columns_of`. Without fields to group by, all records are one group.
    """
    table = table_of(module)
    grouped = [table.column(field) for field in by]
    named = [f"{c} AS {quoted(f.api_name)}" for c, f in zip(grouped, by, strict=True)]
    text = f"SELECT {', '.join([*named, *columns])} FROM {table.name} WHERE {condition}"
    text += f" GROUP BY {', '.join(grouped)}" if grouped else ""
    text += f" ORDER BY {', '.join(order)}" if order else ""
    return f"{text} LIMIT ? OFFSET ?"


def columns_of(module: Module, name: str, number: int, field: Field, types: Types) -> list[str]:
    """Returns the columns from which `value_of` makes the aggregate of that number."""
    column, terms = table_of(module).column(field), compared_terms(module, field, types)
    if name == "COUNT":
        return [f"count({column}) AS a{number}_count"]
    if name in ("MIN", "MAX"):
        return [f"{name.lower()}({_ordered(terms)}) AS a{number}_value"]
    sums = [f"sum({term})" for term in terms]
    if types.decimal_is_text:
        # In this order: the numbers of whole billions, and the rest, of each term.
        sums = [f"sum({term} {sign} {_PART})" for term in terms for sign in "/%"]
    named = [f"{text} AS a{number}_sum{place}" for place, text in enumerate(sums)]
    return [f"count({column}) AS a{number}_count", *named]


def value_of(name: str, number: int, field: Field, row: Row) -> object:
    """Returns the aggregate of that number: a number, or a value of the field as it is stored."""
    if name == "COUNT":
        return int(row[f"a{number}_count"])
    if name in ("MIN", "MAX"):
        value = row[f"a{number}_value"]
        if value is None or field.storage_type is not StorageType.DECIMAL:
            return value
        return _plain(_decoded(value))
    count = int(row[f"a{number}_count"])
    if not count:
        return None
    total = _total([row[f"a{number}_sum{n}"] for n in range(4) if f"a{number}_sum{n}" in row])
    if name == "AVG":
        return float(_EXACT.divide(total, Decimal(count)))
    return int(total) if field.storage_type is StorageType.INTEGER else _plain(total)


def _total(sums: Sequence[object]) -> Decimal:
    if len(sums) == 1:
        return Decimal(str(sums[0]))
    numbers = [int(str(part)) for part in sums]
    whole = numbers[0] * _PART + numbers[1]
    fraction = numbers[2] * _PART + numbers[3] if len(numbers) > 2 else 0
    return _EXACT.divide(Decimal(whole * _PART + fraction), Decimal(_PART))


def _ordered(terms: Sequence[str]) -> str:
    """One term in the order of its parts: the whole number below, and what is above it."""
    if len(terms) == 1:
        return terms[0]
    whole, fraction = terms
    below = f"({fraction} < 0)"
    return (
        f"CASE WHEN {whole} IS NOT NULL THEN "
        f"printf('%0{_SHIFTED_DIGITS}d%09d', {whole} - {below} + {_SHIFT}, "
        f"{fraction} + {below} * {_PART}) END"
    )


def _decoded(value: object) -> Decimal:
    text = str(value)
    if len(text) != _SHIFTED_DIGITS + 9 or not text.isdigit():
        return Decimal(text)
    whole, fraction = int(text[:_SHIFTED_DIGITS]) - _SHIFT, int(text[_SHIFTED_DIGITS:])
    return _EXACT.divide(Decimal(whole * _PART + fraction), Decimal(_PART))


def _plain(number: Decimal) -> Decimal:
    """The number without zeros at the end of its fraction, and without an exponent."""
    return Decimal(f"{number.normalize(_EXACT):f}")
