"""Matches the rows of a chunk row by row, in file order.

`match.py` matches all rows of a chunk at once where it can. If the outcome of a row depends on the
rows before it by more than one key, this module decides the rows one after the other. It is also
the reference for matching at once: both must give the same outcomes (tests/properties).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bulkwright.domain.job import Operation
from bulkwright.domain.outcome import Outcome, SkipReason

Key = str | int
RecordRef = tuple[str, int]
"""("record", id) for a record that existed before the chunk, ("row", index) for one that a row of
the chunk creates."""


@dataclass(frozen=True, slots=True)
class MatchRules:
    """What is the same for all rows."""

    operation: Operation
    by_id: bool
    """Whether rows find their records by id."""
    keep_empty: bool
    find_label: str
    labels: Mapping[str, str]
    """The column label of each unique field."""


@dataclass(frozen=True, slots=True)
class RowKeys:
    """One row: whether it is valid, and its keys."""

    valid: bool
    find_key: Key | None
    record: int | None
    """The record that held the find_by key before this chunk."""
    incomplete: bool
    """Whether it cannot create a record, because a mandatory field is empty."""
    unique: Mapping[str, Key | None]
    """The key of each unique field."""


@dataclass(slots=True)
class Decisions:
    """For each row: its outcome and the record that it means."""

    outcome: list[Outcome] = field(default_factory=list)
    record: list[int | None] = field(default_factory=list)
    creator: list[int | None] = field(default_factory=list)
    incomplete: list[bool] = field(default_factory=list)
    """Whether the row was skipped because it would have to create a record and cannot."""
    _errors: dict[tuple[SkipReason, str], set[int]] = field(default_factory=dict)

    def add_error(self, row: int, reason: SkipReason, label: str) -> None:
        """Give an error to a row."""
        self._errors.setdefault((reason, label), set()).add(row)

    def errors(self, rows: int) -> Iterator[tuple[SkipReason, str, list[bool]]]:
        """Yield each reason and label with a mask of the rows that have it."""
        for (reason, label), at in self._errors.items():
            yield reason, label, [i in at for i in range(rows)]

    def add(self, outcome: Outcome, record: RecordRef | None) -> None:
        """Add the decision on the next row."""
        kind, number = record or (None, None)
        self.outcome.append(outcome)
        self.record.append(number if kind == "record" else None)
        self.creator.append(number if kind == "row" else None)


class _UniqueKeys:
    """Which record holds which unique key, after each row."""

    def __init__(
        self,
        rules: MatchRules,
        holders: Mapping[tuple[str, Key], int],
        keys: Mapping[int, Mapping[str, Key | None]],
    ) -> None:
        self._rules = rules
        self._holders: dict[tuple[str, Key], RecordRef] = {
            key: ("record", record_id) for key, record_id in holders.items()
        }
        self._keys: dict[RecordRef, dict[str, Key | None]] = {
            ("record", record_id): {name: held.get(name) for name in rules.labels}
            for record_id, held in keys.items()
        }

    def duplicates(self, row: RowKeys, record: RecordRef | None) -> list[str]:
        """Return the unique fields whose keys in the row are held by another record.

        `record` is None for a row that creates its record.
        """
        return [
            name
            for name, key in row.unique.items()
            if key is not None and self._holders.get((name, key), record) != record
        ]

    def assign(self, row: RowKeys, record: RecordRef) -> None:
        """Give the row's keys to its record and release the former keys of the record."""
        keys = self._keys.setdefault(record, {})
        for name, key in row.unique.items():
            if key is None and self._rules.keep_empty:
                continue
            former = keys.get(name)
            if former is not None:
                self._holders.pop((name, former), None)
            keys[name] = key
            if key is not None:
                self._holders[(name, key)] = record


def match_row_by_row(
    rows: Sequence[RowKeys],
    rules: MatchRules,
    holders: Mapping[tuple[str, Key], int],
    keys: Mapping[int, Mapping[str, Key | None]],
) -> Decisions:
    """Decide the rows in order; each sees the effect of the rows before it.

    `holders` gives the record that holds a unique key before the chunk, `keys` the unique keys of
    the records that the chunk may update.
    """
    # All labels are entered first, so that the order in a cell does not depend on earlier rows.
    duplicates = {(SkipReason.DUPLICATE_DATA, label): set[int]() for label in rules.labels.values()}
    decisions = Decisions(_errors=duplicates)
    unique_keys = _UniqueKeys(rules, holders, keys)
    created: dict[Key | None, RecordRef] = {}
    for index, row in enumerate(rows):
        record = _find_record(row, created)
        errors = _errors_of(row, record, rules, unique_keys) if row.valid else []
        decisions.incomplete.append(errors == [_INCOMPLETE])
        if errors or not row.valid:
            for reason, label in errors:
                if label:
                    decisions.add_error(index, reason, label)
            decisions.add(Outcome.SKIPPED, None)
            continue
        outcome = Outcome.UPDATED if record is not None else Outcome.ADDED
        if record is None:
            record = ("row", index)
            if row.find_key is not None and not rules.by_id:
                created[row.find_key] = record
        unique_keys.assign(row, record)
        decisions.add(outcome, record)
    return decisions


_INCOMPLETE = (SkipReason.MANDATORY_NOT_FOUND, "")
"""The error of an incomplete row. `match.py` knows the labels of the empty fields."""


def _find_record(row: RowKeys, created: Mapping[Key | None, RecordRef]) -> RecordRef | None:
    if row.record is not None:
        return ("record", row.record)
    return created.get(row.find_key)


def _errors_of(
    row: RowKeys, record: RecordRef | None, rules: MatchRules, unique_keys: _UniqueKeys
) -> list[tuple[SkipReason, str]]:
    """Why a valid row has no effect; empty if it has one."""
    if record is not None and not rules.operation.updates:
        return [(SkipReason.DUPLICATE_DATA, rules.find_label)]
    if record is None:
        unknown_id = rules.by_id and rules.operation.updates and row.find_key is not None
        if not rules.operation.creates or unknown_id:
            return [(SkipReason.RESOURCE_NOT_FOUND, rules.find_label)]
        if row.incomplete:
            return [_INCOMPLETE]
    duplicates = unique_keys.duplicates(row, record)
    return [(SkipReason.DUPLICATE_DATA, rules.labels[name]) for name in duplicates]
