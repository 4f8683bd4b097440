"""Unchanged rows: the record of such a row holds its values already, so nothing is written.

Rows take effect in file order. A row is unchanged if its record, as the rows before it have left
it, holds the values that the row would write; so the size of chunks does not matter. A record is
written if one of its rows changes it.

A comparison of each row costs a tenth of an upsert. So it is left out where a sample shows that
rows change their records: then the UPDATE itself compares, which costs nothing, and the number of
records that it has changed shows whether that was right. If it was not, the chunk is rolled back
and written again (`ServiceTarget`).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from bulkwright.pipeline.plan import Plan
from bulkwright.ports import RecordSink

_SAMPLE_ROWS = 64
_FEW_ROWS = 512
"""In a chunk of fewer rows, each is compared."""
_AT = "$at"


def unchanged_rows(
    records: pl.DataFrame, plan: Plan, sink: RecordSink, defaults: Mapping[str, int]
) -> pl.Series:
    """Return a mask of the rows (`row_records`) that change nothing.

    `defaults` are the values that new records get in empty columns.
    """
    columns = compared_columns(plan)
    new = records["$new"]
    if not columns:
        return ~new | ~records["id"].is_first_distinct()
    if not records["id"].is_duplicated().any():
        return _mask(records.height, _equal_stored(records, ~new, plan, sink))
    before, inside = _compare_inside(records, columns, plan, defaults)
    # What no row before has left is compared with the stored record.
    left = []
    if plan.keep_empty:
        left = [
            pl.when(found.is_null()).then(pl.col(name)).alias(name)
            for name, found in zip(columns, before, strict=True)
        ]
    first = records["id"].is_first_distinct()
    asked = ~new & (inside if plan.keep_empty else first)
    stored = _mask(records.height, _equal_stored(records.with_columns(left), asked, plan, sink))
    return inside & (stored | ~asked) & ~(new & first)


def may_change_all(records: pl.DataFrame, plan: Plan, sink: RecordSink, *, sampled: bool) -> bool:
    """Whether a sample of the rows gives reason to believe that each changes its record.

    With `sampled`, the chunk before has given that reason.
    """
    existing = records.filter(~records["$new"])
    if existing.height < _FEW_ROWS or existing["id"].is_duplicated().any():
        return False
    if sampled:
        return True
    sample = existing.gather_every(existing.height // _SAMPLE_ROWS)
    everywhere = pl.repeat(value=True, n=sample.height, eager=True)
    return _equal_stored(sample, everywhere, plan, sink).is_empty()


def compared_columns(plan: Plan) -> list[str]:
    """Return the columns that decide whether a row changes its record.

    Columns of keys follow from others, and the key by which records are found is equal. Its text
    may not be; it differs least often, so it is compared last.
    """
    found_by = plan.find_by
    names = [
        column.name
        for column in plan.written
        if column is not found_by or column.field.has_folded_key
    ]
    return sorted(names, key=lambda name: found_by is not None and name == found_by.name)


def runs_of(mask: pl.Series) -> str:
    """Return a mask as lengths of runs, separated by commas: of false, of true, of false ..."""
    runs = mask.rle().struct.unnest()
    first = "0," if runs["value"][0] else ""
    return first + str(runs["len"].cast(pl.String).str.join(",").item())


def _equal_stored(
    records: pl.DataFrame, asked: pl.Series, plan: Plan, sink: RecordSink
) -> pl.Series:
    """The positions of those of the rows `asked` whose stored records hold their values."""
    rows = records.select(pl.int_range(pl.len()).alias(_AT), "id", *compared_columns(plan))
    if not asked.all():  # a filter copies all rows
        rows = rows.filter(asked)
    if rows.is_empty():
        return pl.Series([], dtype=pl.Int64)
    return sink.equal(plan.module, rows, keep_empty=plan.keep_empty)


def _compare_inside(
    records: pl.DataFrame, columns: list[str], plan: Plan, defaults: Mapping[str, int]
) -> tuple[list[pl.Series], pl.Series]:
    """Compare each row with the rows of the same record before it.

    Return, for each column, the value that they have left (null where they have left none), and a
    mask of the rows that do not differ from it.
    """
    new, first = records["$new"], records["id"].is_first_distinct()
    before = []
    for name in columns:
        values = records[name]
        if name in defaults:
            filled = values.fill_null(defaults[name])
            values = pl.select(pl.when(new & first).then(filled).otherwise(values)).to_series()
        states = pl.col("v").forward_fill() if plan.keep_empty else pl.col("v")
        frame = pl.DataFrame([values.alias("v"), records["id"]])
        before.append(frame.select(states.shift(1).over("id"))["v"])
    same = pl.repeat(value=True, n=records.height, eager=True)
    for name, left in zip(columns, before, strict=True):
        equal = records[name].eq_missing(left)
        if plan.keep_empty:
            equal = equal | records[name].is_null() | (left.is_null() & ~new)
        same = same & equal
    return before, same if plan.keep_empty else same | (first & ~new)


def _mask(rows: int, positions: pl.Series) -> pl.Series:
    """A mask that is true at these positions."""
    return pl.int_range(rows, eager=True).is_in(positions.implode())
