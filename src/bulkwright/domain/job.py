"""A job: one bulk write request and its states.

                 claimed                all chunks committed
    ADDED ───────────────▶ INPROGRESS ──────────────────────▶ COMPLETED
      │                        │
      └────────────────────────┴────────────────────────────▶ FAILED
        aborted, too many errors, damaged file, three tries without progress

If a lease expires, the job stays INPROGRESS: the next worker continues it.

The resources of a job are processed in order. If the job fails, the resource that it had reached
is FAILED, those before it are COMPLETED and those after it are SKIPPED. docs/job-details.md lists
every combination.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.errors import Aborted, TooManyErrors
from bulkwright.domain.limits import PRIORITY_SECONDS
from bulkwright.domain.outcome import Counts
from bulkwright.domain.reading import Reading


class Operation(StrEnum):
    """The effect of a job on rows that match a record, and on the other rows (facts 3.4)."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"

    @property
    def creates(self) -> bool:
        """Whether a row without a match becomes a new record."""
        return self is not Operation.UPDATE

    @property
    def updates(self) -> bool:
        """Whether a row with a match changes that record."""
        return self is not Operation.INSERT


class Priority(IntEnum):
    """Which jobs of an org are claimed first; jobs of other orgs do not matter."""

    LOW = -1
    NORMAL = 0
    HIGH = 1

    @property
    def word(self) -> str:
        """`low`, `normal` or `high`."""
        return self.name.lower()


class JobStatus(StrEnum):
    """The status of a job."""

    ADDED = "ADDED"
    INPROGRESS = "INPROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether the status cannot change any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)


class ResourceStatus(StrEnum):
    """The status of a resource and of its file (founding page)."""

    INPROGRESS = "INPROGRESS"
    """Also before its first row: the founding page's sample of an ADDED job shows it."""
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    """Not begun, because an earlier resource of the job is FAILED."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Which column fills which field (facts 3.3)."""

    api_name: str
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    default: str | None = None
    """The text that replaces an empty cell, or fills every row when there is no index."""
    default_json: object = None
    """The object of the default value as it was sent, for the details of the job."""
    module: str | None = None
    parent_column_index: int | None = None


def default_bytes(mappings: Iterable[FieldMapping]) -> int:
    """Returns how many bytes of text the default values add to a row at most."""
    return sum(len(m.default.encode()) for m in mappings if m.default is not None)


ONE_WORKER = "there is one worker"
"""Why a job is not divided where nothing could run a second part."""


@dataclass(frozen=True, slots=True)
class Split:
    """How the rows of a resource are divided into parts; decided once, before its first row."""

    parts: int = 1
    by: str | None = None
    """The field whose keys decide the part of a row; empty if the row's number does. None if the
    rows cannot be divided: then no other job writes to the module during a chunk of this one."""
    reason: str | None = None
    """Why there is only one part."""
    chunk_rows: int = 0
    """Most rows of a chunk. All parts of a resource have chunks with the same ends."""
    chunk_bytes: int = 0
    """Text of a chunk, in bytes."""
    images: tuple[str, ...] | None = None
    """The columns of records whose former values are kept, so that the job can be undone; None if
    none are kept."""

    @property
    def is_divided(self) -> bool:
        """Whether there are several parts."""
        return self.parts > 1


@dataclass(frozen=True, slots=True)
class Resource:
    """The part of a job that binds one file to one module."""

    module: str
    module_id: int
    file_id: int
    file_name: str
    """The CSV's name inside the zip."""
    mappings: tuple[FieldMapping, ...]
    find_by: str | None = None
    ignore_empty: bool = False
    auto_mapped: bool = False
    """Whether the mappings were made from the header, because none were sent."""
    status: ResourceStatus = ResourceStatus.INPROGRESS
    code: str | None = None
    """Why a FAILED resource failed."""
    counts: Counts = field(default_factory=Counts)
    reading: Reading | None = None
    """How the file is read; None for a job of version 0.1.0."""
    split: Split | None = None
    """How its rows are divided; None before it has begun."""
    stopped: bool = False
    """Whether it has skipped more rows than its job may: no further chunk is begun."""

    @property
    def columns(self) -> tuple[int, ...]:
        """Indexes of the CSV columns that the mappings read, each once, in file order."""
        return tuple(sorted({m.index for m in self.mappings if m.index is not None}))

    @property
    def echoed_columns(self) -> tuple[int, ...]:
        """The first three mapped columns, which a result line repeats (facts 5.1)."""
        return self.columns[:3]


@dataclass(frozen=True, slots=True)
class Callback:
    """The URL at which the caller wants to be notified of the end of the job."""

    url: str
    method: str = "post"


