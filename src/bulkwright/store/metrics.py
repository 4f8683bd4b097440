"""The backlog: the queries of the metrics page.

None of them reads a job or a callback that has ended, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.store.database import Database
from bulkwright.store.times import lease_times, now_micros


@dataclass(frozen=True, slots=True)
class Backlog:
    """The work that is waiting at one moment; times are in seconds."""

    added: int
    """Jobs that no worker has claimed yet."""
    in_progress: int
    queue_age: float
    """How long ago the oldest job that waits for a worker was created; 0 if none waits."""
    callbacks: int
    """Callbacks that are pending."""
    callback_lag: float
    """How long ago the oldest due callback was due; 0 if none is due."""


class MetricsStore:
    """Reads the backlog by three small queries."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def backlog(self) -> Backlog:
        """Returns the backlog of this moment."""
        jobs = {row["status"]: row["jobs"] for row in self._db.all("open_jobs")}
        oldest = self._db.one("oldest_free_job", **lease_times(self._db.clock))
        pending = self._db.one("pending_deliveries")
        assert oldest is not None and pending is not None
        return Backlog(
            added=jobs.get("ADDED", 0),
            in_progress=jobs.get("INPROGRESS", 0),
            queue_age=self._seconds_since(oldest["created_time"]),
            callbacks=pending["pending"],
            callback_lag=self._seconds_since(pending["due"]),
        )

    def _seconds_since(self, micros: int | None) -> float:
        if micros is None:
            return 0.0
        return max(0.0, (now_micros(self._db.clock) - micros) / 1_000_000)
