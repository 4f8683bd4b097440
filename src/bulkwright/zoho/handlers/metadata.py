"""Modules, fields, layouts, users and the org (facts 9)."""

from __future__ import annotations

from collections.abc import Callable

from bulkwright.domain.module import Module
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.present import metadata as present
from bulkwright.zoho.present.metadata import Json


async def modules(zoho: ZohoContext, request: Request) -> Response:
    """Returns every module, on a thread: reading all their fields takes some milliseconds."""
    found = await request.run(zoho.services.metadata.all_modules, caller_of(request))
    return json_response(present.modules(found))


async def module(zoho: ZohoContext, request: Request) -> Response:
    """Returns one module with its fields."""
    return await _described(zoho, request, request.params["module"], present.module)


async def fields(zoho: ZohoContext, request: Request) -> Response:
    """Returns the fields of a module."""
    return await _described(zoho, request, request.query().get("module"), present.fields)


async def layouts(zoho: ZohoContext, request: Request) -> Response:
    """Returns the layout of a module."""
    return await _described(zoho, request, request.query().get("module"), present.layouts)


async def _described(
    zoho: ZohoContext, request: Request, name: str | None, shape: Callable[[Module], Json]
) -> Response:
    """Returns what `shape` makes of a module, on a thread: picklists may have many values."""

    def make() -> Response:
        found = zoho.services.metadata.module(caller_of(request), name)
        return zoho.descriptions.response(found, shape)

    return await request.run(make)


def users(zoho: ZohoContext, request: Request) -> Response:
    """Returns the current user, or all users."""
    current = request.query().get("type", "").lower() == "currentuser"
    found = zoho.services.metadata.users(caller_of(request), current_only=current)
    return json_response(present.users(found))


def org(zoho: ZohoContext, request: Request) -> Response:
    """Returns the org."""
    return json_response(present.org(zoho.services.metadata.org(caller_of(request))))
