"""Fixtures of the browser tests."""

from __future__ import annotations

import pytest
from tests.support.chromium import missing


@pytest.fixture(scope="module")
def browsers() -> None:
    """Skips the tests if no browser is installed."""
    if reason := missing():
        pytest.skip(f"NOT TESTED: pages in a browser: {reason}")
