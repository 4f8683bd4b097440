"""Step 3 of 4, match: decides which rows create a record, which update one, which are duplicates.

In:   conformed rows and the keys in the store (queried inside the chunk's transaction).
Out:  for every row its outcome and the record that it means; row errors for the skipped rows.

Rows take effect in file order: a second row with the same key sees what the first one did. As long
as rows depend on each other by one key field only, all rows of a chunk are matched at once. If rows
have duplicates in several unique fields, the outcome depends on each row before, and
`sequential.py` matches them row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from bulkwright.domain.job import Operation
from bulkwright.domain.outcome import Outcome, SkipReason
from bulkwright.pipeline.cells import repeated
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.keys import Keys, number_keys
from bulkwright.pipeline.lookups import find_ids, resolve_lookups
from bulkwright.pipeline.plan import MappedColumn, Plan
from bulkwright.pipeline.sequential import MatchRules, RowKeys, match_row_by_row
from bulkwright.ports import ParentRecords, RecordSink


@dataclass(frozen=True, slots=True)
class Matched:
    """One chunk after step 3. Rows keep their order."""

    conformed: Conformed
    fields: pl.DataFrame
    """The typed columns; lookups hold record ids now."""
    outcome: pl.Series
    """ADDED, UPDATED or SKIPPED."""
    record: pl.Series
    """Id of the record that existed before and that the row updates; null otherwise."""
    creator: pl.Series
    """Index of the row whose new record this row adds or updates; null otherwise."""
    exchanges_keys: bool
    """Whether records may exchange unique values, so that the order of the writes matters."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What is known of the rows of a chunk before their outcomes are decided."""

    conformed: Conformed
    fields: pl.DataFrame
    rows: pl.DataFrame
    """`row`: its index. `key`: the number of its find_by key. `record`: the id of the record that
    holds this key. `incomplete`: whether it cannot create a record. `valid`: whether it has no
    error."""
    label: str
    """The label of the column by which rows find their records; empty if there is none."""
    by_id: bool
    """Whether rows find their records by an id that the service assigns."""

    def with_rows(self, *columns: pl.Expr | pl.Series) -> _Candidates:
        return replace(self, rows=self.rows.with_columns(*columns))

    def mask(self, condition: pl.Expr) -> pl.Series:
        return self.rows.select(condition).to_series().fill_null(value=False)


def match(conformed: Conformed, plan: Plan, sink: RecordSink, parents: ParentRecords) -> Matched:
    """Decide the outcome of every row of a chunk."""
    row_errors = conformed.row_errors
    fields = resolve_lookups(conformed, plan, sink, parents)
    keys = {c.name: _keys(conformed, fields, c, plan, sink) for c in plan.matched_by}
    find_by = plan.find_by
    if find_by is not None:
        key = keys[find_by.name].number
        records, ambiguous = _find_records(keys[find_by.name], plan, find_by, sink)
        row_errors.add(SkipReason.CANNOT_PROCESS, find_by.label, ambiguous)
    else:
        key = repeated(None, fields.height, pl.UInt32)
        records = repeated(None, fields.height, pl.Int64)
    rows = pl.DataFrame(
        [
            pl.int_range(fields.height, eager=True).alias("row"),
            key.alias("key"),
            records.alias("record"),
            conformed.incomplete().alias("incomplete"),
            (~row_errors.bad()).alias("valid"),
        ]
    )

    holders = {c.name: _find_records(keys[c.name], plan, c, sink)[0] for c in plan.unique}
    if find_by is None and len(holders) == 1:
        # An insert by one unique field: the field decides, just as find_by would.
        (unique,) = plan.unique
        rows = rows.with_columns(keys[unique.name].number.alias("key"), holders[unique.name])
        candidates = _Candidates(conformed, fields, rows, unique.label, by_id=False)
        return _match_at_once(candidates, plan)
    label, by_id = ("", False) if find_by is None else (find_by.label, find_by.name == "id")
    candidates = _Candidates(conformed, fields, rows, label, by_id)
    if any(_has_duplicates(rows, keys[name], records) for name, records in holders.items()):
        return _match_row_by_row(candidates, plan, sink, keys, holders)
    return _match_at_once(candidates, plan)


