"""What happens in the service, as values. An observer decides alone what to show of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Counts


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A worker has claimed a job; `row` is where it goes on."""

    job_id: int
    attempt: int
    row: int


@dataclass(frozen=True, slots=True)
class ChunkCommitted:
    """A chunk's rows are stored and answered; `counts` are the job's so far."""

    job_id: int
    rows: int
    counts: Counts
    share: float
    """How much of the file's text has been read, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job has its final status."""

    job_id: int
    status: JobStatus
    code: str | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class LeaseGone:
    """Another worker has taken the job over; this one stopped without a change."""

    job_id: int


@dataclass(frozen=True, slots=True)
class WorkerTripped:
    """A job raised something unforeseen; it will be tried again."""

    job_id: int
    correlation: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class CallbackDelivered:
    """A job's end was told to its callback URL; `lane` is the URL's host and port."""

    job_id: int
    lane: str
    attempt: int


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    """An attempt to tell it failed; the next one follows in `wait` seconds."""

    job_id: int
    lane: str
    attempt: int
    reason: str
    wait: float


@dataclass(frozen=True, slots=True)
class CallbackGivenUp:
    """It will not be told: the receiver said so, or would not answer for too long."""

    job_id: int
    lane: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class CourierTripped:
    """Delivering callbacks met something unforeseen; it goes on."""

    error: BaseException


Event = (
    JobStarted
    | ChunkCommitted
    | JobEnded
    | LeaseGone
    | WorkerTripped
    | CallbackDelivered
    | CallbackFailed
    | CallbackGivenUp
    | CourierTripped
)
Observer = Callable[[Event], None]
"""Receives every event. It must not raise and should be quick."""


_log = logging.getLogger("bulkwright.worker")
_callback_log = logging.getLogger("bulkwright.callback")


def log_event(event: Event) -> None:
    """The observer of a server: one log line for what an operator wants to know."""
    match event:
        case JobStarted(job_id, attempt, row):
            _log.info("job %d: started, attempt %d, from row %d", job_id, attempt, row)
        case JobEnded(job_id, status, code, counts):
            told = (status.value, code or "-", counts.added, counts.updated, counts.skipped)
            _log.info("job %d: %s %s added %d updated %d skipped %d", job_id, *told)
        case LeaseGone(job_id):
            _log.warning("job %d: taken over by another worker", job_id)
        case WorkerTripped(job_id, correlation, error):
            _log.error("job %d: unforeseen error %s", job_id, correlation, exc_info=error)
        case CallbackDelivered(job_id, lane, attempt):
            _callback_log.info(
                "job %d: callback to %s delivered, attempt %d", job_id, lane, attempt
            )
        case CallbackFailed(job_id, lane, attempt, reason, wait):
            failed = f"callback to {lane} failed ({attempt}): {reason}; next in {wait:.0f} s"
            _callback_log.warning("job %d: %s", job_id, failed)
        case CallbackGivenUp(job_id, lane, attempt, reason):
            given_up = f"callback to {lane} given up ({attempt}): {reason}"
            _callback_log.error("job %d: %s", job_id, given_up)
        case CourierTripped(error):
            _callback_log.error("callbacks: unforeseen error", exc_info=error)
        case ChunkCommitted():
            pass  # too many to log one by one
