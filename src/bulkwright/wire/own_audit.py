"""The bodies of `/api/v1` about the audit log."""

from __future__ import annotations

from msgspec import Struct


class AuditSnapshot(Struct, frozen=True, kw_only=True):
    """One entry of the audit log."""

    id: str
    time: str
    action: str
    """Such as `job-aborted`."""
    user: str | None
    """The id of the user that it concerns, who acts unless an operator does."""
    client: str | None
    """The OAuth client."""
    address: str
    """From which a client acts; empty for an operator at the command line."""
    operator: str
    """The account of the operating system of an operator; empty over HTTP."""
    detail: str


class AuditPage(Struct, frozen=True, kw_only=True):
    """Some entries, newest first."""

    entries: list[AuditSnapshot]
    next_cursor: str | None
    """The `cursor` of the next page; null on the last one."""
