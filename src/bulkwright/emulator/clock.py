"""The clock of an emulator: a test can set it, move it and let it stand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.emulator.shared import Place, SharedState

_FROZEN, _OFFSET = int(Place.FROZEN), int(Place.OFFSET)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class OutOfRange(ValueError):
    """A time that the clock cannot show."""


class EmulatedClock:
    """The time that API and workers of an emulator show.

    Leases, timeouts and pauses of the processes use `monotonic`, which stays that of the machine.
    """

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._numbers = shared.numbers

    def now(self) -> datetime:
        """Returns the emulated time."""
        return _EPOCH + timedelta(microseconds=self.micros())

    def micros(self) -> int:
        """Returns the emulated time in microseconds since 1970, as cheaply as possible."""
        frozen = self._numbers[_FROZEN]
        if frozen:
            return frozen
        now = time.time_ns() // 1000  # clock: that of the machine, before it is moved
        return now + self._numbers[_OFFSET]

    def monotonic(self) -> float:
        """Returns the monotonic clock of the machine, in seconds."""
        return SYSTEM_CLOCK.monotonic()

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._shared[Place.FROZEN] != 0

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead of that of the machine."""
        return self.now() - SYSTEM_CLOCK.now()

    def set(self, moment: datetime, *, frozen: bool) -> None:
        """Sets the clock, which runs from there or stands. Raises OutOfRange."""
        if not EARLIEST <= moment <= LATEST:
            raise OutOfRange(f"The clock shows {EARLIEST.year} to {LATEST.year}.")
        # Each reader sees the time before or the time after, never a third one.
        if frozen:
            self._shared[Place.FROZEN] = _micros(moment - _EPOCH)
        else:
            self._shared[Place.OFFSET] = _micros(moment - SYSTEM_CLOCK.now())
            self._shared[Place.FROZEN] = 0
        self._shared.note_change()

    def run_real(self) -> None:
        """Shows the time of the machine again."""
        self._shared[Place.OFFSET] = 0
        self._shared[Place.FROZEN] = 0
        self._shared.note_change()


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
