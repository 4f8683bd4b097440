"""How fast somebody may ask: two counters by key, in memory, of one process.

Both keep a bounded number of keys; the ones that asked longest ago are forgotten first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from bulkwright.domain.limits import (
    KEYS_REMEMBERED,
    SIGN_IN_FIRST_WAIT_SECONDS,
    SIGN_IN_FREE_FAILURES,
    SIGN_IN_MOST_WAIT_SECONDS,
)

Clock = Callable[[], float]


class Allowance:
    """So many requests at once, coming back at so many a second."""

    def __init__(self, most: float, a_second: float, clock: Clock = time.monotonic) -> None:
        self._most = most
        self._a_second = a_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Whether one more request is within the allowance of a key; counts it if so."""
        with self._lock:
            moment = self._clock()
            left, when = self._left.pop(key, (self._most, moment))
            left = min(self._most, left + (moment - when) * self._a_second)
            granted = left >= 1
            self._left[key] = (left - 1 if granted else left, moment)
            if len(self._left) > KEYS_REMEMBERED:
                self._left.popitem(last=False)
            return granted


class Failures:
    """Wrong passwords: after a few free ones each makes the next try wait twice as long."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until a key may try again; 0 for now."""
        with self._lock:
            count, when = self._known.get(key, (0, 0.0))
            extra = count - SIGN_IN_FREE_FAILURES
            if extra < 0:
                return 0.0
            # Bounded before it is raised: nothing overflows.
            longest = SIGN_IN_FIRST_WAIT_SECONDS * 2.0 ** min(extra, 30)
            return max(0.0, when + min(longest, SIGN_IN_MOST_WAIT_SECONDS) - self._clock())

    def failed(self, key: str) -> None:
        """Count a failure; those of a key that has been quiet for long enough are forgotten."""
        with self._lock:
            moment = self._clock()
            count, when = self._known.pop(key, (0, moment))
            if moment - when > 2 * SIGN_IN_MOST_WAIT_SECONDS:
                count = 0
            self._known[key] = (count + 1, moment)
            if len(self._known) > KEYS_REMEMBERED:
                self._known.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._known.pop(key, None)
