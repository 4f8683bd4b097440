"""`/` leads to the console. Only a GET is served; all else is an unknown path."""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bulkwright.console import PREFIX
from bulkwright.web.errors import NoRoute


def create_app() -> ASGIApp:
    """Returns the app."""
    return _home


async def _home(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        raise NoRoute("No route has this method")
    await RedirectResponse(PREFIX, 303)(scope, receive, send)
