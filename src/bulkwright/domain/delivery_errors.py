"""Why a callback cannot be shown or sent again: classes of the tree in `errors.py`."""

from __future__ import annotations

from bulkwright.domain.errors import BulkwrightError


class NoCallback(BulkwrightError):
    """The job has no callback, or none that was begun."""

    code = "NO_CALLBACK"


class CallbackIsPending(BulkwrightError):
    """The callback of the job is not delivered yet, so that it cannot be sent again."""

    code = "CALLBACK_IS_PENDING"
