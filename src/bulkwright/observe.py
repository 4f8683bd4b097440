"""What happens in the service, as values. An observer decides alone what to show of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Counts
from bulkwright.logs import about
from bulkwright.trouble import trouble


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
    fresh: Counts
    """What came of this chunk's rows."""
    seconds: float
    """From the end of the chunk before, or the start of its file, to its commit."""


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
class ResultLost:
    """A job's records are stored, but its result cannot be made: a part of it is damaged."""

    job_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerHindered:
    """The machine is in the way, a full disk for example; the worker tries again and again."""

    reason: str


@dataclass(frozen=True, slots=True)
class WorkerGoesOn:
    """What was in the way is gone."""


@dataclass(frozen=True, slots=True)
class WorkerTurned:
    """A worker's loop has come round: it looks for the next job."""


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


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep went by: how much of each kind was kept for its time and is gone now."""

    uploads: int = 0
    results: int = 0
    jobs: int = 0
    callbacks: int = 0
    tokens: int = 0
    """Tokens, codes and sessions that had run out."""
    strays: int = 0
    """Files that belonged to nothing."""
    bytes: int = 0
    """Of all files that went."""


@dataclass(frozen=True, slots=True)
class SweepPutOff:
    """The clock was set by so many seconds: nothing is taken for old before it has settled."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SweepTripped:
    """A sweep met something unforeseen; the next one goes on."""

    error: BaseException


Event = (
    JobStarted
    | ChunkCommitted
    | JobEnded
    | LeaseGone
    | WorkerTripped
    | ResultLost
    | WorkerHindered
    | WorkerGoesOn
    | WorkerTurned
    | CallbackDelivered
    | CallbackFailed
    | CallbackGivenUp
    | CourierTripped
    | Swept
    | SweepPutOff
    | SweepTripped
)
Observer = Callable[[Event], None]
"""Receives every event. It must not raise and should be quick."""


def each(*observers: Observer) -> Observer:
    """One observer that tells several, in this order."""

    def observe(event: Event) -> None:
        for tell in observers:
            tell(event)

    return observe


_log = logging.getLogger("bulkwright.worker")
_callback_log = logging.getLogger("bulkwright.callback")
_sweep_log = logging.getLogger("bulkwright.sweep")


def log_event(event: Event) -> None:
    """The observer of a server: one log line for what an operator wants to know."""
    facts = {"job_id": "job_id", "correlation_id": "correlation"}
    known = {name: getattr(event, key) for name, key in facts.items() if hasattr(event, key)}
    with about(**known):
        _log_event(event)


def _log_event(event: Event) -> None:
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
        case ResultLost(job_id, reason):
            _log.error("job %d: no result, for %s; its records are stored", job_id, reason)
        case WorkerHindered(reason):
            _log.error("waiting: %s; jobs go on by themselves then", reason)
        case WorkerGoesOn():
            _log.info("going on")
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
            _log_trip(_callback_log, "callbacks", error)
        case Swept():
            gone = ", ".join(f"{name} {n}" for name, n in asdict(event).items())
            _sweep_log.info("gone: %s", gone)
        case SweepPutOff(seconds):
            _sweep_log.warning("the clock was set by %.0f s; sweeping again later", seconds)
        case SweepTripped(error):
            _log_trip(_sweep_log, "sweeping", error)
        case ChunkCommitted(job_id, rows, seconds=seconds):
            _log.debug("job %d: %d rows in %.3f s", job_id, rows, seconds)
        case WorkerTurned():
            pass  # twenty times a second


def _log_trip(log: logging.Logger, what: str, error: BaseException) -> None:
    reason = trouble(error)
    if reason is None:
        log.error("%s: unforeseen error", what, exc_info=error)
    else:
        log.error("%s: waiting: %s", what, reason)
