"""Finds the records that keys mean: the ids of `find_by`, unique fields and lookups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from bulkwright.domain.outcome import SkipReason
from bulkwright.pipeline.cells import repeated
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.keys import Keys
from bulkwright.pipeline.plan import MappedColumn, Plan
from bulkwright.pipeline.row_errors import no_rows
from bulkwright.ports import ParentRecords, RecordSink


def resolve_lookups(
    conformed: Conformed, plan: Plan, sink: RecordSink, parents: ParentRecords
) -> pl.DataFrame:
    """Return the fields with record ids in the lookups.

    A cell that means no record, or several, marks its row as invalid. A lookup into the module of
    the job itself finds the records of earlier chunks only.
    """
    found = [_resolve(conformed, c, plan, sink, parents) for c in plan.columns if c.is_lookup]
    return conformed.fields.with_columns(found) if found else conformed.fields


def _resolve(
    conformed: Conformed,
    column: MappedColumn,
    plan: Plan,
    sink: RecordSink,
    parents: ParentRecords,
) -> pl.Series:
    keys = conformed.keys[column.name]
    parent_column = column.mapping.parent_column_index
    if parent_column is not None:
        ids, ambiguous = find_ids(keys, partial(parents.find, plan.job.id, parent_column))
    else:
        assert column.lookup_module is not None
        field = column.lookup_field or column.lookup_module.field("id")
        assert field is not None
        ids, ambiguous = find_ids(keys, partial(sink.find, column.lookup_module, field))
    conformed.row_errors.add(SkipReason.CANNOT_PROCESS, column.label, ambiguous)
    missing = keys.number.is_not_null() & ids.is_null() & ~ambiguous
    conformed.row_errors.add(SkipReason.INVALID_DATA, column.label, missing)
    return ids.alias(column.name)


def find_ids(keys: Keys, find: Callable[[pl.Series], pl.DataFrame]) -> tuple[pl.Series, pl.Series]:
    """Return, for each row, the id of the only record that holds its key.

    The second series is a mask of the rows whose key several records hold; they have no id.
    """
    rows = keys.number.len()
    found = find(keys.distinct) if keys.distinct.len() else None
    if found is None or found.is_empty():
        return repeated(None, rows, pl.Int64).alias("record"), no_rows(rows)
    if found["at"].n_unique() == found.height:  # no key is held twice, as in most chunks
        ids = repeated(None, keys.distinct.len(), pl.Int64).scatter(found["at"], found["id"])
        return keys.per_row(ids).alias("record"), no_rows(rows)
    found = found.group_by("at").agg(pl.col("id").first(), (pl.len() > 1).alias("ambiguous"))
    all_keys = pl.int_range(keys.distinct.len(), dtype=pl.UInt32, eager=True).to_frame("at")
    by_key = all_keys.join(found, on="at", how="left", maintain_order="left").select(
        pl.when(~pl.col("ambiguous")).then("id").alias("record"),
        pl.col("ambiguous").fill_null(False),
    )
    ambiguous = keys.per_row(by_key["ambiguous"]).fill_null(value=False)
    return keys.per_row(by_key["record"]), ambiguous
