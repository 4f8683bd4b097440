"""`/docs`: the OpenAPI document, and the same as a page.

This is a Starlette app. The kernel imports it on the first request to `/docs`, so that the start
of the server does not wait for Starlette and Jinja2.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bulkwright.description.endpoints import DOCS_PAGE, DOCUMENT, ENDPOINTS, STYLE_SHEET
from bulkwright.description.openapi import document_text
from bulkwright.domain.errors import BulkwrightError
from bulkwright.events.context import request_id
from bulkwright.zoho.problems import InvalidRequestMethod, InvalidUrlPattern, response_to

_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}


def create_app() -> Starlette:
    """Returns the app. It serves the same errors as the rest of the server."""
    app = Starlette(
        routes=[
            Route(DOCS_PAGE.path, _page),
            Route(DOCUMENT.path, _document),
            Route(STYLE_SHEET.path, _style_sheet),
        ],
        exception_handlers={404: _no_route, 405: _wrong_method, 500: _internal_error},
    )
    app.router.redirect_slashes = False
    return app


def render_page(text: str) -> str:
    """Returns the page that shows an OpenAPI document."""
    templates = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["code"] = _mark_code
    templates.filters["indented"] = lambda value: json.dumps(value, indent=1, ensure_ascii=False)
    document = json.loads(text)
    return templates.get_template("docs.html").render(
        document=document, shared=document["components"]["responses"]
    )


def _page(_request: Request) -> Response:
    return HTMLResponse(_rendered_page(), headers=_PAGE_HEADERS)


def _document(_request: Request) -> Response:
    return Response(_text(), media_type="application/json")


def _style_sheet(_request: Request) -> Response:
    return Response(
        (files(__package__) / "templates" / "page.css").read_bytes(), media_type="text/css"
    )


def _no_route(_request: Request, _error: Exception) -> Response:
    return _problem(InvalidUrlPattern())


def _wrong_method(_request: Request, _error: Exception) -> Response:
    return _problem(InvalidRequestMethod())


def _internal_error(_request: Request, _error: Exception) -> Response:
    # The kernel gets the error too, and logs it under the same id.
    return _problem(BulkwrightError(details={"correlation_id": request_id()}))


def _problem(error: BulkwrightError) -> Response:
    response = response_to(error)
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return Response(response.body, response.status, headers)


@cache
def _text() -> str:
    return document_text(ENDPOINTS)


@cache
def _rendered_page() -> str:
    return render_page(_text())


def _mark_code(text: str) -> Markup:
    """Escapes a text and shows what is in `backticks` as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
