"""Steps 3 and 4 for tables of the user's own: whose rules are the database's, and found by trying.

In:   conformed rows of a module over a table that was there before it.
Out:  the same as match.py and write.py, all of it written; what the database refused is SKIPPED.

CHECKs, foreign keys, triggers: nobody here knows them before they speak, and a statement that they
refuse is refused whole. Then the chunk is tried in blocks, each behind a savepoint, and those that
are refused row by row: the work grows with the rows, not with how many of them are bad. The rows
that are to blame are held unsound, and the chunk is matched again as if they had never been sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import polars as pl

from bulkwright.domain.outcome import Outcome, SkipReason
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.match import Matched, match
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.write import NO_IDS, changed_columns, records_of, store, take_ids
from bulkwright.ports import RecordSink, Refused


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A row that the database does not take, and why."""

    row: int
    reason: SkipReason
    labels: tuple[str, ...]


_BLOCK_ROWS = 256
"""Rows that are tried at once: so few, that those of a block with a bad one are soon written."""

_RULE_CHARS = 100
"""Of a rule without mapped columns, which may be a trigger's whole message."""


class _TakenBack(Exception):
    """Ends the savepoint in which rows were tried."""


def write_what_is_taken(
    ready: Conformed, plan: Plan, sink: RecordSink
) -> tuple[Matched, pl.Series]:
    """Match and write a chunk but for the rows that the database refuses; with its record ids."""
    refusals: list[_Refusal] = []
    taken = NO_IDS
    fresh = False
    while True:
        matched = match(_without(ready, refusals), plan, sink)
        taken, ids = take_ids(matched, plan, sink, taken)
        try:
            with sink.attempt(plan.module):
                store(records_of(matched, ids, plan), plan, sink, entangled=matched.entangled)
        except Refused as refused:
            if refused.reason is SkipReason.DUPLICATE_DATA and not fresh:
                fresh = True  # somebody else may have written meanwhile: now it would be found
                continue
            found = _refused_rows(matched, ids, plan, sink)
            if found:
                refusals += found
                continue
        return matched, ids


def _without(ready: Conformed, refusals: list[_Refusal]) -> Conformed:
    """The chunk as it was before it was matched, with the refused rows held unsound."""
    verdicts = ready.verdicts.copy()
    rows: dict[tuple[SkipReason, str], set[int]] = {}
    for refusal in refusals:
        for label in refusal.labels:
            rows.setdefault((refusal.reason, label), set()).add(refusal.row)
    for (reason, label), at in rows.items():
        mask = pl.Series([row in at for row in range(ready.chunk.rows)], dtype=pl.Boolean)
        verdicts.add(reason, label, mask)
    return replace(ready, verdicts=verdicts)


def _refused_rows(matched: Matched, ids: pl.Series, plan: Plan, sink: RecordSink) -> list[_Refusal]:
    """The rows that the database refuses when those before them have taken effect.

    All is taken back again, unless nothing is refused in smaller pieces: then all is written.
    """
    lacks = pl.repeat(value=False, n=matched.outcome.len(), dtype=pl.Boolean, eager=True)
    for _, empty in matched.conformed.lacking:
        lacks = lacks | empty
    rows = pl.DataFrame({"$row": pl.int_range(lacks.len(), eager=True), "$lacks": lacks})
    stored = matched.outcome != Outcome.SKIPPED.value
    records = records_of(matched, ids, plan).hstack(rows.filter(stored))
    found: list[_Refusal] = []
    made: set[int] = set()
    with suppress(_TakenBack), sink.attempt(plan.module):
        for block in records.iter_slices(_BLOCK_ROWS):
            there = pl.Series([record in made for record in block["id"]], dtype=pl.Boolean)
            found += _try(
                block.with_columns((block["$new"] & ~there).alias("$new")),
                matched,
                plan,
                sink,
                made,
            )
        if found:
            raise _TakenBack
    return found


def _try(
    block: pl.DataFrame, matched: Matched, plan: Plan, sink: RecordSink, made: set[int]
) -> Iterator[_Refusal]:
    """Write a block of rows, or each by itself; `made` are the new records that are there by now.

    A row whose record was to be made by a refused one, and that cannot make it, is no refusal: the
    next match says what it is.
    """
    records = block.drop("$row", "$lacks")
    refused: list[int] = []
    try:
        # The row that makes a record never lacks anything; here it was refused before.
        if (block["$new"] & block["$lacks"] & block["id"].is_first_distinct()).any():
            raise Refused(SkipReason.INVALID_DATA, (), plan.module.api_name)
        with sink.attempt(plan.module):
            store(records, plan, sink, entangled=matched.entangled)
    except Refused:
        each = records.with_columns(block["$lacks"])
        changed = changed_columns(records.drop("$new"), plan)
        for at, why in sink.write_each(plan.module, each, changed, keep_empty=plan.keep_empty):
            refused.append(at)
            yield _Refusal(block["$row"][at], why.reason, _labels(why, plan))
    written = pl.int_range(block.height, eager=True).is_in(refused).not_()
    made.update(block.filter(written & block["$new"] & ~block["$lacks"])["id"])


def _labels(refused: Refused, plan: Plan) -> tuple[str, ...]:
    """The mapped columns that the refusal names, or the rule's own name."""
    named = (c for c in plan.columns if c.field.column and c.field.column.name in refused.columns)
    return tuple(c.label for c in named) or (_cell(refused.rule),)


def _cell(rule: str) -> str:
    """What a rule is called in an ERRORS cell, whose signs it must not hold."""
    return " ".join(rule.translate(str.maketrans(",:", "  ")).split())[:_RULE_CHARS]
