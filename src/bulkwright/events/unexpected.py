"""Logs an error that no request has caused: an outage of the machine, or a bug."""

from __future__ import annotations

import logging

from bulkwright.events.context import about, request_id
from bulkwright.outages import Outage, classify

_log = logging.getLogger("bulkwright.api.problems")  # this name is a contract


def log_unexpected(error: Exception) -> tuple[str, Outage | None]:
    """Logs the error of the current request under an id, which the user can quote.

    Returns the id and the outage that the error means; None for a bug, which is logged with its
    traceback.
    """
    number = request_id()
    outage = classify(error)
    with about(correlation_id=number):
        if outage is None:
            _log.error("internal error %s", number, exc_info=error)
        else:
            _log.error("internal error %s: %s", number, outage)
    return number, outage
