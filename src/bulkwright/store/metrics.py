"""How much there is to do: what a scrape of the metrics asks the database.

Nothing here reads a job or a callback that has ended, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.store.clock import lease_times, now
from bulkwright.store.database import Database


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be done at one moment; times in seconds."""

    added: int
    """Jobs that no worker has claimed yet."""
    in_progress: int
    queue_age: float
    """How long ago the oldest job was created that waits for a worker; 0 when none does."""
    callbacks: int
    """Callbacks that are still to be told."""
    callback_lag: float
    """For how long the one that has been due longest is overdue; 0 when none is."""


class MetricsStore:
    """What is left to do, in three small reads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def backlog(self) -> Backlog:
        """How much there is to do now."""
        jobs = {row["status"]: row["jobs"] for row in self._db.all("open_jobs")}
        oldest = self._db.one("oldest_free_job", **lease_times())
        pending = self._db.one("pending_deliveries")
        assert oldest is not None and pending is not None
        return Backlog(
            added=jobs.get("ADDED", 0),
            in_progress=jobs.get("INPROGRESS", 0),
            queue_age=_seconds_since(oldest["created_time"]),
            callbacks=pending["pending"],
            callback_lag=_seconds_since(pending["due"]),
        )


def _seconds_since(micros: int | None) -> float:
    return 0.0 if micros is None else max(0.0, (now() - micros) / 1_000_000)
