"""How fast a client may try, on a clock that the test sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bulkwright.clock import ManualClock
from bulkwright.domain.limits import SIGN_IN_FAILURE_SECONDS
from bulkwright.service.throttle import Allowance, Failures, network_of
from bulkwright.store.database import Database
from bulkwright.store.migrate import migrate
from bulkwright.store.sessions import SessionStore


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


@pytest.fixture
def failures(empty_database: Database, clock: ManualClock) -> Failures:
    """The counters of failed sign-ins, on each store."""
    migrate(empty_database)
    empty_database.clock = clock
    return Failures(SessionStore(empty_database))


def test_waits_double_up_to_a_bound(failures: Failures, clock: ManualClock) -> None:
    """2, 4, 8 s and never more than 15 minutes; a success ends them."""
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


def test_failures_are_forgotten(failures: Failures, clock: ManualClock) -> None:
    """Half an hour after the last one, and when the clock was set back."""
    for _ in range(8):
        failures.failed("a")
    assert failures.wait("a") > 0
    clock.advance(SIGN_IN_FAILURE_SECONDS + 1)
    assert failures.wait("a") == 0
    failures.failed("a")
    assert failures.wait("a") == 0
    for _ in range(8):
        failures.failed("a")
    clock.set_wall(clock.now() - timedelta(days=365))
    assert failures.wait("a") == 0
    failures.failed("a")
    assert failures.wait("a") == 0


def test_failures_are_counted_for_all_processes(
    failures: Failures, empty_database: Database
) -> None:
    """Another process with the same database reads the same counters."""
    for _ in range(6):
        failures.failed("a")
    assert Failures(SessionStore(empty_database)).wait("a") > 0


def test_the_keys_used_longest_ago_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, however many names there are."""
    monkeypatch.setattr("bulkwright.service.throttle.KEYS_REMEMBERED", 10)
    allowance = Allowance(1, 0)
    for number in range(100):
        assert allowance.take(str(number))
    assert len(allowance._buckets) == 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::1", "::"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_caller_cannot_change_its_network(address: str, network: str) -> None:
    """A subscriber of IPv6 has 2**64 addresses and is one caller all the same."""
    assert network_of(address) == network
