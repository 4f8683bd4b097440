"""The JSON schemas of the OpenAPI document, derived from the wire structs."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from bulkwright.wire import requests, responses

Json = dict[str, Any]

_REF = "#/components/schemas/"
_REQUEST = "Request."
"""Distinguishes the schemas of requests from those of responses."""
_RESPONSES = (
    responses.JobDetails,
    responses.Uploaded,
    responses.Created,
    responses.Problem,
    responses.GatewayProblem,
    responses.TokenGranted,
    responses.TokenRefused,
    responses.TokensDenied,
)
_SOURCE = r"(?:founding page|(?:facts|client contract) \d[\d.]*)"
"""A source, as docstrings name it (docs/wire.md)."""
_NAMES = {
    "CallbackDetails": "Callback",
    "FieldMappingDetails": "FieldMapping",
    "ModuleReference": "ModuleRef",
    "PersonReference": "Person",
    "ResourceDetails": "Resource",
    "Request.ModuleName": "Request.ModuleRef",
    "Request.NewCallback": "Request.Callback",
    "Request.NewFieldMapping": "Request.FieldMapping",
    "Request.NewResource": "Request.Resource",
}
"""The schemas whose names differ from those of their structs."""


def reference(body: type | Json) -> Json:
    """Returns a reference to the schema of a struct; returns any other schema unchanged."""
    return body if isinstance(body, dict) else {"$ref": _REF + body.__name__}


def components() -> Json:
    """Returns all schemas that have a name."""
    _, sent = msgspec.json.schema_components(
        _RESPONSES, schema_hook=_any_value, ref_template=f"{_REF}{{name}}"
    )
    _, received = msgspec.json.schema_components(
        [requests.WriteRequest], schema_hook=_any_value, ref_template=f"{_REF}{_REQUEST}{{name}}"
    )
    schemas = {name: _response_schema(schema) for name, schema in sent.items()}
    schemas |= {f"{_REQUEST}{name}": _request_schema(schema) for name, schema in received.items()}
    return _with_public_names(schemas)


def plain(text: str) -> str:
    """Returns a docstring's text without the sources of its facts, which are for developers.

    The lines that a docstring has for its width are joined.
    """
    text = re.sub(rf"\s*\({_SOURCE}(?:[,;][^():]*)?\)", "", text)
    text = re.sub(rf"\({_SOURCE}: ", "(", text)
    paragraphs = text.split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _response_schema(schema: Json) -> Json:
    """A key with a default is always present; a default text is the only value of its key."""
    for name, value in schema["properties"].items():
        if "default" in value:
            default = value.pop("default")
            schema["required"].append(name)
            if isinstance(default, str):
                schema["properties"][name] = {"type": "string", "const": default}
    schema["required"] = [name for name in schema["properties"] if name in schema["required"]]
    return schema


def _request_schema(schema: Json) -> Json:
    """A key with a default is required; a key that may be absent may also be null."""
    for name, value in schema["properties"].items():
        if "default" in value:
            del value["default"]
            schema["required"].append(name)
        elif name not in schema["required"]:
            schema["properties"][name] = {"anyOf": [value, _NULL]}
    return schema


_NULL = {"type": "null"}


def _with_public_names(schemas: Json) -> Json:
    text = json.dumps({_NAMES.get(name, name): schema for name, schema in schemas.items()})
    for name, public in _NAMES.items():
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}{public}"')
    named: Json = json.loads(text)
    for name, schema in named.items():
        schema["title"] = name.removeprefix(_REQUEST)
        schema["description"] = plain(schema["description"])
    return dict(sorted(named.items()))


def _any_value(kind: type) -> Json:
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError
