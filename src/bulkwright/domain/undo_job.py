"""The undo of a bulk write: a job that removes and restores what another job wrote. Pure values.

Its states are those of every job (`domain/job.py`). Records that the other job created are removed,
records that it updated are restored. A record that was written since is kept as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.job import Callback, JobStatus, Person
from bulkwright.domain.outcome import Counts


class UndoOutcome(StrEnum):
    """What the undo of a job has done with a record."""

    REMOVED = "REMOVED"
    RESTORED = "RESTORED"
    KEPT = "KEPT"


class KeptReason(StrEnum):
    """Why a record was kept, or what is to be known of another outcome."""

    CHANGED = "CHANGED_SINCE"
    """Another job or a record call has written the record after the job, or between two writes of
    the job."""
    DELETED = "DELETED_SINCE"
    """The record does not exist any more."""
    KEY_TAKEN = "KEY_TAKEN"
    """Another record has a unique value now that the record had before the job."""


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """What is to be undone, and how."""

    undone_id: int
    dry_run: bool = False
    """Whether the result only says what would be done."""
    callback: Callback | None = None
    idempotency: IdempotencyKey | None = None
    """The key of the request; repeated with it, it has no second effect."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What shows whether a bulk write can be undone."""

    dry: bool
    """Whether it was a dry run, which has stored nothing."""
    existing_tables: Sequence[str]
    """Its modules whose records are in tables of the user."""
    lacks_images: bool
    """Whether it has not kept what the records held before, or not kept it until now."""
    undo_id: int | None
    """The undo of it that runs or has completed, if there is one."""
    undo_status: JobStatus | None = None


@dataclass(frozen=True, slots=True)
class UndoJob:
    """The undo of one job in its current state."""

    id: int
    org_id: int
    undone_id: int
    """The job that is undone."""
    dry_run: bool
    created_by: Person
    created_time: datetime
    """Aware, in the creator's time zone."""
    time_zone: str
    status: JobStatus = JobStatus.ADDED
    code: str | None = None
    callback: Callback | None = None
    counts: Counts = field(default_factory=Counts)
    """Records that are removed (`added`), restored (`updated`) and kept (`skipped`) so far."""
    has_result: bool = False
    result_sha256: str | None = None
    result_swept: bool = False
    """Whether its result has expired and is deleted."""
    ended_time: datetime | None = None
    abort_time: datetime | None = None
    """When its abort was requested: no record was changed later."""
    version: str = "v8"
    """The version of the Zoho API whose names its callback uses."""

    @property
    def removed(self) -> int:
        """Records that do not exist any more because they were created by the job."""
        return self.counts.added

    @property
    def restored(self) -> int:
        """Records that hold what they held before the job."""
        return self.counts.updated

    @property
    def kept(self) -> int:
        """Records that are as they were before the undo."""
        return self.counts.skipped
