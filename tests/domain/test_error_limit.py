"""How many rows a job may skip."""

from __future__ import annotations

import pytest

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.outcome import Counts


@pytest.mark.parametrize(
    "limit, done, ended, passed",
    [
        (ErrorLimit(rows=0), Counts(added=5), True, False),
        (ErrorLimit(rows=0), Counts(skipped=1), False, True),
        (ErrorLimit(rows=2), Counts(skipped=2), True, False),
        (ErrorLimit(percent=2), Counts(added=900, skipped=99), False, False),
        (ErrorLimit(percent=2), Counts(added=900, skipped=99), True, True),
        (ErrorLimit(percent=2), Counts(added=980, skipped=20), True, False),
        (ErrorLimit(percent=2), Counts(updated=979, skipped=21), False, True),
        (ErrorLimit(percent=0), Counts(), True, False),
    ],
)
def test_a_limit_of_errors(limit: ErrorLimit, done: Counts, ended: bool, passed: bool) -> None:
    """More than the limit passes it; a share counts from 1,000 rows on."""
    assert limit.is_passed(done, ended=ended) is passed
