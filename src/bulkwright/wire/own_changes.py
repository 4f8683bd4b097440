"""The bodies of `/api/v1` about what jobs have changed in records.

Values are cells of a CSV; an empty one is null.
"""

from __future__ import annotations

from msgspec import Struct


class ChangedField(Struct, frozen=True, kw_only=True):
    """One field of a record."""

    field: str
    before: str | None
    after: str | None


class ChangedRecord(Struct, frozen=True, kw_only=True):
    """What a job has changed in one record: a line of a diff in JSON lines."""

    record_id: str
    change: str
    """`ADDED` or `UPDATED`."""
    note: str | None
    """`CHANGED_SINCE` or `DELETED_SINCE`: the values after the job are not known, apart from those
    that are shown."""
    fields: list[ChangedField]
    """Of the fields that the job fills, those that differ."""


class WriteOfRecord(Struct, frozen=True, kw_only=True):
    """One write of a record."""

    job: str | None
    """The id of the job. Null for a record call, and for a job that is not listed any more."""
    time: str | None
    modified_by: str | None
    """The id of the user."""
    created: bool
    """Whether the record was created."""
    after_known: bool
    """Whether the values after the write are known; otherwise `after` is null."""
    fields: list[ChangedField] | None
    """Null if it is not known what was changed."""


class HistoryOfRecord(Struct, frozen=True, kw_only=True):
    """The writes of a record, newest first, as far as they are known."""

    module: str
    record_id: str
    exists: bool
    complete: bool
    """Whether all writes since the record was created are listed with what they have changed."""
    writes: list[WriteOfRecord]
