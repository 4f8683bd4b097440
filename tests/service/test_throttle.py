"""How fast somebody may ask, on a clock of our own."""

from __future__ import annotations

import pytest

from bulkwright.service.throttle import Allowance, Failures


def test_an_allowance_comes_back() -> None:
    """Ten a second, three at once; each key by itself."""
    moment = [0.0]
    allowance = Allowance(3, 10, lambda: moment[0])
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b")
    moment[0] = 0.1
    assert [allowance.take("a") for _ in range(2)] == [True, False]
    moment[0] = 99
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]


def test_waits_double_and_end() -> None:
    """2, 4, 8 s and never more than 15 minutes; a success forgets them."""
    moment = [0.0]
    failures = Failures(lambda: moment[0])
    waits = []
    for _ in range(16):
        moment[0] += failures.wait("a")
        failures.failed("a")
        waits.append(failures.wait("a"))
    assert waits[:7] == [0, 0, 0, 0, 2, 4, 8]
    assert max(waits) == waits[-1] == 900
    assert failures.wait("b") == 0
    failures.succeeded("a")
    assert failures.wait("a") == 0


def test_limits_forget_who_asked_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, however many names there are."""
    monkeypatch.setattr("bulkwright.service.throttle.KEYS_REMEMBERED", 10)
    allowance, failures = Allowance(1, 0), Failures()
    for number in range(100):
        assert allowance.take(str(number))
        failures.failed(str(number))
    assert len(allowance._left) == len(failures._known) == 10
