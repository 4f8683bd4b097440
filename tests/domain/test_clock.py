"""The clock that tests set, and the one of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bulkwright.clock import SYSTEM_CLOCK, ManualClock

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """Two readings are equal; `advance` moves both by the same seconds."""
    clock = ManualClock(NOON, monotonic=5.0)
    assert (clock.now(), clock.monotonic()) == (clock.now(), clock.monotonic()) == (NOON, 5.0)
    clock.advance(90.5)
    assert clock.now() == NOON + timedelta(seconds=90.5)
    assert clock.monotonic() == 95.5


def test_the_wall_clock_may_go_back_and_the_monotonic_one_does_not() -> None:
    """`set_wall` leaves the monotonic reading alone; `advance` refuses to go back."""
    clock = ManualClock(NOON)
    clock.set_wall(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)
    assert clock.monotonic() == 0.0
    with pytest.raises(ValueError, match="zero or more seconds"):
        clock.advance(-1)


def test_times_are_in_utc_whatever_zone_they_are_set_in() -> None:
    """A time of another zone is converted."""
    tokyo = timezone(timedelta(hours=9))
    clock = ManualClock(NOON.astimezone(tokyo))
    assert clock.now().tzinfo is UTC
    assert clock.now() == NOON
    assert SYSTEM_CLOCK.now().tzinfo is UTC
