"""How long uploads, results, jobs, callbacks, refresh tokens and audit entries are kept.

Records are never deleted. Every time here is a minimum, because the sweep (`service/retention.py`)
runs once an hour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

FOREVER = "forever"
NOT_KEPT = "0"
SHORTEST = timedelta(hours=1)
"""An upload must exist until its job is created."""

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """The time to keep what is not a record; None is forever."""

    uploads: timedelta | None
    """Since the upload, and as long as an unfinished job needs it."""
    results: timedelta | None
    """Since the end of the job; the job itself may be kept longer."""
    jobs: timedelta | None
    """Since the end of the job: its details, its ledger, and its result if it still exists."""
    callbacks: timedelta | None
    """Since a callback was delivered or given up."""
    refresh_tokens: timedelta | None = None
    """Since the last use of a refresh token."""
    audit: timedelta | None = None
    """Since an entry of the audit log was added."""
    idempotency_keys: timedelta | None = None
    """Since the first request with an idempotency key."""
    images: timedelta | None = None
    """Since the end of the job that updated the records; zero if none are kept."""


ZOHO = RetentionPolicy(
    uploads=timedelta(days=7),
    results=timedelta(days=7),
    jobs=timedelta(days=90),
    callbacks=timedelta(days=7),
    refresh_tokens=None,
    audit=timedelta(days=90),
    idempotency_keys=timedelta(days=1),
    images=timedelta(days=7),
)
"""Results for seven days (facts 1.2), refresh tokens forever (facts 7.2), as described; the rest is
not documented."""

SERVICE = RetentionPolicy(
    uploads=timedelta(days=30),
    results=timedelta(days=90),
    jobs=timedelta(days=365),
    callbacks=timedelta(days=30),
    refresh_tokens=timedelta(days=180),
    audit=timedelta(days=365),
    idempotency_keys=timedelta(days=1),
    images=timedelta(days=30),
)
"""For data of the operator."""

RETENTION_POLICIES = {"zoho": ZOHO, "service": SERVICE}
"""The default retention policy of each limits profile."""

STRAY_HOURS = 24
"""Age in hours from which a stray file is deleted; a younger one may still be in use."""


def parse_time(text: str, *, may_be_none: bool = False) -> timedelta | None:
    """Parse a time: `12h`, `7d`, `4w`; returns None for `forever`.

    With `may_be_none`, `0` is a time too. Raises ValueError with the valid forms for any other.
    """
    if may_be_none and text.strip() == NOT_KEPT:
        return timedelta(0)
    if text.strip().lower() == FOREVER:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*([hdw])\s*", text, re.ASCII | re.IGNORECASE)
    if found is None or int(found[1]) > _LONGEST:
        raise ValueError(
            f"{text!r} is not a time; write hours, days or weeks (12h, 7d, 4w), or forever"
        )
    time = int(found[1]) * _UNITS[found[2].lower()]
    if time < SHORTEST:
        raise ValueError(f"{text!r} is too short; an hour (1h) is the least")
    return time


@dataclass(frozen=True, slots=True)
class DeletedJob:
    """What was deleted with a job that a user has deleted, and what was not."""

    had_result: bool
    """Whether it had a result, which is deleted too."""
    uploads: tuple[int, ...]
    """Its uploads, which are deleted too."""
    kept_uploads: tuple[int, ...]
    """Those that are kept, because another job reads them."""
    dropped_callback: bool
    """Whether its end was not reported yet, and never will be."""
