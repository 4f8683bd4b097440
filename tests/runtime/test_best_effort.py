"""Steps that may fail: logged at debug level, except for errors of the program."""

from __future__ import annotations

import logging

import pytest

from bulkwright.runtime.best_effort import best_effort


def test_a_failure_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """One line: the step, the error, and what happens otherwise."""
    caplog.set_level(logging.DEBUG, "bulkwright.worker")
    with best_effort("release the lease", otherwise="it expires"):
        raise OSError(28, "No space left on device")
    (record,) = caplog.records
    assert record.levelname == "DEBUG"
    assert record.getMessage() == (
        "could not release the lease: OSError: [Errno 28] No space left on device; it expires"
    )


def test_a_success_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The block runs once."""
    caplog.set_level(logging.DEBUG)
    runs = []
    with best_effort("release the lease", otherwise="it expires"):
        runs.append(1)
    assert (runs, caplog.records) == ([1], [])


@pytest.mark.parametrize("error", [AssertionError, TypeError, NameError, KeyboardInterrupt])
def test_errors_of_the_program_are_raised(error: type[BaseException]) -> None:
    """They would hide a bug; neither is a signal hidden."""
    with pytest.raises(error), best_effort("release the lease", otherwise="it expires"):
        raise error
