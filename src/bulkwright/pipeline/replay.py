"""Rows that clash over several unique fields, decided one after the other.

`match.py` decides a whole chunk at once where it can. Where a row's fate hangs on the fates of
rows before it in more than one way, this plain machine goes through them in file order. It is
also the judge of the columnar way: both must give the same answers (tests/properties).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bulkwright.domain.job import Operation
from bulkwright.domain.outcome import Outcome, SkipReason

Key = str | int
Holder = tuple[str, int]
"""("record", id) for one that was there, ("row", index) for one that a row has made."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What does not change from row to row."""

    operation: Operation
    by_id: bool
    """Whether rows are matched by record id."""
    keep_empty: bool
    find_label: str
    labels: Mapping[str, str]
    """Column label of each unique field."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: whether it may be stored at all, what it looks for, what it holds."""

    sound: bool
    key: Key | None
    holder: int | None
    """The record that held the find_by key before this chunk."""
    lacks: bool
    """Whether it lacks what a new record needs."""
    unique: Mapping[str, Key | None]


@dataclass(slots=True)
class Answers:
    """For each row: its outcome and the record it means."""

    outcome: list[Outcome] = field(default_factory=list)
    record: list[int | None] = field(default_factory=list)
    creator: list[int | None] = field(default_factory=list)
    lacking: list[bool] = field(default_factory=list)
    _blame: dict[tuple[SkipReason, str], set[int]] = field(default_factory=dict)

    def blame(self, row: int, reason: SkipReason, label: str) -> None:
        """Hold a reason against a row."""
        self._blame.setdefault((reason, label), set()).add(row)

    def blamed(self, rows: int) -> Iterator[tuple[SkipReason, str, list[bool]]]:
        """The reasons with a mask of the rows that they are held against."""
        for (reason, label), at in self._blame.items():
            yield reason, label, [i in at for i in range(rows)]


def replay(
    entries: Sequence[Entry],
    rules: Rules,
    known: Mapping[tuple[str, Key], int],
    held: Mapping[int, Mapping[str, Key | None]],
) -> Answers:
    """Let the rows take effect in order.

    `known` says which record holds a unique key before the chunk, `held` which unique keys the
    records hold that the chunk may update.
    """
    # In mapping order from the start, so that no cell's order hangs on the rows before it.
    answers = Answers(_blame={(SkipReason.DUPLICATE_DATA, n): set() for n in rules.labels.values()})
    holders: dict[tuple[str, Key], Holder] = {k: ("record", v) for k, v in known.items()}
    owned: dict[Holder, dict[str, Key | None]] = {
        ("record", i): {n: keys.get(n) for n in rules.labels} for i, keys in held.items()
    }
    made: dict[Key, Holder] = {}
    for row, entry in enumerate(entries):
        target = _target(entry, made)
        refusal = _refusal(row, entry, target, rules, holders)
        answers.lacking.append(refusal == [(SkipReason.MANDATORY_NOT_FOUND, "")])
        if refusal or not entry.sound:
            for reason, label in refusal:
                if label:
                    answers.blame(row, reason, label)
            _answer(answers, Outcome.SKIPPED, None)
            continue
        outcome = Outcome.UPDATED if target is not None else Outcome.ADDED
        if target is None:
            target = ("row", row)
            if entry.key is not None and not rules.by_id:
                made[entry.key] = target
        _hold(target, entry, rules, holders, owned)
        _answer(answers, outcome, target)
    return answers


def _target(entry: Entry, made: Mapping[Key, Holder]) -> Holder | None:
    if entry.holder is not None:
        return ("record", entry.holder)
    return made.get(entry.key) if entry.key is not None else None


def _refusal(
    row: int,
    entry: Entry,
    target: Holder | None,
    rules: Rules,
    holders: Mapping[tuple[str, Key], Holder],
) -> list[tuple[SkipReason, str]]:
    """Why a sound row has no effect; empty when it has one. Lacking rows get an empty label."""
    if not entry.sound:
        return []
    if target is not None and not rules.operation.updates:
        return [(SkipReason.DUPLICATE_DATA, rules.find_label)]
    if target is None:
        unknown_id = rules.by_id and rules.operation.updates and entry.key is not None
        if not rules.operation.creates or unknown_id:
            return [(SkipReason.RESOURCE_NOT_FOUND, rules.find_label)]
        if entry.lacks:
            return [(SkipReason.MANDATORY_NOT_FOUND, "")]
    return [
        (SkipReason.DUPLICATE_DATA, rules.labels[name])
        for name, key in entry.unique.items()
        if key is not None
        and holders.get((name, key), target or ("row", row)) != (target or ("row", row))
    ]


def _hold(
    target: Holder,
    entry: Entry,
    rules: Rules,
    holders: dict[tuple[str, Key], Holder],
    owned: dict[Holder, dict[str, Key | None]],
) -> None:
    """The record of a row lets go of its former unique keys and holds the row's."""
    mine = owned.setdefault(target, {})
    for name, key in entry.unique.items():
        if key is None and rules.keep_empty:
            continue
        former = mine.get(name)
        if former is not None:
            holders.pop((name, former), None)
        mine[name] = key
        if key is not None:
            holders[(name, key)] = target


def _answer(answers: Answers, outcome: Outcome, target: Holder | None) -> None:
    answers.outcome.append(outcome)
    answers.record.append(target[1] if target and target[0] == "record" else None)
    answers.creator.append(target[1] if target and target[0] == "row" else None)
