"""The clock of the test process, stopped for tests whose subject is not how fast they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bulkwright.clock import SYSTEM_CLOCK, SystemClock


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Stop the clock of this process: no throttle refills, and no wait ends."""
    monotonic, now = SYSTEM_CLOCK.monotonic(), SYSTEM_CLOCK.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "monotonic", lambda _: monotonic)
        patch.setattr(SystemClock, "now", lambda _: now)
        yield
