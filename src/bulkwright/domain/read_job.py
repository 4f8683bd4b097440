"""A bulk read: a job that writes records of a module into a CSV. Pure values.

Its states are those of every job (`domain/job.py`). It reads in one snapshot of the database, so
that an attempt which is interrupted begins again; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain.criteria import BoundCriteria, Criteria
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.job import Callback, JobStatus, Person


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """Which records of a module are wanted, and which of their fields."""

    fields: tuple[str, ...] | None = None
    """Their api_names in the order of the columns; None for every field."""
    criteria: Criteria | None = None
    page: int = 1
    """The number of the page, from 1."""
    after: int | None = None
    """The page has ids above this one; then no record before it is counted. It was asked for by a
    token, which is in `page_token`."""
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A create request, checked as far as it can be without the schema."""

    module: str
    """Empty if none is given, because it continues another bulk read."""
    query: ReadQuery
    continues: int | None = None
    """The bulk read of which it wants the next page. What the query gives must be the same."""
    callback: Callback | None = None
    version: str = "v2"
    idempotency: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a bulk read has read."""

    rows: int
    last_id: int
    """The greatest id that was read; 0 if none was."""
    more: bool
    """Whether the next page has records."""


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """What a query means in its module, found when it was checked."""

    criteria: str | None
    """The bound criteria as the store keeps them (`store/reads.py`)."""
    field_ids: Mapping[str, int]
    """The ids of the fields of the criteria, by api_name."""


@dataclass(frozen=True, slots=True)
class ReadJob:
    """One bulk read in its current state."""

    id: int
    org_id: int
    module: str
    module_id: int
    query: ReadQuery
    bound: BoundQuery
    created_by: Person
    created_time: datetime
    """Aware, in the creator's time zone."""
    time_zone: str
    """IANA name of the creator's zone, in which the CSV shows date-times."""
    status: JobStatus = JobStatus.ADDED
    code: str | None = None
    """Why a FAILED job failed."""
    callback: Callback | None = None
    read: ReadResult | None = None
    """None until all records are read."""
    has_result: bool = False
    result_sha256: str | None = None
    result_swept: bool = False
    """Whether its result has expired and is deleted."""
    version: str = "v2"
    """The API version that it was created with; its callback has the shape of that version."""
    abort_time: datetime | None = None
    """When its abort was requested."""
    ended_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Some records of a module in the order of their ids, as a store reads them."""

    criteria: BoundCriteria | None
    after: int | None
    """Only ids above this one."""
    skipped: int
    """Records before the first one that is wanted."""
    most: int
