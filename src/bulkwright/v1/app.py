"""The app of `/api/v1`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bulkwright.v1 import (
    audit,
    callbacks,
    changes,
    import_templates,
    job_control,
    job_events,
    jobs,
    new_files,
    new_jobs,
    reads,
    reports,
    undos,
)
from bulkwright.v1.endpoint import OwnApi, served
from bulkwright.v1.openapi import document_text
from bulkwright.v1.problems import NoSuchMethod, NoSuchPath, problem
from bulkwright.v1.services import OwnServices
from bulkwright.web.allowed import allow_header
from bulkwright.web.request import Request as KernelRequest

ENDPOINTS = (
    *new_files.ENDPOINTS,
    *new_jobs.ENDPOINTS,
    *jobs.ENDPOINTS,
    *job_control.ENDPOINTS,
    *callbacks.ENDPOINTS,
    *job_events.ENDPOINTS,
    *reports.ENDPOINTS,
    *changes.ENDPOINTS,
    *undos.ENDPOINTS,
    *reads.ENDPOINTS,
    *import_templates.ENDPOINTS,
    *audit.ENDPOINTS,
)
_DOCUMENT_PATH = "/api/v1/openapi.json"


def create_app(
    services: OwnServices,
    observe: Callable[[KernelRequest, Exception], None],
    is_draining: Callable[[], bool],
) -> Starlette:
    """Returns the app over these services.

    `observe` gets the error of each request. Streams end when `is_draining` returns true.
    """
    api = OwnApi(services, observe, is_draining)
    app = Starlette(
        routes=[
            Route(_DOCUMENT_PATH, _document),
            *(Route(e.path, served(e, api), methods=[e.method], name=e.name) for e in ENDPOINTS),
        ],
        exception_handlers={404: _no_path, 405: _wrong_method},
    )
    app.router.redirect_slashes = False
    return app


def _document(_request: Request) -> Response:
    return Response(_document_text(), media_type="application/json")


@cache
def _document_text() -> str:
    return document_text(ENDPOINTS)


def _no_path(_request: Request, _error: Exception) -> Response:
    return problem(NoSuchPath())


def _wrong_method(request: Request, _error: Exception) -> Response:
    response = problem(NoSuchMethod())
    response.headers.update(allow_header(request.app.routes, request.scope))
    return response
