"""How fast a client may try, on a clock that the test sets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bulkwright.clock import ManualClock
from bulkwright.service.throttle import Allowance, Failures


@pytest.fixture
def clock() -> ManualClock:
    """A clock at second 0."""
    return ManualClock(datetime(2024, 1, 31, tzinfo=UTC))


def test_an_allowance_is_refilled(clock: ManualClock) -> None:
    """Ten a second, three at once; each key by itself."""
    allowance = Allowance(3, 10, clock)
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b")
    clock.advance(0.125)
    assert [allowance.take("a") for _ in range(2)] == [True, False]
    clock.advance(99)
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]


def test_waits_double_up_to_a_bound(clock: ManualClock) -> None:
    """2, 4, 8 s and never more than 15 minutes; a success ends them."""
    failures = Failures(clock)
    waits = []
    for _ in range(16):
        clock.advance(failures.wait("a"))
        failures.failed("a")
        waits.append(failures.wait("a"))
    assert waits[:7] == [0, 0, 0, 0, 2, 4, 8]
    assert max(waits) == waits[-1] == 900
    assert failures.wait("b") == 0
    failures.succeeded("a")
    assert failures.wait("a") == 0


def test_the_keys_used_longest_ago_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, however many names there are."""
    monkeypatch.setattr("bulkwright.service.throttle.KEYS_REMEMBERED", 10)
    allowance, failures = Allowance(1, 0), Failures()
    for number in range(100):
        assert allowance.take(str(number))
        failures.failed(str(number))
    assert len(allowance._buckets) == len(failures._failures) == 10
