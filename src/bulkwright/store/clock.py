"""Times as the stores keep them: whole microseconds since 1970 UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The wall clock, in microseconds."""
    return time.time_ns() // 1000


def to_micros(moment: datetime) -> int:
    """An aware time as microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int, zone: str) -> datetime:
    """Microseconds as an aware time in an IANA zone."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone))
