"""Limits how fast a client may try.

`Allowance` counts in the memory of one process, for a bounded number of keys: the keys that were
used longest ago are dropped first. `Failures` counts in the database, for all processes.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import (
    KEYS_REMEMBERED,
    SIGN_IN_FIRST_WAIT_SECONDS,
    SIGN_IN_FREE_FAILURES,
    SIGN_IN_MOST_WAIT_SECONDS,
)
from bulkwright.store.sessions import SessionStore

_IPV6_NETWORK_BITS = 64
"""What one subscriber has: it can use any address of it."""


class TryLater(Exception):
    """There were too many wrong passwords; the next try is allowed in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"try again in {seconds:.0f} s")

    @property
    def whole_seconds(self) -> int:
        """The seconds, rounded up."""
        return math.ceil(self.seconds)

    @property
    def words(self) -> str:
        """The time for a person: `12 seconds`, `3 minutes`."""
        seconds = self.whole_seconds
        return f"{seconds} seconds" if seconds < 100 else f"{seconds // 60 + 1} minutes"


class Allowance:
    """A token bucket by key: up to `most` requests at once, refilled by `per_second`."""

    def __init__(self, most: float, per_second: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._most = most
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """The requests left, and when they were counted, by key."""
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Returns whether one more request of a key is allowed, and counts it if so."""
        with self._lock:
            now = self._clock.monotonic()
            left, counted_at = self._buckets.pop(key, (self._most, now))
            left = min(self._most, left + (now - counted_at) * self._per_second)
            granted = left >= 1
            self._buckets[key] = (left - 1 if granted else left, now)
            if len(self._buckets) > KEYS_REMEMBERED:
                self._buckets.popitem(last=False)
            return granted

    def forget(self) -> None:
        """Forgets all requests."""
        with self._lock:
            self._buckets.clear()


class Failures:
    """Counts wrong passwords by key. After a few free ones, each doubles the wait for the next."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def wait(self, key: str) -> float:
        """Returns the seconds until the next try of a key is allowed; 0 if it is allowed now."""
        count, seconds = self._sessions.failures(key)
        excess = count - SIGN_IN_FREE_FAILURES
        if excess < 0:
            return 0.0
        # The exponent is bounded, so that the power cannot overflow.
        wait = SIGN_IN_FIRST_WAIT_SECONDS * 2.0 ** min(excess, 30)
        return max(0.0, min(wait, SIGN_IN_MOST_WAIT_SECONDS) - seconds)

    def failed(self, key: str) -> None:
        """Counts a failure. The count of a key restarts if its last failure is long ago."""
        self._sessions.add_failure(key)

    def succeeded(self, key: str) -> None:
        """Drops the failures of a key."""
        self._sessions.delete_failures(key)


def network_of(address: str) -> str:
    """Returns the part of an address that one caller cannot change: IPv4 whole, IPv6 its /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    host_bits = 128 - _IPV6_NETWORK_BITS
    return str(IPv6Address(int(parsed) >> host_bits << host_bits))
