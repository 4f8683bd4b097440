"""The responses that describe modules, kept until the module changes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from bulkwright.domain.module import Module
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.present.metadata import Json, ModuleIds
from bulkwright.zoho.versions import Version

_MOST_BYTES = 32 * 1024 * 1024
"""Bytes of all responses that are kept. More are dropped, and it begins anew."""

Shape = Callable[[Module, Version, ModuleIds], Json]
"""Presents a module to a version, with the ids of the modules that its fields name."""


class Descriptions:
    """The responses of this process that describe modules. Threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[tuple[object, ...], tuple[Module, Response]] = {}
        """Responses by what they are made of. The module is in the key by its identity; it is kept,
        so that no other one gets the same identity."""
        self._bytes = 0

    def response(self, shape: Shape, module: Module, version: Version, ids: ModuleIds) -> Response:
        """Returns the response that `shape` describes the module with.

        A module that has not changed is the same object (`ModuleStore`), and so is its response.
        """
        key = (shape, id(module), version.name, *ids.items())
        found = self._kept.get(key)
        if found is not None:
            return found[1]
        with self._lock:  # one at a time: the others find it
            found = self._kept.get(key)
            if found is not None:
                return found[1]
            made = json_response(shape(module, version, ids))
            if self._bytes + len(made.body) > _MOST_BYTES:
                self._kept.clear()
                self._bytes = 0
            self._kept[key] = (module, made)
            self._bytes += len(made.body)
            return made
