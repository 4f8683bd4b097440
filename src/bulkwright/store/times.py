"""Times as the stores keep them: whole microseconds since 1970 UTC.

Other programs may count other units in their tables: seconds or milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bulkwright.clock import Clock
from bulkwright.domain.limits import LEASE_SECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((10**11, 1), (10**14, 1_000))
"""A number below these limits counts this number of units a second: it is before the year 5138."""


def micros(seconds: float) -> int:
    """Returns a length of time in microseconds."""
    return int(seconds * 1_000_000)


LEASE_MICROS = micros(LEASE_SECONDS)


def now_micros(clock: Clock) -> int:
    """Returns the wall clock in microseconds."""
    return to_micros(clock.now())


def lease_now(clock: Clock) -> int:
    """Returns the clock of leases on SQLite, in microseconds; unlike the wall clock it never jumps.

    All processes of a machine read the same value. It starts again when the machine does, so a
    lease that ends later than any lease can is from before. PostgreSQL's queries use the server's
    clock instead, which is the same for all machines.
    """
    return round(clock.monotonic() * 1_000_000)


def lease_times(clock: Clock) -> dict[str, int]:
    """Returns the query parameters of a lease: `now` and `lease`, its length, in microseconds.

    On PostgreSQL no query uses `now`.
    """
    return {"now": lease_now(clock), "lease": LEASE_MICROS}


def to_micros(moment: datetime) -> int:
    """Returns an aware time in microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(moment: int, zone: str) -> datetime:
    """Returns a time in microseconds as an aware time in an IANA zone."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def from_number(number: int) -> datetime:
    """Returns the time of a number of another program: (milli-, micro-)seconds since 1970.

    Raises OverflowError if no datetime holds it.
    """
    return _EPOCH + timedelta(microseconds=number * (1_000_000 // units_of(number)))


def units_of(number: int) -> int:
    """Returns how many units make a second, by the size of the number."""
    return next((units for limit, units in _UNITS if abs(number) < limit), 1_000_000)
