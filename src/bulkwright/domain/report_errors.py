"""Why the rows of a job cannot be reported: classes of the tree in `errors.py`."""

from __future__ import annotations

from bulkwright.domain.errors import BulkwrightError


class NoResult(BulkwrightError):
    """The job has no result: it has not ended, or its result could not be made."""

    code = "NO_RESULT"
    default_message = "The job has no result."


class RowsGone(BulkwrightError):
    """A file that the report needs does not exist any more, or is not what was stored."""


class ResultExpired(RowsGone):
    """The result was deleted after its time."""

    code = "RESULT_EXPIRED"
    default_message = "The result of the job has expired and was deleted."


class ResultUnusable(RowsGone):
    """The stored result is missing or has changed."""

    code = "RESULT_DAMAGED"
    default_message = "The result does not have one line for each row of the upload."


class UploadExpired(RowsGone):
    """The upload was deleted after its time."""

    code = "UPLOAD_EXPIRED"
    default_message = "The upload of the job has expired and was deleted."


class UploadUnusable(RowsGone):
    """The stored upload is missing or has changed."""

    code = "UPLOAD_DAMAGED"
    default_message = "The stored upload of the job is missing or damaged."
