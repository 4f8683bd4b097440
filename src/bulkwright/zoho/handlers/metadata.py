"""Modules, fields, layouts, users and the org (facts 9)."""

from __future__ import annotations

from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.present import metadata as present


async def modules(zoho: ZohoContext, request: Request) -> Response:
    """Returns every module, on a thread: reading all their fields takes some milliseconds."""
    found = await request.run(zoho.services.metadata.all_modules, caller_of(request))
    return json_response(present.modules(found))


def module(zoho: ZohoContext, request: Request) -> Response:
    """Returns one module with its fields."""
    found = zoho.services.metadata.module(caller_of(request), request.params["module"])
    return json_response(present.module(found))


def fields(zoho: ZohoContext, request: Request) -> Response:
    """Returns the fields of a module."""
    found = zoho.services.metadata.module(caller_of(request), request.query().get("module"))
    return json_response(present.fields(found))


def layouts(zoho: ZohoContext, request: Request) -> Response:
    """Returns the layout of a module."""
    found = zoho.services.metadata.module(caller_of(request), request.query().get("module"))
    return json_response(present.layouts(found))


def users(zoho: ZohoContext, request: Request) -> Response:
    """Returns the current user, or all users."""
    current = request.query().get("type", "").lower() == "currentuser"
    found = zoho.services.metadata.users(caller_of(request), current_only=current)
    return json_response(present.users(found))


def org(zoho: ZohoContext, request: Request) -> Response:
    """Returns the org."""
    return json_response(present.org(zoho.services.metadata.org(caller_of(request))))
