"""Step 2 of 4, conform: converts text cells to typed fields.

In:   a chunk of text cells (read.py) and the plan.
Out:  the same rows in the same order, one typed column for each mapped field, and the row errors.

A cell that cannot be converted marks its row as invalid. This step needs no store: the records that
the cells of a lookup mean are queried in the next step (match.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from bulkwright.domain.outcome import SkipReason
from bulkwright.formats.csv import BAD_BYTE
from bulkwright.pipeline.assumed import assumed_format
from bulkwright.pipeline.cells import all_read, repeated
from bulkwright.pipeline.choices import distinct
from bulkwright.pipeline.keys import Keys, normalised, number_keys
from bulkwright.pipeline.plan import MappedColumn, Plan
from bulkwright.pipeline.read import Chunk
from bulkwright.pipeline.row_errors import RowErrors, no_rows
from bulkwright.pipeline.values import read_values
from bulkwright.store.tables import key_column


@dataclass(frozen=True, slots=True)
class Conformed:
    """One chunk after step 2."""

    chunk: Chunk
    fields: pl.DataFrame
    """One column for each mapping, named by api_name, and one for each text key, named as in the
    store. A lookup that is not by id still holds the key of its record."""
    keys: dict[str, Keys]
    """The keys of find_by, unique fields and lookups, by api_name."""
    row_errors: RowErrors
    missing_mandatory: tuple[tuple[str, pl.Series], ...]
    """Labels of mandatory fields and masks of their empty cells. Such a cell is an error in a row
    that creates a record only, because updates of this job leave empty cells as they are."""

    choices: dict[str, pl.Series]
    """The distinct values of picklists that take new ones, by api_name."""
    assumed: dict[str, str]
    """The formats that were assumed (assumed.py), by the labels of their columns."""

    def incomplete(self) -> pl.Series:
        """Return a mask of the rows that cannot create a record: a mandatory field is empty."""
        mask = no_rows(self.chunk.rows)
        for _, empty in self.missing_mandatory:
            mask = mask | empty
        return mask


def conform(chunk: Chunk, plan: Plan) -> Conformed:
    """Convert and check every cell of a chunk."""
    row_errors = RowErrors(chunk.rows)
    missing_mandatory: list[tuple[str, pl.Series]] = []
    fields: list[pl.Series] = []
    keys: dict[str, Keys] = {}
    choices: dict[str, pl.Series] = {}
    assumed: dict[str, str] = {}
    matched_by = plan.matched_by
    update_keeps_empty = plan.operation.updates and plan.keep_empty
    required_key = _required_key(plan)
    none = no_rows(chunk.rows)
    for column in plan.columns:
        cells = _cells(chunk, column)
        values, bad = _values(cells, column, plan, none)
        if column.name == "id" and column.field.column is not None and plan.keeps_ids:
            bad = bad | (values > column.field.column.greatest_given)
        if (pattern := assumed_format(cells, column.options)) is not None:
            assumed[column.label] = pattern
        if chunk.has_nul or chunk.has_bad_bytes:
            bad = bad | _has_invalid_text(cells)
        if column is required_key or (column.field.required and column.name != "id"):
            empty = cells.is_null() if cells.null_count() else none
            blank = cells.str.strip_chars() == ""
            bad = bad & ~blank
            row_errors.add(SkipReason.MANDATORY_NOT_FOUND, column.label, blank)
            if column is required_key or not update_keeps_empty:
                row_errors.add(SkipReason.MANDATORY_NOT_FOUND, column.label, empty)
            elif plan.operation.creates and empty.any():
                missing_mandatory.append((column.label, empty))
        row_errors.add(SkipReason.INVALID_DATA, column.label, bad)
        fields.append(values.alias(column.name))
        if column.field.has_folded_key and not column.is_lookup:
            fields.append(normalised(values).alias(key_column(column.field)))
        if column.field.accepts_new_values:
            choices[column.name] = distinct(values, column.field)
        if column.is_lookup or column in matched_by:
            keys[column.name] = number_keys(fields[-1])
    if chunk.damaged.any():
        label = plan.header[-1].strip() or str(len(plan.header))
        row_errors.add(SkipReason.INVALID_DATA, label, chunk.damaged)
    return Conformed(
        chunk, pl.DataFrame(fields), keys, row_errors, tuple(missing_mandatory), choices, assumed
    )


def choice_values(chunk: Chunk, column: MappedColumn) -> pl.Series:
    """Return the distinct values of a picklist, as `conform` makes them."""
    return distinct(read_values(_cells(chunk, column).unique(), column.options), column.field)


def key_values(chunk: Chunk, column: MappedColumn) -> pl.Series:
    """Return the keys of a column that is no lookup, as `conform` makes them."""
    values = read_values(_cells(chunk, column), column.options)
    return normalised(values) if column.field.has_folded_key else values


def _cells(chunk: Chunk, column: MappedColumn) -> pl.Series:
    """The cells of a mapping with its default in the empty ones; null without a default.

    A cell of blanks is not empty. The default is filled in before every check, so a mandatory field
    may get its value from it.
    """
    mapping = column.mapping
    if mapping.index is None:
        return repeated(mapping.default, chunk.rows, pl.String)
    cells = chunk.cells[str(mapping.index)]
    return cells.zip_with(cells != "", pl.Series([mapping.default], dtype=pl.String))


def _values(
    cells: pl.Series, column: MappedColumn, plan: Plan, none: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """The values of a mapping, and a mask of the cells that cannot be converted.

    `none` is the mask of no cell.
    """
    field = column.field
    if field.data_type == "layout":
        # A missing or unknown layout is the default one (facts 3.3), and a module has no other.
        layout = pl.Series([plan.module.layout_id], dtype=pl.Int64)
        return layout.new_from_index(0, cells.len()), none
    if field.has_users:
        users = normalised(cells)
        values = users.replace_strict(plan.user_ids, default=None, return_dtype=pl.Int64)
    elif column.mapping.parent_column_index is not None or (
        column.lookup_field is not None and column.lookup_field.has_folded_key
    ):
        values = normalised(cells)
    else:
        values = read_values(cells, column.options)
    if all_read(values, cells):
        return values, none
    return values, values.is_null() & cells.is_not_null()


def _has_invalid_text(cells: pl.Series) -> pl.Series:
    """A mask of cells with a byte that is no character, or with NUL, which PostgreSQL rejects."""
    nul = cells.str.contains("\x00", literal=True)
    return nul | cells.str.contains(BAD_BYTE, literal=True)


def _required_key(plan: Plan) -> MappedColumn | None:
    """The find_by column if its cells must not be empty.

    They may be empty in a job that does not update. In an upsert by id, a row without an id creates
    a record.
    """
    find_by = plan.find_by
    if find_by is None or not plan.operation.updates:
        return None
    return None if find_by.name == "id" and plan.operation.creates else find_by
