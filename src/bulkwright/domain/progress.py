"""How far a job is that has not ended. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What is done with a job now."""

    WAITING = "waiting"
    """No worker has it."""
    WRITING = "writing"
    """A worker writes its rows."""
    UNDOING = "undoing"
    """It stores all or nothing, and what it has stored is undone."""
    ENDING = "ending"
    """Its rows are done, or it was aborted: its result is made."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is."""

    phase: Phase
    jobs_before: int
    """How many jobs of the org that wait too come first."""
    rows_total: int | None
    """Rows of its files; None if they are not counted."""
    rows_a_second: float | None
    """None before the second chunk."""
    seconds_left: float | None
    """Until its last row is written at this pace; None if that is not known."""
