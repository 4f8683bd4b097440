"""Counting, in plain numbers: adding to one costs a fraction of a microsecond.

Names and labels come when somebody asks (`page.py`). A `Tally` also travels as one line of JSON,
from a worker process to the server that started it.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Outcome
from bulkwright.observe import (
    CallbackDelivered,
    CallbackFailed,
    CallbackGivenUp,
    ChunkCommitted,
    Event,
    JobEnded,
    LeaseGone,
    ResultLost,
    WorkerHindered,
    WorkerTripped,
)

_CHUNK_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_REQUEST_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)


class Times(msgspec.Struct):
    """How long something took, in seconds: how often up to each bound, and all together."""

    bounds: tuple[float, ...]
    counts: list[int]
    """One more than there are bounds: the last counts what took longer than any."""
    seconds: float = 0.0

    @classmethod
    def up_to(cls, *bounds: float) -> Times:
        """Nothing yet, with these bounds."""
        return cls(bounds, [0] * (len(bounds) + 1))

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds

    def absorb(self, other: Times) -> None:
        """Add what another with the same bounds has counted."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


def _none_of(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 0)


class Tally(msgspec.Struct):
    """What has happened since a process began; an observer of events."""

    rows: dict[str, int] = msgspec.field(
        default_factory=lambda: _none_of(Outcome.ADDED, Outcome.UPDATED, Outcome.SKIPPED)
    )
    """By outcome; of chunks that were committed."""
    jobs: dict[str, int] = msgspec.field(
        default_factory=lambda: _none_of(JobStatus.COMPLETED, JobStatus.FAILED)
    )
    """That ended, by status."""
    trouble: dict[str, int] = msgspec.field(
        default_factory=lambda: _none_of("hindered", "lease_lost", "result_lost", "tripped")
    )
    """What went wrong in workers, by the event that told of it."""
    callbacks: dict[str, int] = msgspec.field(
        default_factory=lambda: _none_of("delivered", "failed", "given_up")
    )
    """Attempts, by how they went."""
    chunks: Times = msgspec.field(default_factory=lambda: Times.up_to(*_CHUNK_BOUNDS))

    def observe(self, event: Event) -> None:
        """Count an event."""
        match event:
            case ChunkCommitted(fresh=fresh, seconds=seconds):
                self.rows[Outcome.ADDED] += fresh.added
                self.rows[Outcome.UPDATED] += fresh.updated
                self.rows[Outcome.SKIPPED] += fresh.skipped
                self.chunks.add(seconds)
            case JobEnded(status=status):
                self.jobs[status] += 1
            case WorkerHindered():
                self.trouble["hindered"] += 1
            case LeaseGone():
                self.trouble["lease_lost"] += 1
            case ResultLost():
                self.trouble["result_lost"] += 1
            case WorkerTripped():
                self.trouble["tripped"] += 1
            case CallbackDelivered():
                self.callbacks["delivered"] += 1
            case CallbackFailed():
                self.callbacks["failed"] += 1
            case CallbackGivenUp():
                self.callbacks["given_up"] += 1
            case _:
                pass

    def absorb(self, other: Tally) -> None:
        """Add what another process has counted."""
        for mine, theirs in (
            (self.rows, other.rows),
            (self.jobs, other.jobs),
            (self.trouble, other.trouble),
            (self.callbacks, other.callbacks),
        ):
            for name, n in theirs.items():
                mine[name] = mine.get(name, 0) + n
        self.chunks.absorb(other.chunks)


class _Answered:
    """The answers of one route."""

    __slots__ = ("by_status", "times")

    def __init__(self) -> None:
        self.by_status: dict[int, int] = {}
        self.times = Times.up_to(*_REQUEST_BOUNDS)


class RequestTally:
    """HTTP requests by route; there are as many keys as routes, whatever clients send."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], _Answered] = {}
        """By method and path template; both empty for what no route serves."""

    def add(self, route: tuple[str, str], status: int, seconds: float) -> None:
        """Count a request that was answered."""
        answered = self.routes.get(route)
        if answered is None:
            answered = self.routes[route] = _Answered()
        by_status = answered.by_status
        by_status[status] = by_status.get(status, 0) + 1
        answered.times.add(seconds)
