"""Reads the lines of one chunk of a result: how many of each outcome, and which records."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

import bulkwright.formats.csv  # noqa: F401 - it raises the csv module's limit of a cell
from bulkwright.domain.outcome import Counts, Outcome
from bulkwright.domain.result_file import ERRORS, RECORD_ID, STATUS

_COLUMNS = [STATUS, RECORD_ID, ERRORS]
_STATUSES = {outcome.value for outcome in Outcome}


class UnreadableLines(Exception):
    """A text does not consist of result lines; the message says why."""


@dataclass(frozen=True, slots=True)
class ResultLines:
    """The content of one chunk's lines."""

    rows: int
    counts: Counts
    added: list[int]
    """Ids of the records that were added, one for each such row."""
    updated: set[int]
    """Ids of the records that were updated."""


def read_result_lines(text: bytes, *, header: bool) -> ResultLines:
    """Reads the lines of a chunk; with `header`, the first line names the columns.

    Raises UnreadableLines if the text is anything else.
    """
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), strict=True)
    statuses: Counter[str] = Counter()
    added: list[int] = []
    updated: set[int] = set()
    try:
        if header and next(lines, [])[-3:] != _COLUMNS:
            raise UnreadableLines("they do not begin with a header")
        for *_, status, record, _ in lines:
            statuses[status] += 1
            if status == Outcome.ADDED:
                added.append(int(record))
            elif status == Outcome.UPDATED:
                updated.add(int(record))
    except (csv.Error, ValueError) as error:
        raise UnreadableLines(str(error)) from error
    if unknown := statuses.keys() - _STATUSES:
        raise UnreadableLines(f"unknown status {min(unknown)!r}")
    counts = Counts(
        added=statuses[Outcome.ADDED],
        updated=statuses[Outcome.UPDATED],
        skipped=statuses[Outcome.SKIPPED],
    )
    return ResultLines(statuses.total(), counts, added, updated)
