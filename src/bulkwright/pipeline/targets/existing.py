"""Matches and writes the rows for an existing table.

Only the database can check the constraints and triggers of the table. Whether a row violates one is
known only when it is written, and a statement with one such row fails as a whole. Then the chunk is
written in blocks, each inside a savepoint, and the rows of a rejected block one by one. So the work
grows with the number of rows, however many of them are bad. The rejected rows get their errors, and
the chunk is matched again as if these rows had been invalid from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from bulkwright.domain.outcome import Outcome, SkipReason
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.match import Matched, match
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.targets.target import Decided
from bulkwright.pipeline.write import (
    NO_IDS,
    changed_columns,
    row_records,
    take_ids,
    write_records,
)
from bulkwright.ports import RecordRejected, RecordStores

_BLOCK_ROWS = 256
"""Rows that are written at once: few, so that a block with a bad row is soon written row by row."""

_RULE_CHARS = 100
"""Most characters of a rule's name in an ERRORS cell: it may be the whole message of a trigger."""


@dataclass(frozen=True, slots=True)
class _Rejection:
    """A row that the database rejects, and why."""

    row: int
    reason: SkipReason
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _BlockResult:
    """What became of the rows of a block."""

    rejections: list[_Rejection]
    created: set[int]
    """The ids of the new records that exist now."""


class _RollBack(Exception):
    """Rolls back the savepoint in which rows were tried."""


class ExistingTarget:
    """A `Target` over an existing table."""

    def __init__(self, plan: Plan, records: RecordStores) -> None:
        self._plan = plan
        self._sink = records.existing
        self._parents = records.parents

    def lock(self, conformed: Conformed) -> None:
        """Lock the module until the transaction ends."""
        self._sink.lock(self._plan.module)

    def decide(self, conformed: Conformed) -> Decided:
        """Match and write the rows, until the database rejects none of those that are left.

        Which rows it rejects is known by writing them, so `write` has nothing left to do.
        """
        rejections: list[_Rejection] = []
        taken = NO_IDS
        matched_again = False
        while True:
            ready = _with_errors(conformed, rejections)
            matched = match(ready, self._plan, self._sink, self._parents)
            taken, ids = take_ids(matched, self._plan, self._sink, taken)
            if without_id := self._without_id(matched, ids):
                rejections += without_id
                continue
            try:
                self._write_all(matched, ids)
            except RecordRejected as rejected:
                if rejected.reason is SkipReason.DUPLICATE_DATA and not matched_again:
                    # Another transaction may have written the record since; now it is found.
                    matched_again = True
                    continue
                found = self._find_rejections(matched, ids)
                if found:
                    rejections += found
                    continue
            return Decided(matched, ids)

    def write(self, decided: Decided) -> None:
        """Nothing to do: `decide` has written the records.

        Also those that hold their values already: triggers of the table may need each write.
        """

    def _without_id(self, matched: Matched, ids: pl.Series) -> list[_Rejection]:
        """The rows whose record would get no id, because the table has no more."""
        if not ids.has_nulls():
            return []
        without = ids.is_null() & (matched.outcome != Outcome.SKIPPED.value)
        id_field = self._plan.module.fields[0]
        return [
            _Rejection(row, SkipReason.LIMIT_EXCEEDED, (id_field.display_label,))
            for row in without.arg_true()
        ]

    def _write_all(self, matched: Matched, ids: pl.Series) -> None:
        """Write the chunk in one savepoint. Raises RecordRejected if one row is rejected."""
        records = row_records(matched, ids, self._plan)
        self._write(records, exchanges_keys=matched.exchanges_keys)

    def _write(self, records: pl.DataFrame, *, exchanges_keys: bool) -> None:
        with self._sink.savepoint(self._plan.module):
            write_records(records, self._plan, self._sink, exchanges_keys=exchanges_keys)

    def _find_rejections(self, matched: Matched, ids: pl.Series) -> list[_Rejection]:
        """Return the rows that the database rejects after the rows before them have been written.

        The writes are rolled back if there is one. If there is none, because the rows are accepted
        in smaller pieces, the writes stay.
        """
        incomplete = matched.conformed.incomplete()
        rows = pl.DataFrame(
            {"$row": pl.int_range(incomplete.len(), eager=True), "$incomplete": incomplete}
        )
        stored = matched.outcome != Outcome.SKIPPED.value
        records = row_records(matched, ids, self._plan).hstack(rows.filter(stored))
        rejections: list[_Rejection] = []
        created: set[int] = set()
        try:
            with self._sink.savepoint(self._plan.module):
                for block in records.iter_slices(_BLOCK_ROWS):
                    exists = pl.Series([i in created for i in block["id"]], dtype=pl.Boolean)
                    marked = block.with_columns((block["$new"] & ~exists).alias("$new"))
                    result = self._write_block(marked, exchanges_keys=matched.exchanges_keys)
                    rejections += result.rejections
                    created |= result.created
                if rejections:
                    raise _RollBack
        except _RollBack:
            pass
        return rejections

    def _write_block(self, block: pl.DataFrame, *, exchanges_keys: bool) -> _BlockResult:
        """Write the rows of a block at once or, if one is rejected, one by one.

        If a row was to create a record and is rejected, later rows of this record may be incomplete
        and cannot create it. They are not rejections: the next match decides on them.
        """
        records = block.drop("$row", "$incomplete")
        rejected: Sequence[tuple[int, RecordRejected]] = ()
        # The row that creates a record is complete; if it is not, the complete one was rejected.
        creates_incomplete = block["$new"] & block["$incomplete"] & block["id"].is_first_distinct()
        if creates_incomplete.any():
            rejected = self._write_each(block)
        else:
            try:
                self._write(records, exchanges_keys=exchanges_keys)
            except RecordRejected:
                rejected = self._write_each(block)
        written = pl.int_range(block.height, eager=True).is_in([at for at, _ in rejected]).not_()
        created = block.filter(written & block["$new"] & ~block["$incomplete"])["id"]
        rejections = [
            _Rejection(block["$row"][at], why.reason, self._labels(why)) for at, why in rejected
        ]
        return _BlockResult(rejections, set(created))

    def _write_each(self, block: pl.DataFrame) -> list[tuple[int, RecordRejected]]:
        changed = changed_columns(block.drop("$row", "$incomplete", "$new"), self._plan)
        return self._sink.write_each(
            self._plan.module, block.drop("$row"), changed, keep_empty=self._plan.keep_empty
        )

    def _labels(self, rejected: RecordRejected) -> tuple[str, ...]:
        """The labels of the mapped columns that the error names, or the name of the rule."""
        named = (
            c
            for c in self._plan.columns
            if c.field.column and c.field.column.name in rejected.columns
        )
        return tuple(c.label for c in named) or (_rule_label(rejected.rule),)


def _with_errors(conformed: Conformed, rejections: list[_Rejection]) -> Conformed:
    """The chunk as it was before it was matched, with errors in the rejected rows."""
    row_errors = conformed.row_errors.copy()
    rows: dict[tuple[SkipReason, str], set[int]] = {}
    for rejection in rejections:
        for label in rejection.labels:
            rows.setdefault((rejection.reason, label), set()).add(rejection.row)
    for (reason, label), at in rows.items():
        mask = pl.Series([row in at for row in range(conformed.chunk.rows)], dtype=pl.Boolean)
        row_errors.add(reason, label, mask)
    return replace(conformed, row_errors=row_errors)


def _rule_label(rule: str) -> str:
    """The name of a rule in an ERRORS cell, without the characters that separate its parts."""
    return " ".join(rule.translate(str.maketrans(",:", "  ")).split())[:_RULE_CHARS]
