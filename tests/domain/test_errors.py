"""The parts of an error: message, details, code."""

from __future__ import annotations

import pytest

from bulkwright.domain import errors
from bulkwright.domain.errors import BulkwrightError, InvalidData, RequestError


def every_error() -> list[type[BulkwrightError]]:
    """Returns every error class of the module."""
    found = [c for c in vars(errors).values() if isinstance(c, type)]
    return [c for c in found if issubclass(c, BulkwrightError)]


def test_an_error_has_the_message_of_its_class() -> None:
    """And no details. `str`, which logs show, is the message too."""
    error = InvalidData()
    assert (error.code, error.message, error.details) == ("INVALID_DATA", "invalid data", {})
    assert str(error) == "invalid data"


@pytest.mark.parametrize("message", ["index is not a number", ""])
def test_a_message_of_its_own_replaces_that_of_the_class(message: str) -> None:
    """An empty one does as well."""
    error = InvalidData(message)
    assert (error.message, str(error)) == (message, message)


def test_the_details_are_a_copy() -> None:
    """A later change of the argument does not reach the response."""
    details: dict[str, object] = {"api_name": "index"}
    error = InvalidData(details=details)
    details.clear()
    assert error.details == {"api_name": "index"}
    assert error.message == "invalid data"


@pytest.mark.parametrize("error", every_error())
def test_every_error_is_ready_for_a_response(error: type[BulkwrightError]) -> None:
    """It has a code and a message without a template that is not filled."""
    raised = error()
    assert raised.code.replace("_", "").isalpha() and raised.code.isupper()
    assert raised.message
    assert "{" not in raised.message
    assert raised.details == {}


def test_no_two_request_errors_share_a_code() -> None:
    """A client that reads only the code knows what it must change."""
    codes = [e.code for e in every_error() if issubclass(e, RequestError) and "code" in vars(e)]
    assert len(codes) == len(set(codes))
