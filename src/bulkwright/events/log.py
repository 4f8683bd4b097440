"""Renders events as log lines: the observer of servers and workers."""

from __future__ import annotations

import logging

from msgspec import structs

from bulkwright.domain.limits import LOCK_LONG_SECONDS
from bulkwright.events.context import about
from bulkwright.events.events import (
    CallbackDelivered,
    CallbackFailed,
    CallbackGivenUp,
    ChunkCommitted,
    DispatcherFailed,
    Event,
    JobAttemptFailed,
    JobEnded,
    JobStarted,
    LeaseGone,
    LockHeld,
    RecordsRead,
    RecordsUndone,
    ResourceDivided,
    ResultLost,
    SweepDeferred,
    SweepFailed,
    Swept,
    WorkerBlocked,
    WorkerPolled,
    WorkerResumed,
)
from bulkwright.outages import classify

_ATTRIBUTES = {"job_id": "job_id", "correlation_id": "correlation"}
"""The attributes of events that a log line names, by their names there."""
_log = logging.getLogger("bulkwright.worker")
_callback_log = logging.getLogger("bulkwright.callback")
_sweep_log = logging.getLogger("bulkwright.sweep")


def log_event(event: Event) -> None:
    """Logs an event in one line."""
    if isinstance(event, WorkerPolled):
        return  # twice a second
    values = {name: getattr(event, a) for name, a in _ATTRIBUTES.items() if hasattr(event, a)}
    with about(**values):
        _log_event(event)


def _log_event(event: Event) -> None:
    match event:
        case JobStarted(job_id, attempt, row):
            _log.info("job %d: started, attempt %d, from row %d", job_id, attempt, row)
        case ResourceDivided(job_id, parts):
            _log.info("job %d: divided into %d parts", job_id, parts)
        case JobEnded(job_id, status, code, counts):
            outcome = f"{status.value} {code or '-'}"
            if counts:
                rows = (counts.added, counts.updated, counts.skipped)
                outcome += " added {} updated {} skipped {}".format(*rows)
            _log.info("job %d: %s", job_id, outcome)
        case RecordsRead(job_id, rows, seconds):
            _log.info("job %d: read %d records in %.1f s", job_id, rows, seconds)
        case RecordsUndone(job_id, records, seconds):
            _log.info(
                "job %d: undid what was written of %d records in %.1f s", job_id, records, seconds
            )
        case LeaseGone(job_id):
            _log.warning("job %d: another worker has claimed it", job_id)
        case JobAttemptFailed(job_id, correlation, error):
            _log.error("job %d: unexpected error %s", job_id, correlation, exc_info=error)
        case ResultLost(job_id, reason):
            _log.error("job %d: no result, because %s; its records are stored", job_id, reason)
        case WorkerBlocked(reason):
            _log.error("waiting: %s; jobs continue by themselves then", reason)
        case WorkerResumed():
            _log.info("continuing")
        case CallbackDelivered(job_id, to, attempt):
            _callback_log.info("job %d: callback to %s delivered, attempt %d", job_id, to, attempt)
        case CallbackFailed(job_id, to, attempt, reason, wait):
            failed = f"callback to {to} failed, attempt {attempt}: {reason}; next in {wait:.0f} s"
            _callback_log.warning("job %d: %s", job_id, failed)
        case CallbackGivenUp(job_id, to, attempt, reason):
            given_up = f"callback to {to} given up, attempt {attempt}: {reason}"
            _callback_log.error("job %d: %s", job_id, given_up)
        case DispatcherFailed(error):
            _log_error(_callback_log, "callbacks", error)
        case Swept():
            deleted = ", ".join(f"{name} {n}" for name, n in structs.asdict(event).items())
            _sweep_log.info("deleted: %s", deleted)
        case SweepDeferred(seconds):
            _sweep_log.warning("the clock was set by %.0f s; sweeping again later", seconds)
        case SweepFailed(error):
            _log_error(_sweep_log, "sweeping", error)
        case LockHeld(seconds):
            level = logging.WARNING if seconds >= LOCK_LONG_SECONDS else logging.DEBUG
            _log.log(level, "a transaction held its locks for %.2f s", seconds)
        case ChunkCommitted(job_id, rows, seconds=seconds):
            _log.debug("job %d: %d rows in %.3f s", job_id, rows, seconds)


def _log_error(log: logging.Logger, what: str, error: BaseException) -> None:
    outage = classify(error)
    if outage is None:
        log.error("%s: unexpected error", what, exc_info=error)
    else:
        log.error("%s: waiting: %s", what, outage)
