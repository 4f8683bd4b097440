"""How long things are kept after they have served their purpose.

Records are kept for good; what is swept is what led to them. Everything here is a time to keep
something at least: a sweep (`service/retention.py`) comes by once an hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

FOREVER = "forever"
LEAST = timedelta(hours=1)
"""An upload must live long enough for its job to be asked for."""

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long each kind of thing is kept; None is for ever."""

    uploads: timedelta | None
    """Since the upload, and as long as an unfinished job needs it."""
    results: timedelta | None
    """Since the end of the job; the job itself is kept longer."""
    jobs: timedelta | None
    """Since the end of the job: its details, its ledger, its result if that is still there."""
    callbacks: timedelta | None
    """Since a callback was delivered or given up."""


ZOHO = Keeping(
    uploads=timedelta(days=7),
    results=timedelta(days=7),
    jobs=timedelta(days=90),
    callbacks=timedelta(days=7),
)
"""Results for seven days, as described (facts 1.2); the rest is not documented."""

SERVICE = Keeping(
    uploads=timedelta(days=30),
    results=timedelta(days=90),
    jobs=timedelta(days=365),
    callbacks=timedelta(days=30),
)
"""For one's own data."""

KEEPING = {"zoho": ZOHO, "service": SERVICE}
"""What a profile keeps, unless told otherwise."""

STRAY_HOURS = 24
"""A file that belongs to nothing is left alone for so long: somebody may be at work on it."""


def parse_time(text: str) -> timedelta | None:
    """A time as people write it: `12h`, `7d`, `4w`; None for `forever`.

    Raises ValueError, saying what would do, for anything else.
    """
    if text.strip().lower() == FOREVER:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*([hdw])\s*", text, re.ASCII | re.IGNORECASE)
    if found is None or int(found[1]) > _MOST:
        raise ValueError(
            f"{text!r} is no time; write hours, days or weeks (12h, 7d, 4w), or forever"
        )
    time = int(found[1]) * _UNITS[found[2].lower()]
    if time < LEAST:
        raise ValueError(f"{text!r} is too short; an hour (1h) is the least")
    return time
