"""The OpenAPI 3.1 document of the own API, derived from its endpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from bulkwright import __version__
from bulkwright.domain.errors import (
    AuthenticationFailure,
    InvalidToken,
    NoPermission,
    ScopeMismatch,
)
from bulkwright.domain.scope import shown
from bulkwright.v1.endpoint import OwnEndpoint
from bulkwright.v1.problems import MEDIA_TYPE, status_of
from bulkwright.web.route import ResponseDoc
from bulkwright.wire.own import ProblemDetails

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_EVERYWHERE = (AuthenticationFailure, InvalidToken, ScopeMismatch, NoPermission)
_ABOUT = (
    "The service's own API. The access tokens are those of the Zoho API, with scopes of their own. "
    "Errors are problem+json (RFC 9457)."
)


def document_text(endpoints: Sequence[OwnEndpoint]) -> str:
    """Returns the document as readable JSON."""
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Bulkwright", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(endpoints),
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(endpoint: OwnEndpoint) -> Json:
    names = re.findall(r"{(\w+)}", endpoint.path)
    return {
        "operationId": endpoint.name,
        "tags": [endpoint.group],
        "summary": endpoint.summary,
        **({"description": endpoint.text} if endpoint.text else {}),
        "security": [{"token": [shown(scope)]} for scope in endpoint.scopes],
        "parameters": [
            *(_parameter(name, "path", "", {"type": "string"}, required=True) for name in names),
            *(
                _parameter(p.name, p.place, p.text, p.schema, required=p.required)
                for p in endpoint.parameters
            ),
        ],
        **_request_body(endpoint),
        "responses": {
            **{str(status): _answer(doc) for status, doc in endpoint.answers.items()},
            **_errors((*endpoint.errors, *_EVERYWHERE)),
        },
    }


def _parameter(name: str, place: str, text: str, schema: Json, *, required: bool) -> Json:
    return {"name": name, "in": place, "description": text, "required": required, "schema": schema}


def _request_body(endpoint: OwnEndpoint) -> Json:
    if endpoint.takes is not None:
        content: Json = {"application/json": {"schema": _reference(endpoint.takes)}}
    elif endpoint.body is not None:
        content = {media: {"schema": endpoint.body.schema} for media in endpoint.body.media}
    else:
        return {}
    return {"requestBody": {"required": True, "content": content}}


def _answer(doc: ResponseDoc) -> Json:
    answer: Json = {"description": doc.text}
    if doc.headers:
        answer["headers"] = {
            name: {"schema": {"type": "string", "pattern": pattern}}
            for name, pattern in doc.headers.items()
        }
    if not doc.bodies:
        return answer
    (body,) = doc.bodies
    schema = _reference(body) if isinstance(body, type) else body
    return {**answer, "content": {doc.media: {"schema": schema}}}


def _reference(body: type) -> Json:
    return {"$ref": _REFERENCE.format(name=body.__name__)}


def _errors(kinds: Sequence[type[Exception]]) -> Json:
    """Returns a response for each status, which names the codes that it may have."""
    codes: dict[int, list[str]] = {}
    for kind in kinds:
        codes.setdefault(status_of(kind), []).append(f"`{getattr(kind, 'code', '')}`")
    content = {MEDIA_TYPE: {"schema": _reference(ProblemDetails)}}
    return {
        str(status): {"description": ", ".join(names), "content": content}
        for status, names in sorted(codes.items())
    }


def _schemas(endpoints: Sequence[OwnEndpoint]) -> Json:
    bodies = [
        body
        for endpoint in endpoints
        for doc in endpoint.answers.values()
        for body in doc.bodies
        if isinstance(body, type)
    ]
    taken = [endpoint.takes for endpoint in endpoints if endpoint.takes is not None]
    _, schemas = msgspec.json.schema_components(
        [*bodies, *taken, ProblemDetails], schema_hook=_any_value, ref_template=_REFERENCE
    )
    return dict(sorted(schemas.items()))


def _any_value(_kind: type) -> Json:
    """Returns the schema of a value that may be anything: of `object`."""
    return {"description": "any value"}
