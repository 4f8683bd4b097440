"""The API's description as OpenAPI 3.1, made of the routes, the wire structs and the error table.

It is built when somebody asks for it, never at start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from bulkwright import __version__
from bulkwright.api.auth import Needed, Open
from bulkwright.api.operations import OPERATIONS, PATH_PARAMETERS, Operation, Told
from bulkwright.api.paths import Route
from bulkwright.api.problems import InvalidRequestMethod, InvalidUrlPattern, answer_to, status_of
from bulkwright.api.schemas import BODIES, components, schema_of
from bulkwright.domain import errors
from bulkwright.domain.scope import shown
from bulkwright.wire import responses
from bulkwright.wire.versions import VERSIONS

Json = dict[str, Any]

_TITLE = "Bulkwright"
_ABOUT = (
    "A bulk write service that speaks the Zoho CRM Bulk Write API. Paths are spelled out: no "
    "trailing slash, no percent-encoding. A wrong method is answered with 400, unknown keys of "
    "bodies and unknown query parameters are ignored, HEAD is answered like GET without the body."
)


def document(routes: Sequence[Route]) -> Json:
    """The description of these routes; one that `operations.py` does not tell of is left out."""
    paths: Json = {}
    for route in routes:
        told = OPERATIONS.get((route.method, route.path))
        if told is not None:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, told)
    shared = _share(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": n} for n in dict.fromkeys(o.group for o in OPERATIONS.values())],
        "paths": paths,
        "components": {
            "schemas": components(),
            "responses": shared,
            "securitySchemes": {
                "oauthtoken": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Zoho-oauthtoken <access token>`, or `Bearer <access token>`.",
                }
            },
        },
    }


def _share(paths: Json) -> Json:
    """Answers that several operations have, taken out of them and given names."""
    places: dict[str, list[tuple[Json, str]]] = {}
    for methods in paths.values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                places.setdefault(json.dumps(answer), []).append((operation["responses"], status))
    shared: Json = {}
    for found in places.values():
        if len(found) > 1:
            answers, status = found[0]
            same = sum(name.startswith(f"Answer{status}") for name in shared)
            name = f"Answer{status}{'abcdefghijklmnop'[same]}"
            shared[name] = answers[status]
            for answers, status in found:
                answers[status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.items()))


def text(routes: Sequence[Route]) -> str:
    """The description as it is served and kept: readable JSON."""
    return json.dumps(document(routes), indent=1, ensure_ascii=False) + "\n"


def _operation(route: Route, told: Operation) -> Json:
    # For a client every operation can fail in these ways, whatever it does itself.
    everywhere: tuple[type[errors.BulkwrightError], ...] = (errors.BulkwrightError,)
    if route.needed is not Open.PUBLIC:
        everywhere += (errors.AuthenticationFailure, errors.InvalidToken, errors.ScopeMismatch)
    if "{" in route.path:
        everywhere += (InvalidUrlPattern,)
    made: Json = {
        "operationId": told.name,
        "tags": [told.group],
        "summary": told.summary,
        "description": told.text,
        "parameters": [*_in_path(route.path), *_others(told)],
        "responses": _answers(told, (*told.errors, InvalidRequestMethod, *everywhere)),
        "security": _security(route.needed),
    }
    if told.body:
        made["requestBody"] = BODIES[told.body]
    return {key: value for key, value in made.items() if value not in ("", [])} | {
        "security": made["security"]
    }


def _in_path(path: str) -> Iterable[Json]:
    for name in re.findall(r"\{(\w+)\}", path):
        text, schema = PATH_PARAMETERS.get(
            name, ("Version of the API.", {"type": "string", "enum": list(VERSIONS)})
        )
        yield _parameter(name, "path", text, schema, required=True)


def _others(told: Operation) -> Iterable[Json]:
    for one in told.parameters:
        yield _parameter(one.name, one.place, one.text, one.schema, required=one.required)


def _parameter(name: str, place: str, text: str, schema: Json, *, required: bool) -> Json:
    return {
        "name": name,
        "in": place,
        "description": text,
        "required": required,
        "schema": schema,
    }


def _security(needed: Needed) -> list[Json]:
    if needed is Open.PUBLIC:
        return []
    if needed is Open.BY_MODULE:
        return [{"oauthtoken": ["ZohoCRM.modules.{module}.READ"]}]
    return [{"oauthtoken": [shown(one)]} for one in needed]


# Answers


def _answers(told: Operation, refusals: Sequence[type[errors.BulkwrightError]]) -> Json:
    by_status: dict[int, list[type[errors.BulkwrightError]]] = {}
    for error in refusals:
        by_status.setdefault(status_of(error), []).append(error)
    statuses = sorted({*told.answers, *by_status})
    return {str(s): _answer(told.answers.get(s), by_status.get(s, [])) for s in statuses}


def _answer(told: Told | None, refusals: list[type[errors.BulkwrightError]]) -> Json:
    made: Json = {"description": told.text if told else "Refused."}
    if told is not None and told.headers:
        made["headers"] = {
            name: {"required": True, "schema": {"type": "string", "pattern": pattern}}
            for name, pattern in told.headers.items()
        }
    if told is not None and told.links:
        made["links"] = dict(told.links)
    content: Json = {}
    if told is not None and (told.bodies or told.media != "application/json"):
        bodies = [schema_of(b) for b in told.bodies]
        content[told.media] = _media(bodies, dict(told.examples))
    if refusals:
        known = content.get("application/json", {"schema": None, "examples": {}})
        bodies = [] if known["schema"] is None else [known["schema"]]
        content["application/json"] = _media(
            bodies + _refusal_schemas(refusals), known.get("examples", {}) | _examples(refusals)
        )
    return made | ({"content": content} if content else {})


def _media(schemas: list[Json], examples: Json) -> Json:
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}
    shown = {
        name: one if isinstance(one, dict) and "value" in one else {"value": one}
        for name, one in examples.items()
    }
    return {"schema": schema} | ({"examples": shown} if shown else {})


def _refusal_schemas(refusals: list[type[errors.BulkwrightError]]) -> list[Json]:
    made: list[Json] = []
    codes = [r.code for r in refusals if _shape(r) is responses.Problem]
    if codes:
        only = {"properties": {"code": {"enum": sorted(set(codes))}}}
        made.append({"allOf": [schema_of(responses.Problem), only]})
    others = {_shape(r): None for r in refusals if _shape(r) is not responses.Problem}
    return made + [schema_of(shape) for shape in others]


def _shape(error: type[errors.BulkwrightError]) -> type:
    if issubclass(error, errors.TooManyTokenRequests):
        return responses.TokensDenied
    if issubclass(error, errors.OAuthError):
        return responses.TokenRefused
    if issubclass(error, (errors.GatewayRefusal, errors.LinkNotValid)):
        return responses.GatewayProblem
    return responses.Problem


def _examples(refusals: list[type[errors.BulkwrightError]]) -> Json:
    made: Json = {}
    for error in refusals:
        body = msgspec.json.decode(answer_to(error()).body)
        if "created_time" in body.get("details", {}):
            body["details"]["created_time"] = "1970-01-01T00:00:00+00:00"
        made[error.__name__] = {"summary": (error.__doc__ or "").split("\n")[0], "value": body}
    return made
