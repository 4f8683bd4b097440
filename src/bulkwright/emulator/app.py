"""The app of `/api/v1/emulator`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bulkwright.emulator import (
    clock_controls,
    credit_controls,
    fault_controls,
    orgs,
    pace,
    requests,
    reset,
    seed,
    snapshot,
    view,
)
from bulkwright.emulator.control import NoSuchControl, NoSuchControlMethod, problem, served
from bulkwright.emulator.controls import Controls
from bulkwright.emulator.gate import PREFIX
from bulkwright.web.allowed import allow_header

CONTROLS = (
    *reset.CONTROLS,
    *snapshot.CONTROLS,
    *seed.CONTROLS,
    *orgs.CONTROLS,
    *clock_controls.CONTROLS,
    *pace.CONTROLS,
    *fault_controls.CONTROLS,
    *credit_controls.CONTROLS,
    *requests.CONTROLS,
    *view.CONTROLS,
)


def create_app(make_controls: Callable[[], Controls]) -> Starlette:
    """Returns the app that serves the controls of an emulation."""
    controls = make_controls()
    app = Starlette(
        routes=[
            Route(f"{PREFIX}{c.path}", served(c, controls), methods=[c.method]) for c in CONTROLS
        ],
        exception_handlers={404: _no_path, 405: _wrong_method},
    )
    app.router.redirect_slashes = False
    return app


def _no_path(_request: Request, _error: Exception) -> Response:
    return problem(NoSuchControl())


def _wrong_method(request: Request, _error: Exception) -> Response:
    response = problem(NoSuchControlMethod())
    response.headers.update(allow_header(request.app.routes, request.scope))
    return response
