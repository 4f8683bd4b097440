"""The write between steps 3 and 4: matched rows become inserts and updates of records.

In:   rows with their outcome and the record that each means (match.py).
Out:  the same rows' record ids, the store changed inside the chunk's transaction.

Several rows may mean one record. Its final state is written once: the last row wins, or, where
empty cells leave values alone, the last cell with a value of each column.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.conform import key_of
from bulkwright.pipeline.match import Matched
from bulkwright.pipeline.plan import Plan
from bulkwright.ports import RecordSink
from bulkwright.store.tables import key_column


def write(matched: Matched, plan: Plan, sink: RecordSink) -> pl.Series:
    """Write a chunk's records and return the record id of each row, null where it was skipped."""
    added = (matched.outcome == Outcome.ADDED.value).arg_true()
    ids = matched.record
    if added.len():
        first = sink.take_ids(added.len())
        new = pl.DataFrame(
            {
                "creator": added.cast(pl.Int64),
                "new": pl.int_range(first, first + added.len(), eager=True),
            }
        )
        created = matched.creator.cast(pl.Int64).to_frame("creator")
        created = created.join(new, on="creator", how="left", maintain_order="left")
        ids = pl.select(pl.coalesce(ids, created["new"])).to_series()
    effective = matched.outcome != Outcome.SKIPPED.value
    new_rows = matched.creator.is_not_null().alias("new")
    records = pl.DataFrame([*_columns(matched, plan), ids.alias("id"), new_rows])
    if not effective.all():
        records = records.filter(effective)
    records = _last_state(records, plan)
    now = datetime.now(UTC).replace(microsecond=0)
    changed = records.filter(~pl.col("new")).drop("new", *_kept_keys(plan))
    if changed.height:
        if matched.entangled:
            _let_go(changed, plan, sink)
        sink.update(
            plan.module, _stamped(changed, plan, now, new=False), keep_empty=plan.keep_empty
        )
    made = records.filter("new").drop("new")
    if made.height:
        sink.insert(plan.module, _stamped(made, plan, now, new=True))
    return ids.alias("id")


def _kept_keys(plan: Plan) -> list[str]:
    """The key that rows were found by: it is what it was, and its index need not be touched."""
    by = plan.find_by
    return [key_column(by.field)] if by is not None and by.name != "id" else []


def _columns(matched: Matched, plan: Plan) -> list[pl.Series]:
    """The stored columns of the mapped fields, with the keys that records are found by."""
    columns: list[pl.Series] = []
    for column in plan.writes:
        columns.append(matched.fields[column.name])
        if column.field.folded:
            columns.append(key_of(matched.fields, column).alias(key_column(column.field)))
    return columns


def _last_state(records: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    if not records["id"].is_duplicated().any():
        return records
    if not plan.keep_empty:
        return records.unique("id", keep="last", maintain_order=True)
    last = pl.all().drop_nulls().last()
    return records.group_by("id", maintain_order=True).agg(last).select(records.columns)


def _let_go(changed: pl.DataFrame, plan: Plan, sink: RecordSink) -> None:
    """Free the unique values that records are about to exchange, whatever order they come in."""
    for column in plan.unique:
        name = key_column(column.field)
        leaving = changed if not plan.keep_empty else changed.filter(pl.col(name).is_not_null())
        freed = leaving.select("id", pl.lit(None, changed.schema[name]).alias(name))
        sink.update(plan.module, freed, keep_empty=False)


def _stamped(records: pl.DataFrame, plan: Plan, now: datetime, *, new: bool) -> pl.DataFrame:
    """The records with what the service itself says about them: who, when, whose."""
    author = plan.job.created_by.id
    stamps: dict[str, object] = {"Modified_By": author, "Modified_Time": now}
    if new:
        stamps |= {"Created_By": author, "Created_Time": now}
        for name, value in (("Owner", author), ("Layout", plan.module.layout_id)):
            # A mapped owner may be empty: then the record belongs to the job's creator too.
            stamps[name] = pl.col(name).fill_null(value) if name in records.columns else value
    known = {name: v for name, v in stamps.items() if plan.module.field(name) is not None}
    return records.with_columns(
        (value if isinstance(value, pl.Expr) else pl.lit(value)).alias(name)
        for name, value in known.items()
    )
