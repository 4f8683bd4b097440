"""The chart of a job's rows a second over time, as points of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkwright.console.render import duration
from bulkwright.domain.pace import pace_of

SPANS = 60
COMMITS = 10 * SPANS
_LEAST_SECONDS = 2.0
"""A job that ran for a shorter time has no pace to show."""
_WIDTH, _HEIGHT = 600, 120


@dataclass(frozen=True, slots=True)
class Chart:
    """A step line: its points, and the words at its axes."""

    line: str
    """The points of the line, as the attribute `points` takes them."""
    area: str
    """The same with the ground."""
    most: float
    """Rows a second, at the top."""
    average: float
    length: str
    """The time from the first to the last chunk, for a person."""
    width: int = _WIDTH
    height: int = _HEIGHT


def chart_of(commits: Sequence[tuple[int, int]]) -> Chart | None:
    """Returns the chart of `LedgerStore.commits`; None if there is nothing to show."""
    pace = pace_of(commits, SPANS)
    if pace is None or pace.span * SPANS < _LEAST_SECONDS:
        return None
    rates = pace.rates
    most, step = max(rates) or 1.0, _WIDTH / len(rates)
    points = []
    for at, rate in enumerate(rates):
        y = round(_HEIGHT - rate * _HEIGHT / most, 1)
        points += [f"{round(at * step, 1)},{y}", f"{round((at + 1) * step, 1)},{y}"]
    return Chart(
        line=" ".join(points),
        area=" ".join([f"0,{_HEIGHT}", *points, f"{_WIDTH},{_HEIGHT}"]),
        most=most,
        average=pace.average,
        length=duration(pace.span * len(rates)),
    )
