"""The clock of the test process, stopped for tests whose subject is not how fast they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bulkwright.clock import SYSTEM_CLOCK, SystemClock


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Stop the monotonic clock of this process: no throttle refills, and no wait ends."""
    now = SYSTEM_CLOCK.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "monotonic", lambda _: now)
        yield