def _match_at_once(candidates: _Candidates, plan: Plan) -> Matched:
    found, valid = pl.col("record").is_not_null(), pl.col("valid")
    candidates = _reject_by_key(candidates, plan.operation)
    if candidates.by_id:
        candidates = candidates.with_rows(pl.lit(None).alias("key"))
    candidates = _find_creators(candidates)
    _reject_incomplete(candidates)
    if plan.operation is Operation.INSERT:
        again = pl.col("creator") != pl.col("row")
        candidates.conformed.row_errors.add(
            SkipReason.DUPLICATE_DATA, candidates.label, candidates.mask(again)
        )
        candidates = candidates.with_rows(pl.when(~again).then(pl.col("creator")).alias("creator"))
    outcome = (
        pl.when(pl.col("creator") == pl.col("row"))
        .then(pl.lit(Outcome.ADDED.value))
        .when(valid & (pl.col("creator").is_not_null() | found))
        .then(pl.lit(Outcome.UPDATED.value))
        .otherwise(pl.lit(Outcome.SKIPPED.value))
    )
    record = pl.when(valid).then(pl.col("record"))
    decided = candidates.rows.select(outcome.alias("outcome"), record.alias("record"), "creator")
    return Matched(
        candidates.conformed,
        candidates.fields,
        decided["outcome"],
        decided["record"],
        decided["creator"],
        exchanges_keys=False,
    )


def _reject_by_key(candidates: _Candidates, operation: Operation) -> _Candidates:
    """Mark rows as invalid whose key must mean a record and does not, or the other way round."""
    row_errors, label = candidates.conformed.row_errors, candidates.label
    found, valid = pl.col("record").is_not_null(), pl.col("valid")
    if operation.updates and (candidates.by_id or not operation.creates):
        # The service assigns ids: a row cannot create the record of an unknown id.
        unknown = valid & ~found & pl.col("key").is_not_null()
        row_errors.add(SkipReason.RESOURCE_NOT_FOUND, label, candidates.mask(unknown))
        candidates = candidates.with_rows((valid & ~unknown).alias("valid"))
    if operation is Operation.INSERT:
        row_errors.add(SkipReason.DUPLICATE_DATA, label, candidates.mask(valid & found))
        candidates = candidates.with_rows((valid & ~found).alias("valid"))
    return candidates


def _find_creators(candidates: _Candidates) -> _Candidates:
    """Add the column `creator`: of each key, the first row that can create its record."""
    valid = pl.col("valid")
    can_create = valid & pl.col("record").is_null() & ~pl.col("incomplete")
    rows = candidates.rows.with_columns(
        can_create.alias("can_create"),
        pl.when(can_create & pl.col("key").is_null()).then(pl.col("row")).alias("creator"),
    )
    first = rows.filter(pl.col("can_create") & pl.col("key").is_not_null()).unique(
        "key", keep="first"
    )
    if first.height:
        creators = first.select("key", pl.col("row").alias("first"))
        rows = rows.join(creators, on="key", how="left", maintain_order="left")
        created_before = valid & (pl.col("first") <= pl.col("row"))
        rows = rows.with_columns(
            pl.when(created_before)
            .then(pl.col("first"))
            .otherwise(pl.col("creator"))
            .alias("creator")
        )
    return replace(candidates, rows=rows)


def _reject_incomplete(candidates: _Candidates) -> None:
    """Mark rows as invalid that would have to create a record, but lack a mandatory field."""
    conformed = candidates.conformed
    if conformed.missing_mandatory:
        has_record = pl.col("record").is_not_null() | pl.col("creator").is_not_null()
        rejected = candidates.mask(pl.col("valid") & pl.col("incomplete") & ~has_record)
        for label, empty in conformed.missing_mandatory:
            conformed.row_errors.add(SkipReason.MANDATORY_NOT_FOUND, label, empty & rejected)


