"""Parts of the routes' documentation that several routes share."""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain import errors as e
from bulkwright.domain.limits import (
    IDEMPOTENCY_KEY_CHARACTERS,
    LISTED_FIELDS,
    RECORD_PAGES,
    RECORDS_PER_PAGE,
)
from bulkwright.web.route import BodyDoc, Json, ParameterDoc, ResponseDoc

BULK_WRITE = "Bulk write"
OAUTH = "OAuth"
READS = "Metadata and records"

ROLE_ERRORS = (e.NoPermission, e.AuthorizationFailed)
"""The errors of routes that need a right."""
CREATE_ERRORS = (
    e.InvalidRequest,
    e.MissingKey,
    e.InvalidData,
    e.MandatoryNotFound,
    e.MandatoryFieldsNotMapped,
    e.InvalidField,
    e.InvalidFormat,
    e.DuplicateMapping,
    e.LimitExceeded,
    e.QuotaExceeded,
    e.IdempotencyKeyReused,
    e.ColumnIndexNotFound,
    e.HeaderLimitExceeded,
    e.ModuleNotAvailable,
    e.InvalidFileId,
    e.FileNotFound,
    e.FileNotSupported,
    e.FileTooLarge,
    e.InvalidCallbackUrl,
    e.InvalidCallbackMethod,
    *ROLE_ERRORS,
)

TEXT: Json = {"type": "string"}
ID: Json = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}
_SEGMENT = "^[A-Za-z0-9_.~-]{1,400}$"
ANY_ID: Json = {"type": "string", "pattern": _SEGMENT}
"""An id in a path: any other text is an unknown one."""
_JOB_ID = "111111000002308051"

PATH_PARAMETERS: dict[str, tuple[str, Json]] = {
    "job_id": ("Id of a job.", ID | {"examples": [_JOB_ID]}),
    "org": (
        "The org's number, after `org` or alone.",
        {"type": "string", "pattern": "^(org)?[0-9]{1,20}$", "examples": ["org6196138"]},
    ),
    "file": (
        "The job's id again, and `.zip`.",
        {"type": "string", "pattern": "^[0-9]{1,18}[.]zip$", "examples": [f"{_JOB_ID}.zip"]},
    ),
    "module": (
        "API name of a module.",
        {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,99}$", "examples": ["Leads"]},
    ),
    "record_id": (
        "Id of a record.",
        {"type": "string", "pattern": _SEGMENT, "examples": [_JOB_ID]},
    ),
}
"""Text and schema of the parameters in the paths of several routes, beside `version`."""

MODULE_QUERY = ParameterDoc(
    "module",
    "query",
    "API name of a module.",
    {"type": "string", "examples": ["Leads"]},
    required=True,
)
IDEMPOTENCY_HEADER = ParameterDoc(
    "Idempotency-Key",
    "header",
    "Not Zoho's. A request that is repeated with its key within a day has no second effect: the "
    "response is that to the first one.",
    {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARACTERS},
)
UPLOAD_HEADERS = (
    IDEMPOTENCY_HEADER,
    ParameterDoc(
        "feature",
        "header",
        "The feature that the file is for.",
        {"type": "string", "enum": ["bulk-write"]},
        required=True,
    ),
    ParameterDoc(
        "X-CRM-ORG",
        "header",
        "The org's number (zgid).",
        {"type": "string", "pattern": "^[0-9]+$"},
        required=True,
    ),
)
PAGE_QUERY = (
    ParameterDoc(
        "page",
        "query",
        "The page, from 1.",
        {"type": "integer", "minimum": 1, "maximum": RECORD_PAGES, "default": 1},
    ),
    ParameterDoc(
        "per_page",
        "query",
        "Records a page.",
        {"type": "integer", "minimum": 1, "maximum": RECORDS_PER_PAGE, "default": RECORDS_PER_PAGE},
    ),
)
FIELDS_QUERY = ParameterDoc(
    "fields",
    "query",
    f"API names, joined by commas; all if absent. A list needs it from v3 on, with {LISTED_FIELDS} "
    "names at most.",
    TEXT,
)
USER_TYPE_QUERY = ParameterDoc(
    "type",
    "query",
    "`CurrentUser`: only the caller. `AllUsers`, or absent: all users of the org.",
    {"type": "string", "enum": ["AllUsers", "CurrentUser"]},
)
ALL_MODULES_HEADER = ParameterDoc(
    "If-Modified-Since",
    "header",
    "Allowed, and without effect: the time of a change is not kept, so every module is returned.",
    TEXT,
)
PAGE_INFO: Json = {
    "info": {
        "type": "object",
        "required": ["per_page", "count", "page", "more_records"],
        "properties": {
            "per_page": {"type": "integer"},
            "count": {"type": "integer"},
            "page": {"type": "integer"},
            "more_records": {"type": "boolean"},
        },
    }
}

