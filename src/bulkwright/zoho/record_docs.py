"""Parts of the documentation of the routes of records."""

from __future__ import annotations

from bulkwright.domain.limits import RECORDS_PER_CALL
from bulkwright.web.route import BodyDoc, Json, ParameterDoc, ResponseDoc
from bulkwright.zoho.route_docs import TEXT

RECORDS = "Records"

WRITE_TEXT = (
    f"1 to {RECORDS_PER_CALL} records. A call is one transaction; a bad record gets its error in "
    "its place, and the others are stored. `trigger` is accepted, and has no effect."
)
UNMODIFIED_HEADER = ParameterDoc(
    "If-Unmodified-Since",
    "header",
    "A record that has changed since is not updated: HTTP 412.",
    TEXT,
)
TRIGGER_QUERY = ParameterDoc(
    "wf_trigger", "query", "Accepted, and without effect.", {"type": "boolean"}
)
MODIFIED_HEADER = ParameterDoc(
    "If-Modified-Since", "header", "Only what was changed after this time: HTTP 304 if none.", TEXT
)
SORT_QUERY = (
    ParameterDoc(
        "sort_by",
        "query",
        "`id`, `Created_Time` or `Modified_Time`; before v3 any field.",
        {"type": "string", "default": "id"},
    ),
    ParameterDoc(
        "sort_order",
        "query",
        "`asc` or `desc`.",
        {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
    ),
)
_STATES: Json = {"type": "string", "enum": ["true", "false", "both"]}
STATE_QUERY = (
    ParameterDoc("converted", "query", "Leads are never converted here.", _STATES),
    ParameterDoc("approved", "query", "Records are always approved here.", _STATES),
)
LIST_QUERY = (
    ParameterDoc("ids", "query", "Ids, joined by commas.", TEXT),
    *SORT_QUERY,
    ParameterDoc("page_token", "query", "The next page, from v3 on; not with `page`.", TEXT),
    *STATE_QUERY,
)
SEARCH_QUERY = (
    ParameterDoc(
        "criteria",
        "query",
        "`((Last_Name:equals:Boyle)and(City:starts_with:B))`.",
        {"type": "string", "examples": ["(Last_Name:equals:Boyle)"]},
    ),
    ParameterDoc("email", "query", "An address in any e-mail field.", TEXT),
    ParameterDoc("phone", "query", "A number in any phone field.", TEXT),
    ParameterDoc("word", "query", "Letters in any text.", TEXT),
)
KIND_QUERY = ParameterDoc(
    "type",
    "query",
    "`recycle`: in the recycle bin, for 60 days. `permanent`: after that.",
    {"type": "string", "enum": ["all", "recycle", "permanent"], "default": "all"},
)
_RECORD: Json = {
    "type": "object",
    "additionalProperties": True,
}
RECORDS_BODY = BodyDoc(
    ("application/json",),
    {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {
                "type": "array",
                "items": _RECORD,
                "minItems": 1,
                "maxItems": RECORDS_PER_CALL,
            },
            "duplicate_check_fields": {"type": "array", "items": TEXT},
            "trigger": {},
        },
    },
)
COQL_BODY = BodyDoc(
    ("application/json",),
    {
        "type": "object",
        "required": ["select_query"],
        "properties": {
            "select_query": {
                "type": "string",
                "minLength": 1,
                "examples": ["select Last_Name from Leads where id is not null"],
            }
        },
    },
)
COQL_ROWS: Json = {
    "type": "object",
    "required": ["data", "info"],
    "properties": {
        "data": {"type": "array", "items": _RECORD},
        "info": {
            "type": "object",
            "required": ["count", "more_records"],
            "properties": {"count": {"type": "integer"}, "more_records": {"type": "boolean"}},
        },
    },
}
_OUTCOME: Json = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "details", "message", "status"],
                "properties": {
                    "code": TEXT,
                    "details": {"type": "object"},
                    "message": TEXT,
                    "status": {"type": "string", "enum": ["success", "error"]},
                },
            },
        }
    },
}
_TEXTS = {
    200: "Every record was written.",
    201: "Every record was added.",
    202: "No record was written; with v2.",
    207: "Some records were written.",
    400: "No record was written, or the request is wrong.",
    412: "No record was written, because all have changed.",
}


def outcomes(*good: int) -> dict[int, ResponseDoc]:
    """Returns the responses of a call: an object for each record, whatever the status."""
    return {
        status: ResponseDoc(_TEXTS[status], (_OUTCOME,))
        for status in sorted({*good, 202, 207, 400})
    }
