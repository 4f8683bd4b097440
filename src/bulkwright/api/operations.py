"""What each route does, in words and types: the API's description is made of this.

`openapi.py` joins it with the routes, the wire structs and the table of errors. A route that is
not told of here is a failing test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bulkwright.api import samples
from bulkwright.domain import errors as e
from bulkwright.wire import responses as wire

Json = dict[str, object]
Errors = tuple[type[e.BulkwrightError], ...]

SEGMENT = "^[A-Za-z0-9_.~-]{1,400}$"
ID = "^[1-9][0-9]{0,17}$"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query or a header; those of the path are found in it."""

    name: str
    place: str
    text: str
    schema: Json
    required: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is no error: structs or JSON schemas of which one fits."""

    text: str
    bodies: tuple[type | Json, ...] = ()
    examples: Mapping[str, object] = field(default_factory=dict)
    media: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    name: str
    group: str
    summary: str
    text: str
    answers: Mapping[int, Told]
    errors: Errors = ()
    parameters: tuple[Parameter, ...] = ()
    body: str = ""
    """Which of the bodies of `openapi.py` is sent."""


def _listed(name: str, *keys: str, more: Json | None = None) -> Json:
    """An object with one list of objects that have at least these keys."""
    item: Json = {"type": "object", "required": [*keys], "properties": {"id": {"type": "string"}}}
    others = more or {}
    return {
        "type": "object",
        "required": [name, *others],
        "properties": {name: {"type": "array", "items": item}, **others},
    }


_STATUS: Json = {"type": "object", "required": ["status"]}
_TEXT: Json = {"type": "string"}
_ANY_PAGE: Json = {
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
_PROFILE: Errors = (e.NoPermission, e.AuthorizationFailed)
_CREATE: Errors = (
    e.InvalidRequest, e.MissingKey, e.InvalidData, e.MandatoryNotFound,
    e.MandatoryFieldsNotMapped, e.InvalidField, e.InvalidFormat, e.DuplicateMapping,
    e.LimitExceeded, e.ColumnIndexNotFound, e.HeaderLimitExceeded, e.ModuleNotAvailable,
    e.InvalidFileId, e.FileNotFound, e.FileNotSupported, e.FileTooLarge, e.InvalidCallbackUrl,
    e.InvalidCallbackMethod, *_PROFILE,
)  # fmt: skip

_MODULE = Parameter(
    "module",
    "query",
    "API name of a module.",
    {"type": "string", "examples": ["Leads"]},
    required=True,
)
_JOB_LINK: Json = {
    "operationId": "getJob",
    "description": "The details of the job that was created.",
    "parameters": {
        "version": "$request.path.version",
        "job_id": "$response.body#/details/id",
    },
}
_CREATE_LINK: Json = {
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

_BULK, _OAUTH, _READS, _SERVICE = "Bulk write", "OAuth", "Metadata and records", "Service"


def _page(name: str, summary: str) -> Operation:
    """A page of the sign-in; what is asked for stands in the query (facts 7.1 to 7.3)."""
    words = ("scope", "client_id", "response_type", "access_type", "redirect_uri", "state")
    html = {status: Told(text, (_TEXT,), media="text/html") for status, text in _PAGES.items()}
    return Operation(
        name, _OAUTH, summary, "For people: an html page, or a redirect to `redirect_uri`.",
        html | {303: Told("On to the client, or back to the question.")}, (),
        tuple(Parameter(word, "query", "As facts 7.1 say.", _TEXT) for word in words),
        body="form" if name.startswith("agree") else "",
    )  # fmt: skip


_PAGES = {
    200: "A question to the person.",
    400: "What is wrong with the request, told to the person.",
    401: "The question again: e-mail and password do not belong together.",
    403: "The page was not shown in this browser, or is too old.",
    429: "Too many tries; `Retry-After` says how long to wait.",
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/crm/{version}/upload"): Operation(
        "uploadFile", _BULK, "Upload a file",
        "A zip with a CSV; it is read once, made durable, and answered with its `file_id`. A "
        "refusal may come with HTTP 200 too: look at `status` (facts 2).",
        {200: Told("The file's id, or a refusal.", (wire.Uploaded,),
                   {"uploaded": samples.uploaded()},
                   links={"createJob": _CREATE_LINK})},
        (e.InvalidFileFormat, e.FeatureNotSupported, e.FileTooLarge, e.GatewayRefusal,
         e.InvalidRequest, e.InvalidData, e.MandatoryNotFound, *_PROFILE),
        (Parameter("feature", "header", "The feature that the file is for.",
                   {"type": "string", "enum": ["bulk-write"]}, required=True),
         Parameter("X-CRM-ORG", "header", "The org's number (zgid).",
                   {"type": "string", "pattern": "^[0-9]+$"}, required=True)),
        body="upload",
    ),
    ("POST", "/crm/bulk/{version}/write"): Operation(
        "createJob", _BULK, "Create a bulk write job",
        "Everything that can be known before the first row is checked here and refused by name. "
        "The body is JSON whatever its Content-Type says (facts 3).",
        {201: Told("The job's id.", (wire.Created,), {"created": samples.created()},
                   links={"getJob": _JOB_LINK})},
        _CREATE, body="create",
    ),
    ("GET", "/crm/bulk/{version}/write/{job_id}"): Operation(
        "getJob", _BULK, "Get Bulk Write Job Details",
        "How the job stands. `result` is there once it has ended (facts 4).",
        {200: Told("The job.", (wire.JobDetails,), samples.job_details())},
        (e.ResourceNotFound, *_PROFILE),
    ),
    ("GET", "/{version}/crm/{org}/bulk-write/{job_id}/{file}"): Operation(
        "downloadResult", _BULK, "Download the result",
        "The path that `result.download_url` names: a zip with a CSV for each module, a line for "
        "each row (facts 5).",
        {200: Told("The zip.", (), media="application/zip",
                   headers={"Content-Disposition": '^attachment; filename="[0-9]+[.]zip"$'})},
        (e.LinkNotValid, *_PROFILE),
    ),
    ("POST", "/oauth/v2/token"): Operation(
        "getToken", _OAUTH, "Get tokens",
        "For a refresh token, a grant code or a client's own credentials; parameters in a form "
        "body or in the query. Refusals have HTTP 200 and the key `error` (facts 7.2).",
        {200: Told("Tokens, or a refusal.", (wire.TokenGranted,), {"granted": samples.granted()})},
        (e.OAuthError, e.TooManyTokenRequests), body="token",
    ),
    ("POST", "/oauth/v2/token/revoke"): Operation(
        "revokeToken", _OAUTH, "Revoke a token",
        "With everything that came from it. An unknown token gets the same answer (facts 7.1).",
        {200: Told("Done, or a refusal.",
                   ({"type": "object", "required": ["status"],
                     "properties": {"status": {"const": "success"}}},),
                   {"revoked": {"status": "success"}})},
        (e.OAuthError,), body="revoke",
    ),
    ("GET", "/oauth/v2/auth"): _page("askToAgree", "Ask a person to sign in and agree"),
    ("POST", "/oauth/v2/auth"): _page("agree", "What a button of that page does"),
    ("GET", "/oauth/v2/auth/refresh"): _page("renew", "The same, at once where agreed before"),
    ("POST", "/oauth/v2/auth/refresh"): _page("agreeAgain", "What a button of that page does"),
    ("GET", "/oauth/v2/auth/style.css"): Operation(
        "getPageStyle", _OAUTH, "How the pages look", "",
        {200: Told("A style sheet.", (_TEXT,), media="text/css")},
    ),
    ("GET", "/crm/{version}/settings/modules"): Operation(
        "listModules", _READS, "List modules", "Without their fields (facts 9).",
        {200: Told("Every module.", (_listed("modules", "id", "api_name", "module_name"),))},
    ),
    ("GET", "/crm/{version}/settings/modules/{module}"): Operation(
        "getModule", _READS, "Get a module", "With its fields (facts 9).",
        {200: Told("The module.", (_listed("modules", "id", "api_name", "fields"),))},
        (e.InvalidModule,),
    ),
    ("GET", "/crm/{version}/settings/fields"): Operation(
        "listFields", _READS, "List the fields of a module", "Facts 9.",
        {200: Told("Its fields.", (_listed("fields", "id", "api_name", "data_type"),))},
        (e.InvalidModule, e.RequiredParamMissing, e.InvalidRequest), (_MODULE,),
    ),
    ("GET", "/crm/{version}/settings/layouts"): Operation(
        "listLayouts", _READS, "List the layouts of a module", "Facts 9.",
        {200: Told("Its one layout.", (_listed("layouts", "id", "name", "sections"),))},
        (e.InvalidModule, e.RequiredParamMissing, e.InvalidRequest), (_MODULE,),
    ),
    ("GET", "/crm/{version}/users"): Operation(
        "listUsers", _READS, "List users", "Everybody, or the caller (facts 9).",
        {200: Told("Users.", (_listed("users", "id", "email", "full_name", more=_ANY_PAGE),))},
        (e.InvalidRequest,),
        (Parameter("type", "query", "`CurrentUser`: only the caller.", _TEXT),),
    ),
    ("GET", "/crm/{version}/org"): Operation(
        "getOrg", _READS, "Get the org", "Facts 9.",
        {200: Told("The org.", (_listed("org", "id", "zgid", "company_name"),))},
    ),
    ("GET", "/crm/{version}/{module}"): Operation(
        "listRecords", _READS, "List records", "Newest first (facts 9).",
        {200: Told("A page of records.", (_listed("data", "id", more=_ANY_PAGE),)),
         204: Told("There are none on this page.")},
        (e.InvalidModule, e.InvalidData, e.InvalidRequest, e.AuthorizationFailed),
        (Parameter("page", "query", "The page, from 1.",
                   {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1}),
         Parameter("per_page", "query", "Records a page.",
                   {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}),
         Parameter("fields", "query", "API names, joined by commas; all if absent.", _TEXT)),
    ),
    ("GET", "/crm/{version}/{module}/{record_id}"): Operation(
        "getRecord", _READS, "Get a record", "Facts 9.",
        {200: Told("The record.", (_listed("data", "id"),)), 204: Told("There is none.")},
        (e.InvalidModule, e.AuthorizationFailed),
    ),
    ("GET", "/healthz"): Operation(
        "isAlive", _SERVICE, "Is the process alive?", "",
        {200: Told("It is.", (_STATUS,))},
    ),
    ("GET", "/readyz"): Operation(
        "isReady", _SERVICE, "Can it answer requests?",
        "It asks database and files, and says no while the server is being stopped.",
        {200: Told("It can.", (_STATUS,)), 503: Told("It cannot; `reason` says why.", (_STATUS,))},
    ),
    ("GET", "/metrics"): Operation(
        "readMetrics", _SERVICE, "Metrics for Prometheus",
        "With the token of `--metrics-token`; without one it is served with `--dev` only.",
        {200: Told("The text format.", (_TEXT,), media="text/plain")},
        (e.AuthenticationFailure, e.InvalidToken),
    ),
    ("GET", "/docs"): Operation(
        "readDocs", _SERVICE, "This description as a page", "",
        {200: Told("A page.", (_TEXT,), media="text/html")},
    ),
    ("GET", "/docs/openapi.json"): Operation(
        "getDescription", _SERVICE, "This description as OpenAPI 3.1", "",
        {200: Told("The document.", ({"type": "object", "required": ["openapi", "paths"]},))},
    ),
    ("GET", "/docs/page.css"): Operation(
        "getStyle", _SERVICE, "How the page looks", "",
        {200: Told("A style sheet.", (_TEXT,), media="text/css")},
    ),
}  # fmt: skip
"""Every route, by method and path as the table of routes has them."""

PATH_PARAMETERS: dict[str, tuple[str, Json]] = {
    "job_id": ("Id of a job.", {"type": "string", "pattern": ID, "examples": [samples.JOB_ID]}),
    "org": ("The org's number, after `org` or alone.",
            {"type": "string", "pattern": "^(org)?[0-9]{1,20}$", "examples": [samples.ORG]}),
    "file": ("The job's id again, and `.zip`.",
             {"type": "string", "pattern": "^[0-9]{1,18}[.]zip$",
              "examples": [f"{samples.JOB_ID}.zip"]}),
    "module": ("API name of a module.",
               {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,99}$",
                "examples": ["Leads"]}),
    "record_id": ("Id of a record.",
                  {"type": "string", "pattern": SEGMENT, "examples": [samples.JOB_ID]}),
}  # fmt: skip
"""Text and schema of the parameters in paths; `version` comes from the table of versions."""
