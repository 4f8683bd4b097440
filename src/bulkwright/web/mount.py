"""An ASGI app of its own under a prefix. It is imported on the first request to the prefix."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import cast

from bulkwright.first_use import on_first_use
from bulkwright.web.request import ASGIApp, Request, Scope

KERNEL_REQUEST = "bulkwright.request"
"""The key of the kernel's `Request` in the ASGI scope of a mounted app."""


class Mount:
    """A prefix, the app that serves every path below it, and those that have a resource."""

    def __init__(
        self, prefix: str, factory: str, *arguments: object, paths: Collection[str] | None = ()
    ) -> None:
        """`factory` is MODULE:FUNCTION; called with `arguments`, the function returns the app.

        `paths` have a resource: OPTIONS finds them, and metrics and logs count each of them by its
        name. The app responds to all others below the prefix too, with its own error. If `paths`
        is None, OPTIONS finds every path, and the app sets the route of the kernel's request, which
        is `KERNEL_REQUEST` of its scope.
        """
        self.prefix = prefix
        self._paths = None if paths is None else frozenset((prefix, *paths))
        self._factory = factory
        self._arguments = arguments

    def has(self, path: str) -> bool:
        """Returns whether the app serves this path."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    def scope(self, request: Request, path: str) -> Scope:
        """Returns the scope for the app. Its path is not decoded, as for every other route."""
        own = {"path": path, "raw_path": path.encode("latin-1"), KERNEL_REQUEST: request}
        return {**request.scope, **own}

    def has_resource(self, path: str) -> bool:
        """Returns whether a resource has this path."""
        return self._paths is None or path in self._paths

    def key(self, method: str, path: str) -> tuple[str, str]:
        """Returns the name in metrics and logs. Both parts are empty where no resource responds."""
        if method in ("GET", "HEAD") and self._paths is not None and path in self._paths:
            return "GET", path
        return "", ""

    @on_first_use
    def app(self) -> ASGIApp:
        """The app. The first access imports and makes it."""
        module, _, name = self._factory.partition(":")
        return cast("ASGIApp", getattr(import_module(module), name)(*self._arguments))
