"""The values that cells of picklists hold: one in each cell, or several."""

from __future__ import annotations

import polars as pl

from bulkwright.domain.module import Field, StorageType


def exploded(cells: pl.Series, field: Field) -> pl.DataFrame:
    """Return every value of the cells: its `row` (UInt32) and its `value`, in file order.

    `cells` are values as `read_values` returns them; empty ones are left out.
    """
    rows = pl.int_range(cells.len(), dtype=pl.UInt32, eager=True)
    values = pl.DataFrame([rows.alias("row"), cells.alias("value")]).drop_nulls()
    if field.storage_type is StorageType.LIST:
        lists = values["value"].str.json_decode(pl.List(pl.String))
        values = values.with_columns(lists.alias("value")).explode("value")
    return values


def distinct(cells: pl.Series, field: Field) -> pl.Series:
    """Return the values of the cells, each once."""
    cells = cells.unique()
    if field.storage_type is StorageType.LIST:
        return exploded(cells, field)["value"].unique()
    return cells.drop_nulls() if cells.null_count() else cells
