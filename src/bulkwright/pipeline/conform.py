"""Step 2 of 4, conform: text cells become typed fields, or speak against their row.

In:   a chunk of text cells (read.py) and the plan.
Out:  the same rows in the same order, one typed column for each mapped field, and the verdicts.

Lookups are only made ready here: which record a cell means is asked in match.py, where the store
may be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from bulkwright.csvzip.text import BAD_BYTE
from bulkwright.domain.outcome import SkipReason
from bulkwright.pipeline.keys import Keys, normalised, number_keys
from bulkwright.pipeline.plan import Column, Plan
from bulkwright.pipeline.read import Chunk
from bulkwright.pipeline.values import read_values
from bulkwright.pipeline.verdicts import Verdicts
from bulkwright.store.tables import key_column


@dataclass(frozen=True, slots=True)
class Conformed:
    """One chunk after step 2."""

    chunk: Chunk
    fields: pl.DataFrame
    """One column for each mapping, named by api_name, and one for each text key, named as in the
    store. A lookup by other than id still holds the key that names its record."""
    keys: dict[str, Keys]
    """Of what rows are matched by: find_by, unique fields and lookups, by api_name."""
    verdicts: Verdicts
    lacking: tuple[tuple[str, pl.Series], ...]
    """Labels and masks of mandatory fields that are empty: they speak against a new record only,
    for this job leaves empty cells alone when it updates."""


def conform(chunk: Chunk, plan: Plan) -> Conformed:
    """Type and check every cell of a chunk."""
    verdicts = Verdicts(chunk.rows)
    lacking: list[tuple[str, pl.Series]] = []
    fields: list[pl.Series] = []
    keys: dict[str, Keys] = {}
    matched_by = plan.matched_by
    spared = plan.operation.updates and plan.keep_empty
    key = _required_key(plan)
    for column in plan.columns:
        cells = _cells(chunk, column)
        values, bad = _values(cells, column, plan)
        if chunk.has_nul or chunk.has_bad_bytes:
            bad = bad | _broken(cells)
        if column is key or (column.field.required and column.name != "id"):
            empty, blank = cells.is_null(), cells.str.strip_chars() == ""
            bad = bad & ~blank
            verdicts.add(SkipReason.MANDATORY_NOT_FOUND, column.label, blank)
            if column is key or not spared:
                verdicts.add(SkipReason.MANDATORY_NOT_FOUND, column.label, empty)
            elif plan.operation.creates and empty.any():
                lacking.append((column.label, empty))
        verdicts.add(SkipReason.INVALID_DATA, column.label, bad)
        fields.append(values.alias(column.name))
        if column.field.folded and not column.finds:
            fields.append(normalised(values).alias(key_column(column.field)))
        if column.finds or column in matched_by:
            keys[column.name] = number_keys(fields[-1])
    if chunk.too_long.any():
        label = plan.header[-1].strip() or str(len(plan.header))
        verdicts.add(SkipReason.INVALID_DATA, label, chunk.too_long)
    return Conformed(chunk, pl.DataFrame(fields), keys, verdicts, tuple(lacking))


def _cells(chunk: Chunk, column: Column) -> pl.Series:
    """The cells of a mapping with its default filled in; null where nothing is left.

    Only the empty cell is empty; blanks are a value. The default comes before every check, so it
    satisfies a mandatory field too.
    """
    mapping = column.mapping
    if mapping.index is None:
        return pl.repeat(mapping.default, n=chunk.rows, dtype=pl.String, eager=True)
    cells = chunk.cells[str(mapping.index)]
    filled = pl.when(cells != "").then(cells).otherwise(pl.lit(mapping.default, pl.String))
    return pl.select(filled).to_series()


def _values(cells: pl.Series, column: Column, plan: Plan) -> tuple[pl.Series, pl.Series]:
    """The values of a mapping, and a mask of the cells that are none."""
    field = column.field
    if field.data_type == "layout":
        # A missing or unknown layout is the default one (facts 3.3): no cell is bad.
        ids = read_values(cells, column.reading)
        return ids.fill_null(plan.module.layout_id), pl.repeat(
            value=False, n=cells.len(), dtype=pl.Boolean, eager=True
        )
    if field.has_users:
        people = normalised(cells)
        values = people.replace_strict(plan.user_ids, default=None, return_dtype=pl.Int64)
    elif column.mapping.parent_column_index is not None or (
        column.target_field is not None and column.target_field.folded
    ):
        values = normalised(cells)
    else:
        values = read_values(cells, column.reading)
    return values, values.is_null() & cells.is_not_null()


def _broken(cells: pl.Series) -> pl.Series:
    """Cells with a byte that is no character, or with NUL, which PostgreSQL cannot hold."""
    nul = cells.str.contains("\x00", literal=True)
    return nul | cells.str.contains(BAD_BYTE, literal=True)


def _required_key(plan: Plan) -> Column | None:
    """The column without which a row does not say what it updates.

    Found by id, a row without one is a new record, if the job makes any.
    """
    by = plan.find_by
    if by is None or not plan.operation.updates:
        return None
    return None if by.name == "id" and plan.operation.creates else by
