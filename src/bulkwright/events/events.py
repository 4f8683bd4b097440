"""The events of the service, as values. An observer decides which of them it shows.

They are msgspec structs: a frozen dataclass takes ten times as long to define, at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from bulkwright.domain.job import JobStatus
from bulkwright.domain.outcome import Counts, SkipReason


class JobStarted(Struct, frozen=True):
    """A worker has begun with a resource of a job; `row` is the first row that it processes."""

    job_id: int
    attempt: int
    row: int


class ResourceDivided(Struct, frozen=True):
    """A worker has begun or continued a resource whose rows are divided into several parts."""

    job_id: int
    parts: int


class ChunkCommitted(Struct, frozen=True):
    """A chunk's rows are committed, and so are its result lines. `counts` is of the job so far."""

    job_id: int
    rows: int
    counts: Counts
    share: float
    """The part of the file's text that has been read, from 0 to 1."""
    fresh: Counts
    """The counts of this chunk alone."""
    seconds: float
    """From the end of the previous chunk, or the start of the file, to its commit."""
    reasons: Mapping[tuple[SkipReason, str], int] = {}
    """Why rows of this chunk were skipped: by reason and column, the number of rows."""


class LockHeld(Struct, frozen=True):
    """A transaction has ended that held its locks for LOCK_NOTED_SECONDS or longer."""

    seconds: float


class JobEnded(Struct, frozen=True):
    """A job has its final status."""

    job_id: int
    status: JobStatus
    code: str | None
    counts: Counts | None = None
    """Of a bulk write: its rows by outcome. Other jobs have an event of their own with counts."""


class RecordsRead(Struct, frozen=True):
    """A bulk read has read all of its records, and they are durable."""

    job_id: int
    rows: int
    seconds: float


class RecordsUndone(Struct, frozen=True):
    """An undo has treated all records of its job, in `seconds` since it was begun or continued."""

    job_id: int
    records: int
    seconds: float


class LeaseGone(Struct, frozen=True):
    """Another worker has claimed the job; this one stopped without a change."""

    job_id: int


class JobAttemptFailed(Struct, frozen=True):
    """A job raised an unexpected error; it will be tried again."""

    job_id: int
    correlation: str
    error: BaseException


class ResultLost(Struct, frozen=True):
    """A job's records are stored, but there is no result, because a piece of it is damaged."""

    job_id: int
    reason: str


class WorkerBlocked(Struct, frozen=True):
    """An outage blocks the worker, a full disk for example. The worker tries again."""

    reason: str


class WorkerResumed(Struct, frozen=True):
    """The outage is over."""


class WorkerPolled(Struct, frozen=True):
    """A worker queries for the next job."""


class CallbackDelivered(Struct, frozen=True):
    """A callback was delivered; `destination` is the host and port of its URL."""

    job_id: int
    destination: str
    attempt: int


class CallbackFailed(Struct, frozen=True):
    """An attempt to deliver a callback failed; the next one follows in `wait` seconds."""

    job_id: int
    destination: str
    attempt: int
    reason: str
    wait: float


class CallbackGivenUp(Struct, frozen=True):
    """A callback will not be delivered: its receiver rejected it, or its time is over."""

    job_id: int
    destination: str
    attempt: int
    reason: str


class DispatcherFailed(Struct, frozen=True):
    """The callback dispatcher met an error; it continues."""

    error: BaseException


class Swept(Struct, frozen=True):
    """A sweep has ended; the numbers of expired items that it deleted."""

    uploads: int = 0
    results: int = 0
    jobs: int = 0
    callbacks: int = 0
    tokens: int = 0
    """Expired tokens, codes and sessions, and what was remembered of sign-ins."""
    audit: int = 0
    """Entries of the audit log."""
    keys: int = 0
    """Idempotency keys."""
    undoable: int = 0
    """Jobs that cannot be undone any more, because what records held before is deleted."""
    strays: int = 0
    """Files that no row of the database names."""
    bytes: int = 0
    """The size of all deleted files."""


class SweepDeferred(Struct, frozen=True):
    """The clock was set by `seconds`. The sweep is deferred until the clock is stable."""

    seconds: float


class SweepFailed(Struct, frozen=True):
    """A sweep met an error; the next one continues."""

    error: BaseException


Event = (
    JobStarted
    | ResourceDivided
    | ChunkCommitted
    | LockHeld
    | JobEnded
    | RecordsRead
    | RecordsUndone
    | LeaseGone
    | JobAttemptFailed
    | ResultLost
    | WorkerBlocked
    | WorkerResumed
    | WorkerPolled
    | CallbackDelivered
    | CallbackFailed
    | CallbackGivenUp
    | DispatcherFailed
    | Swept
    | SweepDeferred
    | SweepFailed
)
Observer = Callable[[Event], None]
"""Receives every event. It must not raise an error, and should be fast."""


def each(*observers: Observer) -> Observer:
    """Returns an observer that passes each event to all `observers`, in this order."""

    def observe(event: Event) -> None:
        for receive in observers:
            receive(event)

    return observe
