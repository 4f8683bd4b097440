"""The pace of a job, from the times of its commits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkwright.domain.pace import pace_of

SECOND = 1_000_000


def test_rows_were_done_since_the_commit_before() -> None:
    """A chunk that took four seconds is a steady pace, and no peak at its end."""
    pace = pace_of([(0, 500), (2 * SECOND, 200), (6 * SECOND, 200)], 3)
    assert pace is not None
    assert pace.rates == pytest.approx((100, 50, 50))
    assert (pace.span, pace.average) == pytest.approx((2, 400 / 6))


@pytest.mark.parametrize("commits", [[], [(5, 10)], [(5, 10), (5, 10)]])
def test_a_job_without_time_has_no_pace(commits: list[tuple[int, int]]) -> None:
    assert pace_of(commits, 60) is None


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), min_size=2, max_size=50),
    st.integers(1, 80),
)
def test_no_row_is_lost(commits: list[tuple[int, int]], spans: int) -> None:
    """The spans have all rows but those of the first commit."""
    ordered = sorted(commits)
    pace = pace_of(ordered, spans)
    if pace is None or any(a[0] == b[0] for a, b in pairwise(ordered)):
        return
    assert sum(pace.rates) * pace.span == pytest.approx(sum(n for _, n in ordered[1:]), abs=1)
