"""What a worker does before its first job."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.runtime.warm_up import warm_up

FIRST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.runtime.worker import Worker
from bulkwright.runtime.warm_up import warm_up
assert "numpy" not in sys.modules
with ThreadPoolExecutor(2) as threads:
    warm_up(threads, SYSTEM_CLOCK)
assert "numpy" in sys.modules
"""


def test_all_steps_run(caplog: pytest.LogCaptureFixture) -> None:
    """A step that failed would be logged, and the first job would pay for it."""
    caplog.set_level(logging.DEBUG)
    with ThreadPoolExecutor(2) as threads:
        warm_up(threads, SYSTEM_CLOCK)
    assert caplog.records == []


@pytest.mark.slow
def test_the_first_job_imports_nothing_large() -> None:
    """The import of a worker does not import it, so that commands start fast; warming up does."""
    subprocess.run([sys.executable, "-c", FIRST], check=True)
