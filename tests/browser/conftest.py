"""Says what was not tested where there is no browser."""

from __future__ import annotations

import pytest
from tests.browser.chromium import missing

_SKIPPED = pytest.StashKey[str]()


@pytest.fixture(scope="module")
def browsers(request: pytest.FixtureRequest) -> None:
    """Skips the tests that have no browser to drive."""
    if reason := missing():
        request.config.stash[_SKIPPED] = reason
        pytest.skip(reason)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say so however quiet pytest is."""
    if reason := config.stash.get(_SKIPPED, ""):
        text = f"NOT TESTED: signing in with a browser: {reason}"
        terminalreporter.write_line(text, yellow=True, bold=True)
