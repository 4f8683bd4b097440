"""The clock of a deployment. Every part reads the time from it, so that a test can set it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Two readings of time, both cheap enough for every request."""

    def now(self) -> datetime:
        """Returns the wall clock as an aware UTC time; it may jump when the clock is set."""
        ...

    def monotonic(self) -> float:
        """Returns seconds since an unknown moment; never goes back.

        All processes of one machine read the same value, so leases on SQLite rely on it.
        """
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Returns the wall clock of the machine, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns the monotonic clock of the machine, in seconds."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved. For tests, within one process."""

    def __init__(self, now: datetime, monotonic: float = 0.0) -> None:
        """Starts at `now`, an aware time, and at `monotonic` seconds."""
        self._now = now.astimezone(UTC)
        self._monotonic = monotonic

    def now(self) -> datetime:
        """Returns the wall clock as it was set last."""
        return self._now

    def monotonic(self) -> float:
        """Returns the monotonic seconds as they were set last."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Moves both readings forward by `seconds`. Raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError("a clock advances by zero or more seconds; use set_wall to go back")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, now: datetime) -> None:
        """Sets the wall clock alone, as an administrator would; it may go back."""
        self._now = now.astimezone(UTC)


SYSTEM_CLOCK = SystemClock()
"""The clock that is used where none is given."""
