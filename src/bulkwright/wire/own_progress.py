"""The part of a job of `/api/v1` that says how far it is."""

from __future__ import annotations

from msgspec import Struct


class ProgressSnapshot(Struct, frozen=True, kw_only=True):
    """How far a job is that has not ended."""

    phase: str
    """`waiting`, `writing`, `undoing` (it stores all or nothing) or `ending`."""
    waits_for: str | None
    """`jobs` of the org that come first, or a free `worker`; null if it does not wait."""
    jobs_before: int
    """How many jobs of the org that wait too come first."""
    rows_total: int | None
    """Rows of its files; null if they are not counted."""
    rows_a_second: float | None
    """Null before its second chunk."""
    seconds_left: float | None
    """Until its last row is written at this pace; null if that is not known."""
