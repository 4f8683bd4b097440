"""The app of `/console`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bulkwright.console import PREFIX
from bulkwright.console.page import Console, served
from bulkwright.console.pages import (
    access,
    data,
    emulator,
    imports,
    job,
    job_actions,
    jobs,
    org,
    reads,
    sign_in,
    templates,
    undo,
)
from bulkwright.console.render import error_page, static_file
from bulkwright.console.services import ConsoleServices
from bulkwright.emulator.controls import Controls
from bulkwright.service.sign_in_queue import SignInQueue
from bulkwright.v1.endpoint import OwnApi
from bulkwright.v1.problems import NoSuchMethod, NoSuchPath, details_of
from bulkwright.web.allowed import allow_header
from bulkwright.web.mount import KERNEL_REQUEST
from bulkwright.web.request import Request as KernelRequest

PAGES = (
    *sign_in.PAGES,
    *jobs.PAGES,
    *job.PAGES,
    *job_actions.PAGES,
    *undo.PAGES,
    *reads.PAGES,
    *imports.PAGES,
    *templates.PAGES,
    *data.PAGES,
    *org.PAGES,
    *access.PAGES,
)
_STATIC = f"{PREFIX}/static/{{name}}"


def create_app(
    services: ConsoleServices,
    observe: Callable[[KernelRequest, Exception], None],
    is_draining: Callable[[], bool],
    queue: SignInQueue,
    base_url: str,
    make_controls: Callable[[], Controls] | None = None,
) -> Starlette:
    """Returns the app over these services, with a page of the controls of an emulator if there are.

    `observe` gets the error of each request. Streams end when `is_draining` returns true. `queue`
    is that of all sign-ins of this process.
    """
    controls = None if make_controls is None else make_controls()
    console = Console(services, OwnApi(services, observe, is_draining), queue, base_url, controls)
    pages = PAGES if controls is None else (*PAGES, *emulator.PAGES)
    app = Starlette(
        routes=[
            Route(_STATIC, _static),
            *(Route(page.path, served(page, console), methods=[page.method]) for page in pages),
        ],
        exception_handlers={404: _no_path, 405: _wrong_method},
    )
    app.router.redirect_slashes = False
    return app


def _static(request: Request) -> Response:
    request.scope[KERNEL_REQUEST].route = ("GET", _STATIC)
    found = static_file(request.path_params["name"])
    return _no_path(request, NoSuchPath()) if found is None else found


def _no_path(_request: Request, _error: Exception) -> Response:
    return error_page(details_of(NoSuchPath("The console has no such page.")), None)


def _wrong_method(request: Request, _error: Exception) -> Response:
    page = error_page(details_of(NoSuchMethod("This page cannot be sent to.")), None)
    page.headers.update(allow_header(request.app.routes, request.scope))
    return page
