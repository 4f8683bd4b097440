"""The declaration of an endpoint: what it serves, and what clients may rely on.

A declaration is data. The router, the responses to OPTIONS and the OpenAPI document are derived
from it, so an endpoint is declared in one place. `ContextT` is what the handlers of a face work
with, `AccessT` is how the face describes who may call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from bulkwright.web.request import Request
from bulkwright.web.response import Response

EMPTY: Mapping[str, Any] = MappingProxyType({})

ContextT = TypeVar("ContextT")
AccessT = TypeVar("AccessT")

Json = dict[str, object]
Examples = Mapping[str, object] | str
"""Examples by name, or the name of a sample (description/samples.py), which is made on demand."""


class ParameterDoc(NamedTuple):
    """A parameter of the query, a header, or a parameter of the path that no other route has."""

    name: str
    place: str
    """`query`, `header` or `path`."""
    text: str
    schema: Json
    required: bool = False


class BodyDoc(NamedTuple):
    """The body of a request."""

    media: tuple[str, ...]
    """The content types of which the client chooses one."""
    schema: Json
    text: str = ""
    examples: Examples = EMPTY


class ResponseDoc(NamedTuple):
    """A response that is no error."""

    text: str
    bodies: tuple[type | Json, ...] = ()
    """Structs or JSON schemas; the body matches one of them."""
    examples: Examples = EMPTY
    media: str = "application/json"
    headers: Mapping[str, str] = EMPTY
    """Patterns of the values, by the name of the header."""
    links: Mapping[str, Json] = EMPTY


@dataclass(frozen=True, slots=True)
class EndpointDoc:
    """One method of one path, as clients see it. `{name}` in the path is a parameter."""

    method: str
    path: str
    _: KW_ONLY
    name: str
    """The `operationId` in the OpenAPI document."""
    group: str
    """The tag in the OpenAPI document."""
    summary: str
    text: str = ""
    parameters: tuple[ParameterDoc, ...] = ()
    body: BodyDoc | None = None
    answers: Mapping[int, ResponseDoc] = field(default_factory=dict)
    """The responses that are no errors, by status."""
    errors: tuple[type[Exception], ...] = ()
    """The errors of this endpoint, beside those that every endpoint of the face has."""


@dataclass(frozen=True, slots=True)
class Route(EndpointDoc, Generic[ContextT, AccessT]):
    """An endpoint that the kernel serves."""

    handler: Callable[[ContextT, Request], Response | Awaitable[Response]]
    access: AccessT
    """Who may call."""
    _: KW_ONLY
    cached: bool = False
    """Whether the response depends on path, token and database only (web/response_cache.py)."""
    same_origin: bool = False
    """Whether web pages of other origins must not read the response (web/cors.py)."""
