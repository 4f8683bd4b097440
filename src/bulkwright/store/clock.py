"""Times as the stores keep them: whole microseconds since 1970 UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bulkwright.domain.limits import LEASE_SECONDS

LEASE_MICROS = int(LEASE_SECONDS * 1_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The wall clock, in microseconds."""
    return time.time_ns() // 1000


def lease_now() -> int:
    """The clock of leases on SQLite, in microseconds: it never jumps, as the wall clock may.

    The same in all processes of a machine, and it begins anew when the machine does: a lease that
    would hold for longer than any lease is one from before. PostgreSQL's queries use the server's
    clock instead, which is the same for all machines.
    """
    return time.monotonic_ns() // 1000


def lease_times() -> dict[str, int]:
    """From when on a lease holds, and for how long. A server's own clock goes before `now`."""
    return {"now": lease_now(), "lease": LEASE_MICROS}


def to_micros(moment: datetime) -> int:
    """An aware time as microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int, zone: str) -> datetime:
    """Microseconds as an aware time in an IANA zone."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone))
