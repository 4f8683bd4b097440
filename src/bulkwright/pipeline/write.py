"""The write, after step 3: matched rows become inserts and updates of records.

In:   rows with their outcome and the record that each means (match.py).
Out:  the record ids of the same rows; the records written inside the chunk's transaction.

Several rows may mean one record. Its final state is written once: the last row wins or, where empty
cells leave values as they are, the last cell with a value of each column.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from bulkwright.domain.module import Authorship
from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.match import Matched
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.unchanged import compared_columns
from bulkwright.ports import RecordSink
from bulkwright.store.tables import key_column

NO_IDS = pl.Series("id", [], pl.Int64)


_NO_STAMPS = Authorship({}, {}, {})
"""In an existing table the service writes nothing beside the mapped columns."""


class SomeUnchanged(Exception):
    """Records were written as if each of them changed, and some did not: roll the chunk back."""


def take_ids(
    matched: Matched, plan: Plan, sink: RecordSink, taken: pl.Series = NO_IDS
) -> tuple[pl.Series, pl.Series]:
    """Return the ids taken for a chunk, and the record id of each row, null where it was skipped.

    Ids that were `taken` for the chunk before are used first. Where the ids of the file are kept,
    only rows without one get a new id. If an existing table has no more ids, the last rows have
    none.
    """
    added = (matched.outcome == Outcome.ADDED.value).arg_true()
    ids = matched.record
    kept = matched.fields["id"].gather(added) if plan.keeps_ids else NO_IDS
    # A new id may be one that the file gives to another row.
    needed = added.len() if kept.null_count() or not kept.len() else 0
    if needed > taken.len():
        fresh = sink.take_ids(plan.module, needed - taken.len())
        taken = pl.concat([taken, fresh.alias("id")])
    if added.len():
        given = _given_ids(kept, taken) if plan.keeps_ids else taken.head(added.len())
        given = given.extend_constant(None, added.len() - given.len())
        new = pl.DataFrame({"creator": added.cast(pl.Int64), "new": given})
        created = matched.creator.cast(pl.Int64).to_frame("creator")
        created = created.join(new, on="creator", how="left", maintain_order="left")
        ids = pl.select(pl.coalesce(ids, created["new"])).to_series()
    return taken, ids.alias("id")


def _given_ids(kept: pl.Series, taken: pl.Series) -> pl.Series:
    """Return the kept ids, with taken ones in the gaps; no id occurs twice."""
    gaps = kept.is_null()
    if not gaps.any():
        return kept
    free = taken.filter(~taken.is_in(kept.drop_nulls().implode())).head(int(gaps.sum()))
    filled = pl.DataFrame({"at": gaps.arg_true().head(free.len()), "new": free})
    rows = pl.int_range(kept.len(), dtype=pl.UInt32, eager=True).alias("at").to_frame()
    new = rows.join(filled, on="at", how="left", maintain_order="left")["new"]
    return pl.select(pl.coalesce(kept, new)).to_series()


def row_records(matched: Matched, ids: pl.Series, plan: Plan) -> pl.DataFrame:
    """Return what the rows write: their stored columns, `id`, and whether the record is `$new`.

    Skipped rows are left out.
    """
    stored = matched.outcome != Outcome.SKIPPED.value
    new_rows = matched.creator.is_not_null().alias("$new")
    records = pl.DataFrame([*_columns(matched, plan), ids, new_rows])
    return _where(records, stored)


def write_records(
    records: pl.DataFrame,
    plan: Plan,
    sink: RecordSink,
    *,
    exchanges_keys: bool,
    additions: Authorship = _NO_STAMPS,
    keep_images: Callable[[pl.Series], None] | None = None,
    all_change: bool = False,
) -> None:
    """Write what rows write (`row_records`): the final state of each record, once.

    `keep_images` is called with the ids of records before they change. With `all_change`, raises
    SomeUnchanged if a record holds its values already; then the transaction must be rolled back.
    """
    records = _final_states(records, plan)
    new = records["$new"]
    changed = _where(records, ~new).drop("$new", *_unchanged_key(plan))
    if changed.height:
        if keep_images is not None:
            keep_images(changed["id"])
        if exchanges_keys and changed.height > 1:
            _clear_unique_values(changed, plan, sink)
        if all_change:
            stamps, compared = additions.on_update, compared_columns(plan)
            written = sink.update_differing(
                plan.module, changed, stamps, compared, keep_empty=plan.keep_empty
            )
            if written < changed.height:
                raise SomeUnchanged
        elif changed.width > 1 or additions.on_update:
            sink.update(plan.module, changed, additions.on_update, keep_empty=plan.keep_empty)
    created = _where(records, new).drop("$new")
    if created.height:
        for name, value in additions.defaults.items():
            if name in created.columns:
                created = created.with_columns(pl.col(name).fill_null(value))
        sink.insert(plan.module, created, additions.on_insert)


def changed_columns(records: pl.DataFrame, plan: Plan) -> list[str]:
    """Return the columns that a row changes if its record exists."""
    return [c for c in records.columns if c != "id" and c not in _unchanged_key(plan)]


def image_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns that the rows of a plan change in records that exist; none for inserts.

    Beside them such a row changes WRITER (store/tables.py).
    """
    if not plan.operation.updates:
        return ()
    given = [column.name for column in plan.columns]
    written = (n for c in plan.written for n in (c.name, key_column(c.field)))
    stamps = plan.module.authorship(0, datetime.min, given).on_update
    unchanged = _unchanged_key(plan)
    return tuple(n for n in dict.fromkeys((*written, *stamps)) if n not in unchanged)


def _where(records: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The records where the mask is true; copied only if it is false for some."""
    return records if mask.all() else records.filter(mask)


def _unchanged_key(plan: Plan) -> list[str]:
    """The column of the key that rows were found by: its value is equal, so it stays."""
    find_by = plan.find_by
    return [key_column(find_by.field)] if find_by is not None and find_by.name != "id" else []


def _columns(matched: Matched, plan: Plan) -> list[pl.Series]:
    """The stored columns of the mapped fields, with the keys that records are found by."""
    names = (n for c in plan.written for n in dict.fromkeys((c.name, key_column(c.field))))
    return [matched.fields[name] for name in names]


def _final_states(records: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    if not records["id"].is_duplicated().any():
        return records
    kept = [] if plan.module.table_kind.keys_are_folded else _unchanged_key(plan)
    if kept:
        # A later row has an equal key, which may be another text in an existing table.
        records = records.with_columns(pl.col(kept).first().over("id"))
    if not plan.keep_empty:
        return records.unique("id", keep="last", maintain_order=True)
    last = pl.all().drop_nulls().last()
    return records.group_by("id", maintain_order=True).agg(last).select(records.columns)


def _clear_unique_values(changed: pl.DataFrame, plan: Plan, sink: RecordSink) -> None:
    """Set unique values to null before records exchange them, so that no order of writes fails."""
    for column in plan.unique:
        if not column.nullable:
            continue  # the database rejects the rows, then they are tried one by one (targets)
        name = key_column(column.field)
        leaving = changed if not plan.keep_empty else changed.filter(pl.col(name).is_not_null())
        cleared = leaving.select("id", pl.lit(None, changed.schema[name]).alias(name))
        sink.update(plan.module, cleared, {}, keep_empty=False)
