"""Counters of events, as plain numbers: to add to one takes a fraction of a microsecond.

ops/metrics.py gives them their names and labels when metrics are read. A worker process sends its
`Counters` as one line of JSON to the server that started it.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Outcome
from bulkwright.events.events import (
    CallbackDelivered,
    CallbackFailed,
    CallbackGivenUp,
    ChunkCommitted,
    Event,
    JobAttemptFailed,
    JobEnded,
    LeaseGone,
    LockHeld,
    ResultLost,
    WorkerBlocked,
)

_LOCK_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_CHUNK_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_REQUEST_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)


class Histogram(msgspec.Struct):
    """Durations in seconds: their number up to each bound, and their sum."""

    bounds: tuple[float, ...]
    counts: list[int]
    """One more than there are bounds. The last one counts durations above all bounds."""
    seconds: float = 0.0

    @classmethod
    def up_to(cls, *bounds: float) -> Histogram:
        """Returns an empty histogram with these bounds."""
        return cls(bounds, [0] * (len(bounds) + 1))

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds

    def absorb(self, other: Histogram) -> None:
        """Adds the counts of another histogram with the same bounds."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


def _zeros(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 0)


class Counters(msgspec.Struct):
    """Counts of events since a process started. `observe` is an observer."""

    rows: dict[str, int] = msgspec.field(
        default_factory=lambda: _zeros(Outcome.ADDED, Outcome.UPDATED, Outcome.SKIPPED)
    )
    """Rows of committed chunks, by outcome."""
    jobs: dict[str, int] = msgspec.field(
        default_factory=lambda: _zeros(JobStatus.COMPLETED, JobStatus.FAILED)
    )
    """Ended jobs, by status."""
    worker_errors: dict[str, int] = msgspec.field(
        default_factory=lambda: _zeros(
            "hindered",  # codespell:ignore hindered
            "lease_lost",
            "result_lost",
            "tripped",  # codespell:ignore tripped
        )
    )
    """Errors of workers, by the event that reported them. Users query these values: keep them."""
    callbacks: dict[str, int] = msgspec.field(
        default_factory=lambda: _zeros("delivered", "failed", "given_up")
    )
    """Attempts to deliver callbacks, by outcome."""
    chunks: Histogram = msgspec.field(default_factory=lambda: Histogram.up_to(*_CHUNK_BOUNDS))
    locks: Histogram = msgspec.field(default_factory=lambda: Histogram.up_to(*_LOCK_BOUNDS))
    """How long transactions held their locks, without the short ones (`LockHeld`)."""

    def observe(self, event: Event) -> None:
        """Counts an event."""
        match event:
            case ChunkCommitted(fresh=fresh, seconds=seconds):
                self.rows[Outcome.ADDED] += fresh.added
                self.rows[Outcome.UPDATED] += fresh.updated
                self.rows[Outcome.SKIPPED] += fresh.skipped
                self.chunks.add(seconds)
            case LockHeld(seconds=seconds):
                self.locks.add(seconds)
            case JobEnded(status=status):
                self.jobs[status] += 1
            case WorkerBlocked():
                self.worker_errors["hindered"] += 1  # codespell:ignore hindered
            case LeaseGone():
                self.worker_errors["lease_lost"] += 1
            case ResultLost():
                self.worker_errors["result_lost"] += 1
            case JobAttemptFailed():
                self.worker_errors["tripped"] += 1  # codespell:ignore tripped
            case CallbackDelivered():
                self.callbacks["delivered"] += 1
            case CallbackFailed():
                self.callbacks["failed"] += 1
            case CallbackGivenUp():
                self.callbacks["given_up"] += 1
            case _:
                pass

    def absorb(self, other: Counters) -> None:
        """Adds the counts of another process."""
        for mine, theirs in (
            (self.rows, other.rows),
            (self.jobs, other.jobs),
            (self.worker_errors, other.worker_errors),
            (self.callbacks, other.callbacks),
        ):
            for name, n in theirs.items():
                mine[name] = mine.get(name, 0) + n
        self.chunks.absorb(other.chunks)
        self.locks.absorb(other.locks)


class RouteCounters:
    """The responses of one route."""

    __slots__ = ("by_status", "times")

    def __init__(self) -> None:
        self.by_status: dict[int, int] = {}
        self.times = Histogram.up_to(*_REQUEST_BOUNDS)


class RequestCounters:
    """HTTP requests by route. The number of keys depends on the routes, not on the clients."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], RouteCounters] = {}
        """By method and path template; both are empty for requests that match no route."""
        self.not_served: dict[tuple[str, str], int] = {}
        """By operation and parameter; the parameter is empty if the operation is not served."""

    def add(self, route: tuple[str, str], status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        counters = self.routes.get(route)
        if counters is None:
            counters = self.routes[route] = RouteCounters()
        by_status = counters.by_status
        by_status[status] = by_status.get(status, 0) + 1
        counters.times.add(seconds)

    def add_not_served(self, operation: str, parameter: str) -> None:
        """Counts a request for something that is documented and not served."""
        key = (operation, parameter)
        self.not_served[key] = self.not_served.get(key, 0) + 1
