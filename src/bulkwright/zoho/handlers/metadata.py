"""Modules, fields, layouts, users and the org (facts 9)."""

from __future__ import annotations

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.limits import RECORD_PAGES, RECORDS_PER_PAGE
from bulkwright.web.request import Request
from bulkwright.web.response import NO_CONTENT, Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.documented import USER_TYPES
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.query import whole_number
from bulkwright.zoho.present import metadata as present
from bulkwright.zoho.versions import Version


async def modules(zoho: ZohoContext, request: Request) -> Response:
    """Returns every module, on a thread: reading all their fields takes some milliseconds."""
    found = await request.run(zoho.services.metadata.all_modules, caller_of(request))
    return json_response(present.modules(found))


def module(zoho: ZohoContext, request: Request) -> Response:
    """Returns one module with its fields."""
    found = zoho.services.metadata.module(caller_of(request), request.params["module"])
    return json_response(present.module(found, *_shown(zoho, request)))


def fields(zoho: ZohoContext, request: Request) -> Response:
    """Returns the fields of a module."""
    found = zoho.services.metadata.module(caller_of(request), request.query().get("module"))
    return json_response(present.fields(found, *_shown(zoho, request)))


def layouts(zoho: ZohoContext, request: Request) -> Response:
    """Returns the layout of a module."""
    found = zoho.services.metadata.module(caller_of(request), request.query().get("module"))
    return json_response(present.layouts(found, *_shown(zoho, request)))


def users(zoho: ZohoContext, request: Request) -> Response:
    """Returns the current user, or a page of all users."""
    query = request.query()
    kind = query.get("type", "").lower()
    if kind not in ("", "allusers", "currentuser"):
        if kind in map(str.lower, USER_TYPES):
            raise not_served(zoho, request, "type")
        raise InvalidData(details={"param_name": "type", "supported_values": USER_TYPES})
    number = whole_number(query, "page", 1, RECORD_PAGES)
    per_page = whole_number(query, "per_page", RECORDS_PER_PAGE, RECORDS_PER_PAGE)
    found = zoho.services.metadata.users(caller_of(request), current_only=kind == "currentuser")
    shown = found[(number - 1) * per_page :][:per_page]
    if not shown:
        return NO_CONTENT
    has_more = number * per_page < len(found)
    return json_response(present.users(shown, number, per_page, has_more=has_more))


def org(zoho: ZohoContext, request: Request) -> Response:
    """Returns the org."""
    return json_response(present.org(zoho.services.metadata.org(caller_of(request))))


def _shown(zoho: ZohoContext, request: Request) -> tuple[Version, present.ModuleIds]:
    """Returns the version in which fields are shown, and the ids that it needs."""
    version = zoho.version(request)
    needed = version.lookup_module_is_object
    return version, zoho.services.metadata.module_ids(caller_of(request)) if needed else {}