UPLOAD_BODY = BodyDoc(
    ("multipart/form-data",),
    {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    },
    "One part with the zip; its name and its Content-Type do not matter.",
)
CREATE_BODY = BodyDoc(
    ("application/json",),
    {"$ref": "#/components/schemas/Request.WriteRequest"},
    examples="requests",
)

JOB_LINK: Json = {
    "operationId": "getJob",
    "description": "The details of the job that was created.",
    "parameters": {
        "version": "$request.path.version",
        "job_id": "$response.body#/details/id",
    },
}
CREATE_LINK: Json = {
    "operationId": "createJob",
    "description": "A job on the file that was uploaded.",
    "parameters": {"version": "$request.path.version"},
    "requestBody": {
        "operation": "insert",
        "resource": [
            {
                "type": "data",
                "module": "Leads",
                "file_id": "{$response.body#/details/file_id}",
                "field_mappings": [{"api_name": "Last_Name", "index": 0}],
            }
        ],
    },
}


def form_body(properties: Json, required: Sequence[str] = ()) -> BodyDoc:
    """Returns the description of a form, which is sent URL-encoded or as multipart."""
    return BodyDoc(
        ("application/x-www-form-urlencoded", "multipart/form-data"),
        {"type": "object", "required": [*required], "properties": properties},
    )


def texts(*names: str) -> Json:
    """Returns the schemas of parameters that are any text."""
    return dict.fromkeys(names, TEXT)


def list_of(name: str, *keys: str, more: Json | None = None) -> Json:
    """Returns the schema of an object with one list, whose items have at least these keys."""
    item: Json = {"type": "object", "required": [*keys], "properties": {"id": {"type": "string"}}}
    others = more or {}
    return {
        "type": "object",
        "required": [name, *others],
        "properties": {name: {"type": "array", "items": item}, **others},
    }


AUTHORIZATION_QUERY = tuple(
    ParameterDoc(name, "query", text, TEXT)
    for name, text in {
        "scope": "What the client wants to do: scopes, joined by commas.",
        "client_id": "The client.",
        "response_type": "`code` for a server, `token` for a JavaScript client.",
        "access_type": "`offline`: with the code comes a refresh token too. Default: `online`.",
        "redirect_uri": "Where the browser goes afterwards; a registered URI of the client.",
        "state": "Any text; it is returned as it is.",
    }.items()
)
PAGE_TEXT = "For a user with a browser: an HTML page, or a redirect to `redirect_uri`."
PAGE_ANSWERS = {
    status: ResponseDoc(text, (TEXT,), media="text/html")
    for status, text in {
        200: "The sign-in page or the consent page.",
        400: "A page that says what is wrong with the request.",
        401: "The sign-in page again: e-mail or password is wrong.",
        403: "The page was not shown in this browser, or is too old.",
        429: "Too many attempts; `Retry-After` says how long to wait.",
    }.items()
} | {303: ResponseDoc("A redirect to the client, or back to the page.")}
BUTTON_BODY = form_body(texts("step", "csrf", "email", "password", "user"))
