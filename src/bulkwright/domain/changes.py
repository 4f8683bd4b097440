"""What jobs have changed in records. Pure values; texts are those of cells of a CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChangeNote(StrEnum):
    """What is to be known of a change that is not known completely."""

    CHANGED = "CHANGED_SINCE"
    """Another job or a record call has written the record after the job, or between two of its
    writes."""
    DELETED = "DELETED_SINCE"
    """The record does not exist any more."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record."""

    field: str
    """API name."""
    before: str | None
    after: str | None
    """None also if it is not known."""


@dataclass(frozen=True, slots=True)
class RecordDiff:
    """What one job has changed in one record."""

    record_id: int
    added: bool
    """Whether the job has created it."""
    fields: Sequence[FieldChange]
    """The fields that differ. If the values after the job are not known, all that it has written
    with their values before; none of a record that it has created."""
    note: ChangeNote | None = None

    @property
    def change(self) -> str:
        """`ADDED` or `UPDATED`."""
        return "ADDED" if self.added else "UPDATED"


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One write of a record in its history."""

    job_id: int | None
    """None for a record call, and for a job that is not listed any more."""
    time: datetime | None
    """When; None if it is not known."""
    user_id: int | None
    """Who has modified the record; None if it is not known."""
    created: bool
    """Whether the record was created."""
    fields: Sequence[FieldChange] | None
    """What it has changed; None if that is not known."""
    after_known: bool = True
    """Whether the values after it are known."""


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """The writes of a record, newest first, as far as they are known."""

    record_id: int
    exists: bool
    writes: Sequence[RecordWrite]
    complete: bool
    """Whether no write is missing between the first listed one and the last one."""
