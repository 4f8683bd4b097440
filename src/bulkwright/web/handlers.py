"""The handlers of a module that is imported on the first request to one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from bulkwright.first_use import on_first_use
from bulkwright.web.request import Request
from bulkwright.web.response import Response

Handler = Callable[[Any, Request], Response | Awaitable[Response]]

_declared: list[Handlers] = []


class Handlers:
    """Stands for a module in the declarations of routes: its public names are the handlers."""

    def __init__(self, name: str) -> None:
        """`name` is the full name of the module."""
        self._name = name
        _declared.append(self)

    @on_first_use
    def _module(self) -> ModuleType:
        return import_module(self._name)

    def __getattr__(self, name: str) -> Handler:
        """Returns the handler of this name."""

        def handle(context: Any, request: Request) -> Response | Awaitable[Response]:
            handler: Handler = getattr(self._module, name)
            return handler(context, request)

        return handle


def import_handlers() -> None:
    """Imports the modules of all routes that this process has declared."""
    for handlers in _declared:
        _ = handlers._module
