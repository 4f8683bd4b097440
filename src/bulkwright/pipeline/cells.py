"""What all readers of cells share: their options, and values under a mask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from bulkwright.domain.module import Field


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the cells of one mapping are converted."""

    field: Field
    format: str | None
    """The mapping's pattern, checked when the job was created."""
    time_zone: str
    """IANA zone of date-times without an offset."""
    created: date
    """The day on which the job was created. A year of two digits is one of the years around it."""
    has_infinity: bool = False
    """Whether the column can hold NaN, infinity and years beyond 9999: PostgreSQL's columns can."""


# A query of Polars takes a tenth of a millisecond before its first row, so these use none.


def keep_where(values: pl.Series, valid: pl.Series) -> pl.Series:
    """Return the values where the mask is true, null elsewhere."""
    if has_no_false(valid):
        return values
    return values.zip_with(valid, pl.Series([None], dtype=values.dtype))


def repeated(value: str | None, count: int, dtype: type[pl.DataType]) -> pl.Series:
    """Return a column of `count` equal values."""
    return pl.Series([value], dtype=dtype).new_from_index(0, count)


def coalesced(values: pl.Series, others: pl.Series) -> pl.Series:
    """Return the values, and the others where a value is null."""
    return pl.select(pl.coalesce(values, others)).to_series()


def has_no_false(mask: pl.Series) -> bool:
    """Return whether the mask is false nowhere; it is null for an empty cell, which is not bad."""
    return bool(mask.all(ignore_nulls=True))


def all_read(values: pl.Series, cells: pl.Series) -> bool:
    """Return whether each cell that is not empty has a value."""
    return values.null_count() == cells.null_count()
