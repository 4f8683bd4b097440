"""How fast a job ran: its rows over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class RowPace:
    """The pace of a job, from its first committed chunk to its last one."""

    span: float
    """Seconds of each of the equal spans of this time."""
    rates: tuple[float, ...]
    """Rows a second, in each span."""
    average: float
    """Rows a second, over all of the time."""


def pace_of(commits: Sequence[tuple[int, int]], spans: int) -> RowPace | None:
    """Returns the pace of a job; None if it had no time to have one.

    `commits` are the times of commits in microseconds, in their order, each with the rows of the
    chunks that were committed then. The rows of a chunk were done in the time since the commit
    before it. So those of the first one are left out: when they were begun is not known.
    """
    if len(commits) < 2 or commits[0][0] == commits[-1][0]:
        return None
    begun, length = commits[0][0], commits[-1][0] - commits[0][0]
    span = length / spans
    rows = [0.0] * spans
    for (before, _), (after, count) in pairwise(commits):
        _spread(rows, count, (before - begun) / span, (after - begun) / span)
    seconds = span / 1_000_000
    total = sum(count for _, count in commits[1:])
    return RowPace(seconds, tuple(n / seconds for n in rows), total / (length / 1_000_000))


def _spread(rows: list[float], count: int, start: float, end: float) -> None:
    """Adds rows to the spans in which they were done: from `start` to `end`, counted in spans."""
    for at in range(int(start), min(int(end) + 1, len(rows))):
        shared = min(end, at + 1) - max(start, at)
        rows[at] += count * shared / (end - start) if end > start else 0.0
