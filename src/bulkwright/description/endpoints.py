"""ENDPOINTS: everything that is served, as the OpenAPI document describes it."""

from __future__ import annotations

from bulkwright.ops import health
from bulkwright.web.route import EndpointDoc, ResponseDoc
from bulkwright.zoho import routes as zoho
from bulkwright.zoho.route_docs import TEXT

DOCS_PAGE = EndpointDoc(
    "GET",
    "/docs",
    name="readDocs",
    group=health.SERVICE,
    summary="This description as a page",
    answers={200: ResponseDoc("A page.", (TEXT,), media="text/html")},
)
DOCUMENT = EndpointDoc(
    "GET",
    "/docs/openapi.json",
    name="getDescription",
    group=health.SERVICE,
    summary="This description as OpenAPI 3.1",
    answers={
        200: ResponseDoc("The document.", ({"type": "object", "required": ["openapi", "paths"]},))
    },
)
STYLE_SHEET = EndpointDoc(
    "GET",
    "/docs/page.css",
    name="getStyle",
    group=health.SERVICE,
    summary="The style sheet of the page",
    answers={200: ResponseDoc("A style sheet.", (TEXT,), media="text/css")},
)

ENDPOINTS: tuple[EndpointDoc, ...] = (
    *zoho.ROUTES,
    *health.ROUTES,
    DOCS_PAGE,
    DOCUMENT,
    STYLE_SHEET,
)
