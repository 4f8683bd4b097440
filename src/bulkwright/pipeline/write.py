"""The write between steps 3 and 4: matched rows become inserts and updates of records.

In:   rows with their outcome and the record that each means (match.py).
Out:  the same rows' record ids; the store changed inside the chunk's transaction.

Several rows may mean one record. Its final state is written once: the last row wins, or, where
empty cells leave values alone, the last cell with a value of each column.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from bulkwright.domain.module import Stamps
from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.match import Matched
from bulkwright.pipeline.plan import Plan
from bulkwright.ports import RecordSink
from bulkwright.store.tables import key_column

NO_IDS = pl.Series("id", [], pl.Int64)


def take_ids(
    matched: Matched, plan: Plan, sink: RecordSink, taken: pl.Series = NO_IDS
) -> tuple[pl.Series, pl.Series]:
    """The ids taken for a chunk, and the record id of each of its rows, null where it was skipped.

    Those that were `taken` for it before are used first.
    """
    added = (matched.outcome == Outcome.ADDED.value).arg_true()
    ids = matched.record
    if added.len() > taken.len():
        fresh = sink.take_ids(plan.module, added.len() - taken.len())
        taken = pl.concat([taken, fresh.alias("id")])
    if added.len():
        new = pl.DataFrame(
            {"creator": added.cast(pl.Int64), "new": taken.head(added.len())},
        )
        created = matched.creator.cast(pl.Int64).to_frame("creator")
        created = created.join(new, on="creator", how="left", maintain_order="left")
        ids = pl.select(pl.coalesce(ids, created["new"])).to_series()
    return taken, ids.alias("id")


def records_of(matched: Matched, ids: pl.Series, plan: Plan) -> pl.DataFrame:
    """What the rows of a chunk write: their stored columns, `id`, and whether the record is `$new`.

    Rows that were skipped are left out.
    """
    effective = matched.outcome != Outcome.SKIPPED.value
    new_rows = matched.creator.is_not_null().alias("$new")
    records = pl.DataFrame([*_columns(matched, plan), ids, new_rows])
    return _where(records, effective)


def store(records: pl.DataFrame, plan: Plan, sink: RecordSink, *, entangled: bool) -> None:
    """Write what rows write (`records_of`): the last state of each record, once."""
    records = _last_state(records, plan)
    new = records["$new"]
    changed = _where(records, ~new).drop("$new", *_kept_keys(plan))
    if changed.height:
        if entangled and changed.height > 1:
            _let_go(changed, plan, sink)
        stamps = _stamps(plan, new=False)
        if changed.width > 1 or stamps:
            sink.update(plan.module, changed, stamps, keep_empty=plan.keep_empty)
    made = _where(records, new).drop("$new")
    if made.height:
        sink.insert(plan.module, _whose(made, plan), _stamps(plan, new=True))


def _where(records: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The records where the mask is true; copied only where it is false for some."""
    return records if mask.all() else records.filter(mask)


def changed_columns(records: pl.DataFrame, plan: Plan) -> list[str]:
    """The columns that a row changes of a record that is there."""
    return [c for c in records.columns if c != "id" and c not in _kept_keys(plan)]


def _kept_keys(plan: Plan) -> list[str]:
    """The key that rows were found by: it is what it was, and its index need not be touched."""
    by = plan.find_by
    return [key_column(by.field)] if by is not None and by.name != "id" else []


def _columns(matched: Matched, plan: Plan) -> list[pl.Series]:
    """The stored columns of the mapped fields, with the keys that records are found by."""
    names = (n for c in plan.writes for n in dict.fromkeys((c.name, key_column(c.field))))
    return [matched.fields[name] for name in names]


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
        if column.field.column is not None and not column.field.column.nullable:
            continue  # refused, then tried row by row (refusals.py)
        name = key_column(column.field)
        leaving = changed if not plan.keep_empty else changed.filter(pl.col(name).is_not_null())
        freed = leaving.select("id", pl.lit(None, changed.schema[name]).alias(name))
        sink.update(plan.module, freed, {}, keep_empty=False)


def _whose(records: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """New records with an owner: a mapped one may be empty, then it is the job's creator too."""
    for name, value in _defaults(plan).items():
        if name in records.columns:
            records = records.with_columns(pl.col(name).fill_null(value))
    return records


def _defaults(plan: Plan) -> dict[str, int]:
    if plan.module.table is not None:
        return {}
    return {"Owner": plan.job.created_by.id, "Layout": plan.module.layout_id}


def _stamps(plan: Plan, *, new: bool) -> Stamps:
    """What the service itself says about the records: who, when, whose.

    Of a table of the user's own it says nothing: there the table's defaults speak.
    """
    if plan.module.table is not None:
        return {}
    author, now = plan.job.created_by.id, datetime.now(UTC)
    stamps: dict[str, int | datetime] = {"Modified_By": author, "Modified_Time": now}
    if new:
        stamps |= {"Created_By": author, "Created_Time": now, **_defaults(plan)}
    return {
        name: stamp
        for name, stamp in stamps.items()
        if plan.module.field(name) is not None and plan.column(name) is None
    }
