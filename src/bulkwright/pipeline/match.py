"""Step 3 of 4, match: which rows are new, which mean a record that is there, which clash.

In:   conformed rows and the store's keys (asked inside the chunk's transaction).
Out:  for every row its outcome and the record that it means; verdicts for the rest.

Rows take effect in file order: a second row with the same key sees what the first one did. That
is decided for all rows of a chunk at once, as long as only one key field is in play. When rows
clash over several unique fields, the answer depends on each row before, and `replay.py` goes
through them one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl

from bulkwright.domain.job import Operation
from bulkwright.domain.outcome import Outcome, SkipReason
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.keys import Keys, number_keys
from bulkwright.pipeline.plan import Column, Plan
from bulkwright.pipeline.replay import Entry, Rules, replay
from bulkwright.ports import RecordSink


@dataclass(frozen=True, slots=True)
class Matched:
    """One chunk after step 3. Rows keep their order."""

    conformed: Conformed
    fields: pl.DataFrame
    """The typed columns; lookups hold record ids now."""
    outcome: pl.Series
    """ADDED, UPDATED or SKIPPED."""
    record: pl.Series
    """Id of the record that was there before and that the row updates; null otherwise."""
    creator: pl.Series
    """Index of the row whose new record this row adds or updates; null otherwise."""
    entangled: bool
    """Whether rows exchange unique values among records, so that the order of writes matters."""


def match(conformed: Conformed, plan: Plan, sink: RecordSink) -> Matched:
    """Decide the outcome of every row of a chunk."""
    verdicts = conformed.verdicts
    fields = conformed.fields.with_columns(
        [_looked_up(conformed, column, plan, sink) for column in plan.columns if column.finds]
    )
    rows = pl.DataFrame({"row": pl.int_range(fields.height, eager=True)})
    keys = {c.name: _keys(conformed, fields, c) for c in plan.matched_by}
    by = plan.find_by
    if by is not None:
        holders, several = _holders(keys[by.name], plan, by, sink)
        verdicts.add(SkipReason.CANNOT_PROCESS, by.label, several)
        rows = rows.with_columns(keys[by.name].number.alias("key"), holders)
    else:
        rows = rows.with_columns(
            pl.lit(None, pl.UInt32).alias("key"), pl.lit(None, pl.Int64).alias("holder")
        )
    lacks = pl.repeat(value=False, n=fields.height, dtype=pl.Boolean, eager=True)
    for _, empty in conformed.lacking:
        lacks = lacks | empty
    rows = rows.with_columns(lacks.alias("lacks"), (~verdicts.bad()).alias("sound"))

    held = {c.name: _holders(keys[c.name], plan, c, sink)[0] for c in plan.unique}
    if len(held) == 1 and by is None and plan.operation is Operation.INSERT:
        # One unique field and no find_by: the unique field decides, just as find_by would.
        (by,) = plan.unique
        rows = rows.with_columns(keys[by.name].number.alias("key"), held[by.name])
    elif any(_clash(rows, keys[name], holders) for name, holders in held.items()):
        return _replayed(conformed, fields, rows, keys, held, plan, sink)
    return _decided(conformed, fields, rows, plan, by)


def _decided(
    conformed: Conformed, fields: pl.DataFrame, rows: pl.DataFrame, plan: Plan, by: Column | None
) -> Matched:
    verdicts, operation = conformed.verdicts, plan.operation
    label = by.label if by is not None else "id"
    known, sound = pl.col("holder").is_not_null(), pl.col("sound")
    if operation is Operation.UPDATE or (by is not None and by.name == "id"):
        # A record's id is given by the service: a row that names an unknown one means nothing.
        lost = sound & ~known & (pl.col("key").is_not_null() if operation.updates else False)
        verdicts.add(SkipReason.RESOURCE_NOT_FOUND, label, _mask(rows, lost))
        rows = rows.with_columns((sound & ~lost).alias("sound"))
    if by is not None and by.name == "id":
        rows = rows.with_columns(pl.lit(None, pl.UInt32).alias("key"))
    if operation is Operation.INSERT:
        verdicts.add(SkipReason.DUPLICATE_DATA, label, _mask(rows, sound & known))
        rows = rows.with_columns((sound & ~known).alias("sound"))
    # Rows that may make a record, and for each key the first of them that does.
    able = pl.col("sound") & ~known & ~pl.col("lacks")
    rows = rows.with_columns(able.alias("able"))
    rows = rows.with_columns(
        pl.when(pl.col("able") & pl.col("key").is_null()).then(pl.col("row")).alias("creator")
    )
    first = rows.filter(pl.col("able") & pl.col("key").is_not_null()).unique(
        "key", keep="first", maintain_order=True
    )
    if first.height:
        made = first.select("key", pl.col("row").alias("first"))
        rows = rows.join(made, on="key", how="left", maintain_order="left")
        seen = pl.col("sound") & (pl.col("first") <= pl.col("row"))
        rows = rows.with_columns(
            pl.when(seen).then(pl.col("first")).otherwise(pl.col("creator")).alias("creator")
        )
    _blame_lacking(conformed, rows)
    if operation is Operation.INSERT:
        again = (
            pl.col("sound") & pl.col("creator").is_not_null() & (pl.col("creator") != pl.col("row"))
        )
        verdicts.add(SkipReason.DUPLICATE_DATA, label, _mask(rows, again))
        rows = rows.with_columns(pl.when(~again).then(pl.col("creator")).alias("creator"))
    outcome = (
        pl.when(pl.col("creator") == pl.col("row"))
        .then(pl.lit(Outcome.ADDED.value))
        .when(pl.col("sound") & (pl.col("creator").is_not_null() | known))
        .then(pl.lit(Outcome.UPDATED.value))
        .otherwise(pl.lit(Outcome.SKIPPED.value))
    )
    return Matched(
        conformed,
        fields,
        rows.select(outcome).to_series(),
        rows.select(pl.when(sound).then(pl.col("holder"))).to_series(),
        rows["creator"],
        entangled=False,
    )


def _blame_lacking(conformed: Conformed, rows: pl.DataFrame) -> None:
    """A row that would have to make a record but lacks what a record needs is skipped for it."""
    if conformed.lacking:
        lost = _mask(
            rows,
            pl.col("sound")
            & pl.col("lacks")
            & pl.col("holder").is_null()
            & pl.col("creator").is_null(),
        )
        for label, empty in conformed.lacking:
            conformed.verdicts.add(SkipReason.MANDATORY_NOT_FOUND, label, empty & lost)


def _replayed(
    conformed: Conformed,
    fields: pl.DataFrame,
    rows: pl.DataFrame,
    keys: dict[str, Keys],
    holders: dict[str, pl.Series],
    plan: Plan,
    sink: RecordSink,
) -> Matched:
    unique = plan.unique
    texts = {c.name: keys[c.name].per_row(keys[c.name].distinct).to_list() for c in unique}
    known = {
        (name, key): holder
        for name in texts
        for key, holder in zip(texts[name], holders[name], strict=True)
        if key is not None and holder is not None
    }
    targets = rows["holder"].drop_nulls().unique().alias("id")
    held = {}
    if not targets.is_empty():
        found = sink.keys_of(plan.module, targets, [c.field for c in unique])
        held = {record["id"]: record for record in found.iter_rows(named=True)}
    by = plan.find_by
    rules = Rules(
        plan.operation,
        by_id=by is not None and by.name == "id",
        keep_empty=plan.keep_empty,
        find_label=by.label if by is not None else "id",
        labels={c.name: c.label for c in unique},
    )
    entries = [
        Entry(sound, key, holder, lacks, {name: texts[name][i] for name in texts})
        for i, (sound, key, holder, lacks) in enumerate(
            rows.select("sound", "key", "holder", "lacks").iter_rows()
        )
    ]
    answers = replay(entries, rules, known, held)
    for reason, label, mask in answers.blamed(len(entries)):
        conformed.verdicts.add(reason, label, pl.Series(mask, dtype=pl.Boolean))
    lost = pl.Series(answers.lacking, dtype=pl.Boolean)
    for label, empty in conformed.lacking:
        conformed.verdicts.add(SkipReason.MANDATORY_NOT_FOUND, label, empty & lost)
    return Matched(
        conformed,
        fields,
        pl.Series([o.value for o in answers.outcome], dtype=pl.String),
        pl.Series(answers.record, dtype=pl.Int64),
        pl.Series(answers.creator, dtype=pl.Int64),
        entangled=True,
    )


def _looked_up(conformed: Conformed, column: Column, plan: Plan, sink: RecordSink) -> pl.Series:
    """The record ids that a lookup's cells mean; speaks against cells that mean none, or several.

    A lookup into the very module of the job sees the records of earlier chunks only.
    """
    keys = conformed.keys[column.name]
    parent = column.mapping.parent_column_index
    if parent is not None:
        ids, several = _ids_of(keys, partial(sink.find_parents, plan.job.id, parent))
    else:
        assert column.target is not None
        field = column.target_field or column.target.field("id")
        assert field is not None
        ids, several = _ids_of(keys, partial(sink.find, column.target, field))
    conformed.verdicts.add(SkipReason.CANNOT_PROCESS, column.label, several)
    missing = keys.number.is_not_null() & ids.is_null() & ~several
    conformed.verdicts.add(SkipReason.INVALID_DATA, column.label, missing)
    return ids.alias(column.name)


def _keys(conformed: Conformed, fields: pl.DataFrame, column: Column) -> Keys:
    # What a lookup's cells mean is known by now: its keys are the records' ids.
    return number_keys(fields[column.name]) if column.finds else conformed.keys[column.name]


def _holders(
    keys: Keys, plan: Plan, column: Column, sink: RecordSink
) -> tuple[pl.Series, pl.Series]:
    return _ids_of(keys, partial(sink.find, plan.module, column.field))


def _ids_of(keys: Keys, find: Callable[[pl.Series], pl.DataFrame]) -> tuple[pl.Series, pl.Series]:
    """The id of the one record that holds each row's key, and a mask of keys that several hold."""
    found = find(keys.distinct) if keys.distinct.len() else None
    if found is None or found.is_empty():
        rows = keys.number.len()
        none = pl.repeat(None, n=rows, dtype=pl.Int64, eager=True).alias("holder")
        return none, pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)
    held = found.group_by("at").agg(pl.col("id").first(), (pl.len() > 1).alias("several"))
    every = pl.int_range(keys.distinct.len(), dtype=pl.UInt32, eager=True).to_frame("at")
    held = every.join(held, on="at", how="left", maintain_order="left").select(
        pl.when(~pl.col("several")).then("id").alias("holder"), pl.col("several").fill_null(False)
    )
    return keys.per_row(held["holder"]), keys.per_row(held["several"]).fill_null(value=False)


def _clash(rows: pl.DataFrame, keys: Keys, holders: pl.Series) -> bool:
    """Whether a unique field is contested: twice in the chunk, or held by another record."""
    contested = rows.select(
        "sound", "holder", keys.number.alias("unique"), holders.alias("other")
    ).filter(pl.col("sound") & pl.col("unique").is_not_null())
    taken = (pl.col("other") != pl.col("holder")) | (
        pl.col("other").is_not_null() & pl.col("holder").is_null()
    )
    return bool(contested["unique"].is_duplicated().any() or contested.select(taken.any()).item())


def _mask(rows: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    return rows.select(condition).to_series().fill_null(value=False)