def _match_row_by_row(
    candidates: _Candidates,
    plan: Plan,
    sink: RecordSink,
    keys: dict[str, Keys],
    holders: dict[str, pl.Series],
) -> Matched:
    conformed, rows = candidates.conformed, candidates.rows
    texts = {c.name: keys[c.name].per_row(keys[c.name].distinct).to_list() for c in plan.unique}
    holder_of = {
        (name, key): record
        for name in texts
        for key, record in zip(texts[name], holders[name], strict=True)
        if record is not None
    }
    rules = MatchRules(
        plan.operation,
        by_id=candidates.by_id,
        keep_empty=plan.keep_empty,
        find_label=candidates.label,
        labels={c.name: c.label for c in plan.unique},
    )
    row_keys = [
        RowKeys(valid, key, record, incomplete, {name: texts[name][i] for name in texts})
        for i, (valid, key, record, incomplete) in enumerate(
            rows.select("valid", "key", "record", "incomplete").iter_rows()
        )
    ]
    stored = _stored_keys(rows, plan, sink, keys)
    decisions = match_row_by_row(row_keys, rules, holder_of, stored)
    for reason, label, mask in decisions.errors(len(row_keys)):
        conformed.row_errors.add(reason, label, pl.Series(mask))
    rejected = pl.Series(decisions.incomplete)
    for label, empty in conformed.missing_mandatory:
        conformed.row_errors.add(SkipReason.MANDATORY_NOT_FOUND, label, empty & rejected)
    return Matched(
        conformed,
        candidates.fields,
        pl.Series([o.value for o in decisions.outcome]),
        pl.Series(decisions.record, dtype=pl.Int64),
        pl.Series(decisions.creator, dtype=pl.Int64),
        exchanges_keys=True,
    )


def _stored_keys(
    rows: pl.DataFrame, plan: Plan, sink: RecordSink, keys: dict[str, Keys]
) -> dict[int, dict[str, str | int | None]]:
    """The unique keys of the records that the rows may update, by record id."""
    records = rows["record"].drop_nulls().unique()
    if records.is_empty():
        return {}
    stored = sink.keys_of(plan.module, records, [c.field for c in plan.unique])
    for column in plan.unique:
        of_rows = keys[column.name].distinct
        held = stored[column.name].drop_nulls().unique(maintain_order=True)
        known = pl.concat([of_rows, held.filter(~held.is_in(of_rows.implode())).alias("key")])
        same = sink.same_keys(plan.module, column.field, known)
        if same is not None:
            # A key that equals one of the rows is called by the row's text.
            stored = stored.with_columns(
                stored[column.name].replace(known, known.gather(same)).alias(column.name)
            )
    return {record["id"]: record for record in stored.iter_rows(named=True)}


def _keys(
    conformed: Conformed, fields: pl.DataFrame, column: MappedColumn, plan: Plan, sink: RecordSink
) -> Keys:
    if column.is_lookup:
        # Its keys are the ids of its records, which are known only now.
        return number_keys(fields[column.name])
    keys = conformed.keys[column.name]
    return keys.merged(sink.same_keys(plan.module, column.field, keys.distinct))


def _find_records(
    keys: Keys, plan: Plan, column: MappedColumn, sink: RecordSink
) -> tuple[pl.Series, pl.Series]:
    return find_ids(keys, partial(sink.find, plan.module, column.field))


def _has_duplicates(rows: pl.DataFrame, keys: Keys, holders: pl.Series) -> bool:
    """Whether a unique key occurs twice in the chunk, or another record holds it."""
    with_key = rows.select(
        "valid", "record", keys.number.alias("unique"), holders.alias("holder")
    ).filter(pl.col("valid") & pl.col("unique").is_not_null())
    held_by_other = pl.col("holder").is_not_null() & pl.col("holder").ne_missing(pl.col("record"))
    twice = with_key["unique"].is_duplicated().any()
    return bool(twice or with_key.select(held_by_other.any()).item())
