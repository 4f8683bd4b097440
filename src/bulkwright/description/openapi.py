"""The OpenAPI 3.1 document, derived from endpoints, wire structs and the table of statuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from string import ascii_lowercase
from typing import Any

import msgspec

from bulkwright import __version__
from bulkwright.clock import ManualClock
from bulkwright.description.samples import SAMPLES
from bulkwright.description.schemas import components, plain, reference
from bulkwright.domain import errors
from bulkwright.domain.scope import shown
from bulkwright.web.route import BodyDoc, EndpointDoc, Examples, ResponseDoc
from bulkwright.wire import responses
from bulkwright.zoho.auth import PUBLIC, Access, Open
from bulkwright.zoho.problems import (
    InvalidRequestMethod,
    InvalidUrlPattern,
    Misdirected,
    response_to,
    status_of,
)
from bulkwright.zoho.route_docs import PATH_PARAMETERS
from bulkwright.zoho.versions import VERSIONS

Json = dict[str, Any]
_Errors = Sequence[type[Exception]]

_ABOUT = (
    "A bulk write service that speaks the Zoho CRM Bulk Write API. A path matches only as it is "
    "spelled here: without a trailing slash and without percent-encoding. A wrong method gets "
    "status 400. Unknown keys of bodies and unknown query parameters are ignored. What Zoho "
    "documents and this server does not implement gets status 501. The response to HEAD is that "
    "to GET without the body. What is known about the API, with its sources, is in docs/wire.md of "
    "the repository."
)
_TOKEN_HEADER = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`Zoho-oauthtoken <access token>`, or `Bearer <access token>`.",
}
_VERSION: tuple[str, Json] = ("Version of the API.", {"type": "string", "enum": list(VERSIONS)})
_JSON = "application/json"


def document_text(endpoints: Sequence[EndpointDoc]) -> str:
    """Returns the document as readable JSON."""
    return json.dumps(document(endpoints), indent=1, ensure_ascii=False) + "\n"


def document(endpoints: Sequence[EndpointDoc]) -> Json:
    """Returns the document that describes these endpoints."""
    paths: Json = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    shared = _share_responses(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bulkwright",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(one.group for one in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components(),
            "responses": shared,
            "securitySchemes": {"oauthtoken": _TOKEN_HEADER},
        },
    }


def _share_responses(paths: Json) -> Json:
    """Replaces responses that several operations have by references; returns these responses."""
    places: dict[str, list[tuple[Json, str]]] = {}
    for methods in paths.values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                places.setdefault(json.dumps(response), []).append((operation["responses"], status))
    shared: Json = {}
    for text, found in places.items():
        if len(found) > 1:
            prefix = f"Answer{found[0][1]}"
            name = prefix + ascii_lowercase[sum(other.startswith(prefix) for other in shared)]
            shared[name] = json.loads(text)
            for of_operation, status in found:
                of_operation[status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.items()))


def _operation(endpoint: EndpointDoc) -> Json:
    access: Access = getattr(endpoint, "access", None) or PUBLIC
    # Every operation can fail in these ways.
    common: list[type[Exception]] = [InvalidRequestMethod, Misdirected, errors.BulkwrightError]
    if access != PUBLIC:
        common += [errors.AuthenticationFailure, errors.InvalidToken, errors.ScopeMismatch]
    if "{" in endpoint.path:
        common.append(InvalidUrlPattern)
    optional = {
        "description": endpoint.text,
        "parameters": [*_path_parameters(endpoint), *_other_parameters(endpoint)],
        "requestBody": _body(endpoint.body) if endpoint.body else None,
    }
    return {
        "operationId": endpoint.name,
        "tags": [endpoint.group],
        "summary": endpoint.summary,
        **{key: value for key, value in optional.items() if value},
        "responses": _responses(endpoint, [*endpoint.errors, *common]),
        "security": _security(access),
    }


def _security(access: Access) -> list[Json]:
    if access == PUBLIC:
        return []
    if isinstance(access.scopes, Open):
        return [{"oauthtoken": ["ZohoCRM.modules.{module}.READ"]}]
    return [{"oauthtoken": [shown(scope)]} for scope in access.scopes]


def _path_parameters(endpoint: EndpointDoc) -> Iterable[Json]:
    own = {one.name: (one.text, one.schema) for one in endpoint.parameters if one.place == "path"}
    known = {"version": _VERSION, **PATH_PARAMETERS, **own}
    for name in re.findall(r"\{(\w+)\}", endpoint.path):
        text, schema = known[name]
        yield _parameter(name, "path", text, schema, required=True)


def _other_parameters(endpoint: EndpointDoc) -> Iterable[Json]:
    for one in (parameter for parameter in endpoint.parameters if parameter.place != "path"):
        yield _parameter(one.name, one.place, one.text, one.schema, required=one.required)


def _parameter(name: str, place: str, text: str, schema: Json, *, required: bool) -> Json:
    found = {"name": name, "in": place, "description": text}
    return found | {"required": required, "schema": schema}


def _body(body: BodyDoc) -> Json:
    content = dict.fromkeys(body.media, _media([body.schema], _named_examples(body.examples)))
    text = {"description": body.text} if body.text else {}
    return {"required": True, **text, "content": content}


def _responses(endpoint: EndpointDoc, failures: _Errors) -> Json:
    by_status: dict[int, list[type[Exception]]] = {}
    for error in failures:
        by_status.setdefault(status_of(error), []).append(error)
    return {
        str(status): _response(endpoint.answers.get(status), by_status.get(status, []))
        for status in sorted({*endpoint.answers, *by_status})
    }


def _response(answer: ResponseDoc | None, failures: _Errors) -> Json:
    """Returns the response with one status: of a success, of errors, or of both."""
    response: Json = {"description": answer.text if answer else "An error."}
    content: Json = {}
    schemas, examples = _error_schemas(failures), _error_examples(failures)
    if answer is not None:
        if answer.headers:
            response["headers"] = {
                name: {"required": True, "schema": {"type": "string", "pattern": pattern}}
                for name, pattern in answer.headers.items()
            }
        if answer.links:
            response["links"] = dict(answer.links)
        own = [reference(body) for body in answer.bodies]
        if answer.media == _JSON:
            schemas, examples = own + schemas, _named_examples(answer.examples) | examples
        else:
            content[answer.media] = _media(own, _named_examples(answer.examples))
    if schemas:
        content[_JSON] = _media(schemas, examples)
    return response | ({"content": content} if content else {})


def _media(schemas: Sequence[Json], examples: Json) -> Json:
    """Returns a body that matches one of `schemas`; any body if there are none."""
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}
    return {"schema": schema} | ({"examples": examples} if examples else {})


def _named_examples(examples: Examples) -> Json:
    values: Mapping[str, object] = SAMPLES[examples]() if isinstance(examples, str) else examples
    return {name: {"value": value} for name, value in values.items()}


def _error_schemas(failures: _Errors) -> list[Json]:
    shapes = {error: _shape(error) for error in failures}
    codes = {
        error.code
        for error, shape in shapes.items()
        if shape is responses.Problem and issubclass(error, errors.BulkwrightError)
    }
    only = {"properties": {"code": {"enum": sorted(codes)}}}
    problems = [{"allOf": [reference(responses.Problem), only]}] if codes else []
    others = dict.fromkeys(s for s in shapes.values() if s is not responses.Problem)
    return problems + [reference(shape) for shape in others]


def _shape(error: type[Exception]) -> type:
    if issubclass(error, errors.TooManyTokenRequests):
        return responses.TokensDenied
    if issubclass(error, errors.OAuthError):
        return responses.TokenRefused
    if issubclass(error, (errors.GatewayRejection, errors.LinkNotValid)):
        return responses.GatewayProblem
    return responses.Problem


_EPOCH = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
"""The time in examples, so that the document is the same whenever it is made."""


def _error_examples(failures: _Errors) -> Json:
    examples: Json = {}
    for error in failures:
        body = msgspec.json.decode(response_to(error(), clock=_EPOCH).body)
        summary = plain((error.__doc__ or "").split("\n")[0])
        examples[error.__name__] = {"summary": summary, "value": body}
    return examples
