"""The bodies of `/api/v1` about bulk reads."""

from __future__ import annotations

from msgspec import Struct

from bulkwright.wire.own import Creator


class ReadSnapshot(Struct, frozen=True, kw_only=True):
    """A bulk read as it is now."""

    id: str
    status: str
    """`ADDED`, `INPROGRESS`, `COMPLETED` or `FAILED`."""
    code: str | None
    """Why it failed."""
    module: str
    fields: list[str] | None
    """The columns of its CSV, by API name; null for every field."""
    has_criteria: bool
    """Whether it reads some records only."""
    page: int
    created_by: Creator
    created_time: str
    ended_time: str | None
    rows: int | None
    """Records that were read; null until all are."""
    more: bool | None
    """Whether the next page has records; null until all records of this one are read."""
    has_result: bool
    """Whether its CSV can be downloaded."""
    abort_requested_time: str | None
    callback_url: str | None


class ReadPage(Struct, frozen=True, kw_only=True):
    """Some bulk reads, newest first."""

    reads: list[ReadSnapshot]
    next_cursor: str | None
    """The `cursor` of the next page; null on the last one."""
