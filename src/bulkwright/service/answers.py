"""The lines of one chunk of a result, read back: how many of each outcome, and which records."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

from bulkwright.csvzip.records import allow_long_cells
from bulkwright.domain.outcome import Counts, Outcome

_COLUMNS = ["STATUS", "RECORD_ID", "ERRORS"]
_KNOWN = {outcome.value for outcome in Outcome}


class Unreadable(Exception):
    """These are no lines of a result; the message says why."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the lines of one chunk say."""

    rows: int
    counts: Counts
    added: list[int]
    """Records that were added, a row each."""
    updated: set[int]


def read_answers(text: bytes, *, header: bool) -> Answers:
    """Read the lines of a chunk; with `header`, the first line names the columns.

    Raises Unreadable for anything but result lines.
    """
    allow_long_cells()
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), strict=True)
    statuses: Counter[str] = Counter()
    added: list[int] = []
    updated: set[int] = set()
    try:
        if header and next(lines, [])[-3:] != _COLUMNS:
            raise Unreadable("they do not begin with a header")
        for *_, status, record, _ in lines:
            statuses[status] += 1
            if status == Outcome.ADDED:
                added.append(int(record))
            elif status == Outcome.UPDATED:
                updated.add(int(record))
    except (csv.Error, ValueError) as error:
        raise Unreadable(str(error)) from error
    if unknown := statuses.keys() - _KNOWN:
        raise Unreadable(f"unknown status {min(unknown)!r}")
    counts = Counts(
        added=statuses[Outcome.ADDED],
        updated=statuses[Outcome.UPDATED],
        skipped=statuses[Outcome.SKIPPED],
    )
    return Answers(statuses.total(), counts, added, updated)