@dataclass(frozen=True, slots=True)
class Person:
    """The user who created a job, by id and name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job in its current state."""

    id: int
    org_id: int
    operation: Operation
    created_by: Person
    created_time: datetime
    """Aware, in the creator's time zone."""
    time_zone: str
    """IANA name of the creator's zone: date-times without an offset are read in it."""
    resources: tuple[Resource, ...]
    status: JobStatus = JobStatus.ADDED
    code: str | None = None
    """Why a FAILED job failed."""
    character_encoding: str | None = None
    """As requested; once processing has started, as used."""
    ignore_empty: bool | None = None
    callback: Callback | None = None
    has_result: bool = False
    result_sha256: str | None = None
    """Of the result zip; None if the result is older than this column."""
    result_swept: bool = False
    """Whether its result has expired and is deleted."""
    fingerprint: str | None = None
    """Identifies an embedded job when it is started again."""
    version: str = "v2"
    """The API version that it was created with; its callback has the shape of that version."""
    ended_time: datetime | None = None
    """Like `created_time`; None for a job that has not ended."""
    abort_time: datetime | None = None
    """When its abort was requested: no row was stored later."""
    error_limit: ErrorLimit | None = None
    """How many rows it may skip before it ends; None if that does not matter."""
    dry: bool = False
    """Whether it stores nothing: its result is that of a run that was undone."""
    priority: Priority = Priority.NORMAL
    all_or_nothing: bool = False
    """Whether nothing of it stays unless all of its rows are stored."""
    ending: str | None = None
    """The code with which it ends as soon as what it has stored is undone."""
    undo_id: int | None = None
    """The newest undo of it."""

    @property
    def queue_time(self) -> datetime:
        """Its place in the queue of its org.

        It is the time of its creation, earlier for a high priority and later for a low one. So no
        job waits forever: it is behind those that are created within PRIORITY_SECONDS only.
        """
        return self.created_time - self.priority * timedelta(seconds=PRIORITY_SECONDS)

    @property
    def early_end(self) -> str | None:
        """The code with which the job has to end now; None if its next row can be done."""
        if self.ending is not None:
            return self.ending
        if self.abort_time is not None:
            return Aborted.code
        return TooManyErrors.code if any(r.stopped for r in self.resources) else None

    @property
    def counts(self) -> Counts:
        """Rows by outcome over all resources."""
        return sum((r.counts for r in self.resources), Counts())


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's time-limited claim on a job. The fence only grows: a stale one is rejected."""

    job_id: int
    fence: int
    worker: str


@dataclass(frozen=True, slots=True)
class PartLease:
    """A worker's claim on one part of a resource. The fence only grows: a stale one is rejected."""

    job_id: int
    resource: int
    """Position of the resource in the job, from 0."""
    part: int
    """Number of the part, from 0."""
    fence: int
    worker: str
    attempt: int = 1
    """Of this part, since a chunk of it has done a row."""


MERGED = -1
"""In the place of a part's number: the lines of all parts of a divided resource, merged."""


class PartStatus(StrEnum):
    """The status of a part."""

    OPEN = "OPEN"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class PartState:
    """The status of one part, and why it failed."""

    part: int
    status: PartStatus
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One durable piece of a result: the deflated result lines of one chunk.

    Of a divided resource: the lines of one part of the chunk, with their positions.
    """

    name: str
    deflated_bytes: int
    plain_bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The effect of one chunk; committed together with the records that the chunk wrote.

    Of a divided resource: the effect of one part of the chunk.
    """

    resource: int
    """Position of the resource in the job, from 0."""
    chunk: int
    first_row: int
    """Number of the chunk's first data row, from 0."""
    rows: int
    """The rows of the whole chunk, of whatever part."""
    counts: Counts
    resume_text: int
    """Offset in the CSV's UTF-8 text from which the next chunk can be read."""
    resume_row: int
    """Number of the row at that offset; the next chunk may begin a few rows later."""
    piece: Piece = field(default_factory=lambda: Piece("", 0, 0, 0))
    stray_quotes: tuple[int, ...] = ()
    """Numbers of the rows in which quotes were read as ordinary characters. They are counted in the
    `reading` of the resource; the ledger does not keep them."""
    part: int = 0
    """Number of the part, from 0; or MERGED."""
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Formats that were assumed for columns of the chunk. They are in the `reading` of the resource
    (`Reading.assumed`); the ledger does not keep them."""
    unchanged: str = ""
    """The rows that have changed nothing, as `UnchangedRows.runs`; empty if there are none. They
    are kept by the `UnchangedStore`."""
    first_id: int | None = None
    """The first of the consecutive ids of the records that the chunk has created; None if it has
    created none, or if their table is not the service's."""
