"""The errors of requests and jobs. Pure data: a code, a message, details.

A bad *row* is never an error: it is data, with a reason (`domain/outcome.py`). Every error here
ends a request or a whole job. Its form on the wire (HTTP status, envelope) is defined once, in
`zoho/problems.py`. A code is never reused for another meaning.

    BulkwrightError
    ├── RequestError                  the caller must change something
    │   ├── InvalidRequest              INVALID_REQUEST
    │   ├── MissingKey                  MISSING_REQUIRED_KEY
    │   ├── InvalidData                 INVALID_DATA
    │   ├── MandatoryNotFound           MANDATORY_NOT_FOUND (a key of the mapping)
    │   ├── MandatoryFieldsNotMapped    MANDATORY_FIELDS_NOT_MAPPED
    │   ├── InvalidField                INVALID_FIELD
    │   ├── InvalidFormat               INVALID_FORMAT (a date pattern)
    │   ├── DuplicateMapping            DUPLICATE_DATA
    │   ├── LimitExceeded               LIMIT_EXCEEDED
    │   ├── QuotaExceeded               TOO_MANY_REQUESTS (a quota of the org)
    │   ├── IdempotencyKeyReused        IDEMPOTENCY_KEY_REUSED (own)
    │   ├── ColumnIndexNotFound         COLUMN_INDEX_NOT_FOUND
    │   ├── HeaderLimitExceeded         HEADER_LIMIT_EXCEEDED
    │   ├── ModuleNotAvailable          MODULE_NOT_AVAILABLE (bulk write), INVALID_MODULE (reads)
    │   ├── RequiredParamMissing        REQUIRED_PARAM_MISSING
    │   ├── InvalidFileId               INVALID_FILE_ID
    │   ├── FileNotFound                FILE_NOT_FOUND
    │   ├── InvalidCallbackUrl          INVALID_CALLBACK_URL
    │   ├── InvalidCallbackMethod       INVALID_CALLBACK_METHOD
    │   ├── (record_errors.py)          those of searches and pages of records
    │   └── FileError                 the uploaded file cannot be used
    │       ├── InvalidFileFormat       INVALID_FILE_FORMAT (not an intact zip)
    │       ├── FileTooLarge            FILE_TOO_LARGE
    │       └── FileNotSupported        FILE_NOT_SUPPORTED (no CSV, several CSVs, unreadable CSV)
    ├── AccessError                   the caller is unknown or has no permission
    │   ├── AuthenticationFailure       AUTHENTICATION_FAILURE
    │   ├── InvalidToken                INVALID_TOKEN
    │   ├── ScopeMismatch               OAUTH_SCOPE_MISMATCH
    │   ├── NoPermission                NO_PERMISSION
    │   ├── AuthorizationFailed         AUTHORIZATION_FAILED
    │   ├── GatewayRejection              upload headers missing or wrong (own shape)
    │   ├── FeatureNotSupported         NOT_SUPPORTED_FEATURE (another `feature` header)
    │   └── LinkNotValid                a download link without a result
    ├── ResourceNotFound              RESOURCE_NOT_FOUND
    ├── (report_errors.py)            why the rows of a job cannot be reported
    ├── JobHasEnded                   JOB_HAS_ENDED (own)
    ├── JobIsOpen                     JOB_IS_OPEN (own)
    ├── (delivery_errors.py)          why a callback cannot be shown or sent again
    ├── (undo_errors.py)              why a job cannot be undone
    ├── ResultDamaged                 the stored result has changed
    ├── OAuthError                    errors of the token endpoint (`error` in the body)
    │   └── TooManyTokenRequests        Access Denied (own shape)
    └── JobError                      ends a running job as FAILED, with its code
        ├── FileDamaged                 the stored upload has changed
        ├── LeaseLost                   another worker has the job now; nothing was changed
        ├── WorkerFailed                three tries without progress
        ├── Aborted                     a user has aborted it
        └── TooManyErrors               it has skipped more rows than it may
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class BulkwrightError(Exception):
    """An error that has a code.

    `details` are sent under that key of the envelope; they never hold row contents or secrets.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    default_message: ClassVar[str] = "Internal Server Error"

    def __init__(
        self, message: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        self.message = self.default_message if message is None else message
        self.details: dict[str, object] = dict(details or {})
        super().__init__(self.message)


class RequestError(BulkwrightError):
    """The caller must change something in the request."""


class InvalidRequest(RequestError):
    """The request as a whole cannot be parsed."""

    code = "INVALID_REQUEST"
    default_message = "The request is not a valid one"


class MissingKey(RequestError):
    """A required key is missing (facts 3.6)."""

    code = "MISSING_REQUIRED_KEY"
    default_message = "A required key is not found in the request body"


class InvalidData(RequestError):
    """A value has the wrong type or is out of range."""

    code = "INVALID_DATA"
    default_message = "invalid data"


class MandatoryNotFound(RequestError):
    """A mapping lacks a key that its field needs (facts 3.3: a lookup needs find_by)."""

    code = "MANDATORY_NOT_FOUND"
    default_message = "Required key find_by is not available"


class MandatoryFieldsNotMapped(RequestError):
    """A job that creates records leaves out a mandatory field."""

    code = "MANDATORY_FIELDS_NOT_MAPPED"
    default_message = "All mandatory fields are not mapped for the layout"


class InvalidField(RequestError):
    """A mapping names a field that does not exist or cannot be written."""

    code = "INVALID_FIELD"
    default_message = "invalid mapping. invalid api_name."


class InvalidFormat(RequestError):
    """A mapping's `format` is not a valid pattern."""

    code = "INVALID_FORMAT"
    default_message = "invalid format"


class DuplicateMapping(RequestError):
    """One field is mapped twice."""

    code = "DUPLICATE_DATA"
    default_message = "duplicate data"


class LimitExceeded(RequestError):
    """A limit of the limits profile is exceeded."""

    code = "LIMIT_EXCEEDED"
    default_message = "The limit is exceeded"


class QuotaExceeded(RequestError):
    """The org has as much as its quotas allow; the message says what ends."""

    code = "TOO_MANY_REQUESTS"
    default_message = "The quota of the org is exceeded"


class IdempotencyKeyReused(RequestError):
    """Another request was sent with the same idempotency key."""

    code = "IDEMPOTENCY_KEY_REUSED"
    default_message = (
        "Another request had this Idempotency-Key; send the same request again, or use a new key"
    )


class ColumnIndexNotFound(RequestError):
    """A mapping's index is not a column of the file."""

    code = "COLUMN_INDEX_NOT_FOUND"
    default_message = "column index not found in the file"


class HeaderLimitExceeded(RequestError):
    """The CSV has more columns than a job may have."""

    code = "HEADER_LIMIT_EXCEEDED"
    default_message = "The number of columns in the file exceeds the limit"


class ModuleNotAvailable(RequestError):
    """The module is unknown, or bulk write cannot write to it."""

    code = "MODULE_NOT_AVAILABLE"
    default_message = "Requested module is not available."


class InvalidModule(RequestError):
    """The module in a metadata or record URL is unknown (facts 7.5)."""

    code = "INVALID_MODULE"
    default_message = "the module name given seems to be invalid"


class RequiredParamMissing(RequestError):
    """A required query parameter is missing (facts 7.5)."""

    code = "REQUIRED_PARAM_MISSING"
    default_message = "One of the expected parameter is missing"


class InvalidFileId(RequestError):
    """The file id is malformed."""

    code = "INVALID_FILE_ID"
    default_message = "improper file id"


class FileNotFound(RequestError):
    """The zip holds no CSV of the name in the resource."""

    code = "FILE_NOT_FOUND"
    default_message = "file not found"


class InvalidCallbackUrl(RequestError):
    """The callback URL is not an http(s) URL."""

    code = "INVALID_CALLBACK_URL"
    default_message = "invalid callback url"


class InvalidCallbackMethod(RequestError):
    """Only `post` is a callback method."""

    code = "INVALID_CALLBACK_METHOD"
    default_message = "invalid callback method"


class FileError(RequestError):
    """The uploaded file cannot be used."""


class InvalidFileFormat(FileError):
    """The upload is not an intact zip."""

    code = "INVALID_FILE_FORMAT"
    default_message = "invalid file format. only zip format is supported"


class FileTooLarge(FileError):
    """The upload, or its inflated CSV, is larger than the limits profile allows."""

    code = "FILE_TOO_LARGE"
    default_message = "File size too large to process"


class FileNotSupported(FileError):
    """The zip holds no CSV, several CSVs, or one that cannot be read."""

    code = "FILE_NOT_SUPPORTED"
    default_message = "File not supported for bulk write"


class AccessError(BulkwrightError):
    """The caller is not known, or has no permission."""


class AuthenticationFailure(AccessError):
    """The Authorization header is missing or malformed."""

    code = "AUTHENTICATION_FAILURE"
    default_message = "Authentication failed"


class InvalidToken(AccessError):
    """The access token is unknown, expired or revoked."""

    code = "INVALID_TOKEN"
    default_message = "invalid oauth token"


class ScopeMismatch(AccessError):
    """The token's scopes do not cover this endpoint."""

    code = "OAUTH_SCOPE_MISMATCH"
    default_message = "invalid oauth scope to access this URL"


class NoPermission(AccessError):
    """The user's role does not allow this."""

    code = "NO_PERMISSION"
    default_message = "permission denied"


class AuthorizationFailed(AccessError):
    """The user's role has no access to modules (founding page)."""

    code = "AUTHORIZATION_FAILED"
    default_message = "User does not have sufficient privilege."


class GatewayRejection(AccessError):
    """The upload headers `feature` and `X-CRM-ORG` are missing or wrong (facts 2.3)."""

    code = "FORBIDDEN"
    default_message = "check if headers [feature, X-CRM-ORG] are present and valid"


class FeatureNotSupported(AccessError):
    """The `feature` header names something other than bulk-write (facts 2.3)."""

    code = "NOT_SUPPORTED_FEATURE"
    default_message = "Feature is not supported"


class LinkNotValid(AccessError):
    """The download link has no result, or not in this org."""

    code = "FORBIDDEN"
    default_message = "Link not valid"


class ResourceNotFound(BulkwrightError):
    """The resource does not exist in this org; resources of other orgs get the same response."""

    code = "RESOURCE_NOT_FOUND"
    default_message = "The requested resource doesn't exist."


class JobHasEnded(BulkwrightError):
    """The job has ended, so that it cannot be aborted."""

    code = "JOB_HAS_ENDED"


class JobIsOpen(BulkwrightError):
    """The job has not ended, so that it cannot be deleted."""

    code = "JOB_IS_OPEN"


class ResultDamaged(BulkwrightError):
    """The stored result of a job has changed since it was made; it is not sent."""

    default_message = "The stored result is damaged; ask the operator to restore it"


class OAuthError(BulkwrightError):
    """The token endpoint rejects a request; `message` is its `error` key (facts 7.2)."""

    code = "OAUTH_ERROR"
    default_message = "invalid_request"


class TooManyTokenRequests(OAuthError):
    """A client requests tokens too fast (facts 7.2)."""

    code = "TOO_MANY_REQUESTS"
    default_message = "Access Denied"


class JobError(BulkwrightError):
    """Ends a running job as FAILED with this code."""


class FileDamaged(JobError):
    """The stored upload differs from the one that was acknowledged."""

    code = "INVALID_FILE_FORMAT"
    default_message = "The stored upload no longer matches its checksum; upload the file again"


class LeaseLost(JobError):
    """Another worker has the job now; this worker changed nothing."""

    code = "LEASE_LOST"
    default_message = "Another worker has taken over the job"


class WorkerFailed(JobError):
    """The job ended its worker three times without progress in between."""

    code = "INTERNAL_ERROR"
    default_message = "The job was given up after three tries without progress"


class Aborted(JobError):
    """A user has aborted the job; the rows that were not reached are UNPROCESSED."""

    code = "ABORTED"
    default_message = "The job was aborted"


class UndoFailed(JobError):
    """Nothing of the job may stay, and what it has stored could not be undone."""

    code = "UNDO_FAILED"
    default_message = "What the job has stored could not be undone"


class TooManyErrors(JobError):
    """The job has skipped more rows than it may; the rows not reached are UNPROCESSED."""

    code = "TOO_MANY_ERRORS"
    default_message = "The job has skipped more rows than it may"
