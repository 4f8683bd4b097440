"""The JSON schemas of the API's description: wire structs, and the bodies that are sent."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkwright.api.samples import requests as sample_requests
from bulkwright.wire import requests, responses

Json = dict[str, Any]

_REF = "#/components/schemas/"
_SENT = "Request."
_JOB = ["ADDED", "INPROGRESS", "COMPLETED", "FAILED"]
_TOLD: dict[tuple[str, str], Json] = {
    ("JobDetails", "status"): {"enum": _JOB},
    ("Resource", "status"): {"enum": _JOB},
    ("File", "status"): {"enum": _JOB},
    ("Resource", "type"): {"enum": ["data"]},
    ("JobDetails", "id"): {"pattern": "^[1-9][0-9]{0,17}$"},
    ("JobDetails", "operation"): {"enum": ["insert", "update", "upsert"]},
    ("JobDetails", "created_time"): {"format": "date-time"},
    ("UploadDetails", "created_time"): {"format": "date-time"},
    ("UploadDetails", "file_id"): {"pattern": "^[1-9][0-9]{0,17}$"},
    ("CreatedDetails", "id"): {"pattern": "^[1-9][0-9]{0,17}$"},
    ("Request.WriteRequest", "operation"): {"enum": ["insert", "update", "upsert"]},
    ("Request.WriteRequest", "resource"): {"minItems": 1, "maxItems": 100},
    ("Request.Resource", "type"): {"enum": ["data"]},
    ("Request.Resource", "field_mappings"): {"minItems": 1},
    ("Request.Callback", "method"): {"pattern": "^[Pp][Oo][Ss][Tt]$"},
    ("Request.DefaultValue", "value"): {
        "anyOf": [{"type": ["integer", "number", "boolean"]}, {"type": "string", "minLength": 1}]
    },
    ("Request.FieldMapping", "index"): {"minimum": 0},
    ("Request.FieldMapping", "parent_column_index"): {"minimum": 0},
}
"""What the types of the structs cannot say, by component and key."""


def schema_of(body: type | Json) -> Json:
    """The schema of a struct by its name, or a schema as it is."""
    return body if isinstance(body, dict) else {"$ref": _REF + body.__name__}


def components() -> Json:
    """Every schema that has a name."""
    answers = [
        responses.JobDetails,
        responses.Uploaded,
        responses.Created,
        responses.Problem,
        responses.GatewayProblem,
        responses.TokenGranted,
        responses.TokenRefused,
        responses.TokensDenied,
    ]
    _, given = msgspec.json.schema_components(
        answers, schema_hook=_anything, ref_template=_REF + "{name}"
    )
    _, taken = msgspec.json.schema_components(
        [requests.WriteRequest], schema_hook=_anything, ref_template=f"{_REF}{_SENT}{{name}}"
    )
    sent = {f"{_SENT}{name}": _as_taken(schema) for name, schema in taken.items()}
    answered = {name: _as_given(schema) for name, schema in given.items()}
    made: Json = dict(sorted((answered | sent).items()))
    for (component, key), more in _TOLD.items():
        properties = made[component]["properties"]
        properties[key] = more if "anyOf" in more else _narrowed(properties[key], more)
    return made


def _as_given(schema: Json) -> Json:
    """A schema of an answer: what has a default is always there, and a text is always that one."""
    for name, one in schema["properties"].items():
        if "default" not in one:
            continue
        always = one.pop("default")
        schema["required"].append(name)
        if isinstance(always, str):
            schema["properties"][name] = {"type": "string", "const": always}
    schema["required"] = [n for n in schema["properties"] if n in schema["required"]]
    return schema


def _as_taken(schema: Json) -> Json:
    """A schema of a request: what the client fills by itself is needed, and null is absent."""
    for name, one in schema["properties"].items():
        if "default" in one:
            del one["default"]
            schema["required"].append(name)
        elif name not in schema["required"]:
            schema["properties"][name] = {"anyOf": [one, {"type": "null"}]}
    return schema


def _narrowed(schema: Json, more: Json) -> Json:
    if "anyOf" not in schema:
        return schema | more
    first, null = schema["anyOf"]
    return {"anyOf": [first | more, null]}


def _anything(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError


def _form(properties: Json, required: list[str]) -> Json:
    schema = {"type": "object", "required": required, "properties": properties}
    return {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": schema},
            "multipart/form-data": {"schema": schema},
        },
    }


_TEXT: Json = {"type": "string"}
BODIES: Json = {
    "upload": {
        "required": True,
        "description": "One part with the zip; its name and its Content-Type do not matter.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    },
    "create": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": f"{_REF}{_SENT}WriteRequest"},
                "examples": {n: {"value": v} for n, v in sample_requests().items()},
            }
        },
    },
    "token": _form(
        {
            "grant_type": {
                "type": "string",
                "enum": ["refresh_token", "authorization_code", "client_credentials"],
            },
            **dict.fromkeys(("client_id", "client_secret"), _TEXT),
            **dict.fromkeys(("refresh_token", "code", "redirect_uri", "scope", "soid"), _TEXT),
        },
        ["grant_type", "client_id"],
    ),
    "form": _form(dict.fromkeys(("step", "csrf", "email", "password", "user"), _TEXT), []),
    "revoke": _form({"token": _TEXT}, ["token"]),
}
"""What is sent, by the names that `operations.py` uses."""
