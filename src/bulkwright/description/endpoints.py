"""ENDPOINTS: everything that is served, as the OpenAPI document describes it."""

from __future__ import annotations

from bulkwright.ops import health
from bulkwright.web.route import EndpointDoc, Json, ResponseDoc
from bulkwright.zoho import routes as zoho

_SERVICE = "Service"
_TEXT: Json = {"type": "string"}

DOCS_PAGE = EndpointDoc(
    "GET",
    "/docs",
    name="readDocs",
    group=_SERVICE,
    summary="This description as a page",
    answers={200: ResponseDoc("A page.", (_TEXT,), media="text/html")},
)
DOCUMENT = EndpointDoc(
    "GET",
    "/docs/openapi.json",
    name="getDescription",
    group=_SERVICE,
    summary="This description as OpenAPI 3.1",
    answers={
        200: ResponseDoc("The document.", ({"type": "object", "required": ["openapi", "paths"]},))
    },
)
STYLE_SHEET = EndpointDoc(
    "GET",
    "/docs/page.css",
    name="getStyle",
    group=_SERVICE,
    summary="The style sheet of the page",
    answers={200: ResponseDoc("A style sheet.", (_TEXT,), media="text/css")},
)

ENDPOINTS: tuple[EndpointDoc, ...] = (
    *zoho.ROUTES,
    *health.ROUTES,
    DOCS_PAGE,
    DOCUMENT,
    STYLE_SHEET,
)
