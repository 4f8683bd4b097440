"""Limits how fast a client may try: two counters by key, in the memory of one process.

Both keep a bounded number of keys; the keys that were used longest ago are dropped first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import (
    KEYS_REMEMBERED,
    SIGN_IN_FIRST_WAIT_SECONDS,
    SIGN_IN_FREE_FAILURES,
    SIGN_IN_MOST_WAIT_SECONDS,
)


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


class Failures:
    """Counts wrong passwords by key. After a few free ones, each doubles the wait for the next."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """How many failures, and when the last one was, by key."""
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Returns the seconds until the next try of a key is allowed; 0 if it is allowed now."""
        with self._lock:
            count, last = self._failures.get(key, (0, 0.0))
            excess = count - SIGN_IN_FREE_FAILURES
            if excess < 0:
                return 0.0
            # The exponent is bounded, so that the power cannot overflow.
            wait = SIGN_IN_FIRST_WAIT_SECONDS * 2.0 ** min(excess, 30)
            return max(0.0, last + min(wait, SIGN_IN_MOST_WAIT_SECONDS) - self._clock.monotonic())

    def failed(self, key: str) -> None:
        """Counts a failure. The count of a key restarts if its last failure is long ago."""
        with self._lock:
            now = self._clock.monotonic()
            count, last = self._failures.pop(key, (0, now))
            if now - last > 2 * SIGN_IN_MOST_WAIT_SECONDS:
                count = 0
            self._failures[key] = (count + 1, now)
            if len(self._failures) > KEYS_REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Drops the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)
