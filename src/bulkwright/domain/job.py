"""A job: one bulk write request and its life.

                 claimed                all chunks committed
    ADDED ───────────────▶ INPROGRESS ──────────────────────▶ COMPLETED
      │                        │
      └────────────────────────┴────────────────────────────▶ FAILED
        aborted, damaged file, three tries without progress

A lease that runs out leaves the job INPROGRESS: the next worker goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bulkwright.domain.outcome import Counts


class Operation(StrEnum):
    """What a job does with a row that matches a record, and with one that does not (facts 3.4)."""

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


class JobStatus(StrEnum):
    """Where a job stands; also the status of its resources and files."""

    ADDED = "ADDED"
    INPROGRESS = "INPROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        """Whether nothing will happen any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Mapping:
    """One field mapping: which column fills which field (facts 3.3)."""

    api_name: str
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    default: str | None = None
    """The text that replaces an empty cell, or fills every row when there is no index."""
    default_json: object = None
    """The default value's object as it was sent, to be shown again."""
    module: str | None = None
    parent_column_index: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """The part of a job that binds one file to one module."""

    module: str
    module_id: int
    file_id: int
    file_name: str
    """The CSV's name inside the zip."""
    mappings: tuple[Mapping, ...]
    find_by: str | None = None
    ignore_empty: bool = False
    auto_mapped: bool = False
    """Whether the mappings were made from the header, none having been sent."""
    status: JobStatus = JobStatus.INPROGRESS
    code: str | None = None
    counts: Counts = field(default_factory=Counts)

    @property
    def columns(self) -> tuple[int, ...]:
        """Indexes of the CSV columns that the mappings read, each once, in file order."""
        return tuple(sorted({m.index for m in self.mappings if m.index is not None}))

    @property
    def echoed(self) -> tuple[int, ...]:
        """The first three mapped columns: those that a result line repeats (facts 5.1)."""
        return self.columns[:3]


@dataclass(frozen=True, slots=True)
class Callback:
    """Where the caller wants to hear that the job has ended."""

    url: str
    method: str = "post"


@dataclass(frozen=True, slots=True)
class Person:
    """A user as a reference: who created a job, who owns a record."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands now."""

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
    """Of the result zip; None for one that was made before this was kept."""
    result_swept: bool = False
    """Whether its result was kept for its time and is there no more."""
    fingerprint: str | None = None
    """What an embedded run is recognised by when it is started again."""
    version: str = "v2"
    """The API version that it was created with: its callback answers in that shape."""

    @property
    def counts(self) -> Counts:
        """Rows by outcome over all resources."""
        return sum((r.counts for r in self.resources), Counts())


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's time-limited claim on a job. The token only grows: a stale one is refused."""

    job_id: int
    token: int
    holder: str


@dataclass(frozen=True, slots=True)
class Part:
    """One durable piece of a result: the deflated result lines of one chunk."""

    name: str
    deflated_bytes: int
    plain_bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What one chunk did; committed together with the records it wrote."""

    resource: int
    """Position of the resource in the job, from 0."""
    chunk: int
    first_row: int
    """Number of the chunk's first data row, from 0."""
    rows: int
    counts: Counts
    resume_text: int
    """Offset in the CSV's UTF-8 text from which the next chunk can be read again."""
    resume_row: int
    """Number of the row at that offset; the next chunk may begin some rows later."""
    part: Part = field(default_factory=lambda: Part("", 0, 0, 0))
