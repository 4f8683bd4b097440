"""An ASGI app of its own under a prefix. It is imported on the first request to the prefix."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import cast

from bulkwright.first_use import on_first_use
from bulkwright.web.request import ASGIApp, Scope


class Mount:
    """A prefix, the app that serves every path below it, and those that have a resource."""

    def __init__(self, prefix: str, factory: str, paths: Collection[str] = ()) -> None:
        """`factory` is MODULE:FUNCTION; the function returns the app.

        `paths` have a resource: OPTIONS finds them, and metrics and logs count each of them by its
        name. The app responds to all others below the prefix too, with its own error.
        """
        self.prefix = prefix
        self._paths = frozenset((prefix, *paths))
        self._factory = factory

    def has(self, path: str) -> bool:
        """Returns whether the app serves this path."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    def scope(self, scope: Scope, path: str) -> Scope:
        """Returns the scope for the app. Its path is not decoded, as for every other route."""
        return {**scope, "path": path, "raw_path": path.encode("latin-1")}

    def has_resource(self, path: str) -> bool:
        """Returns whether a resource has this path."""
        return path in self._paths

    def key(self, method: str, path: str) -> tuple[str, str]:
        """Returns the name in metrics and logs. Both parts are empty where no resource responds."""
        if method in ("GET", "HEAD") and path in self._paths:
            return "GET", path
        return "", ""

    @on_first_use
    def app(self) -> ASGIApp:
        """The app. The first access imports and makes it."""
        module, _, name = self._factory.partition(":")
        return cast("ASGIApp", getattr(import_module(module), name)())
