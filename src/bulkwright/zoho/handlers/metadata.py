"""Modules, fields, layouts, users and the org (facts 9)."""

from __future__ import annotations

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import RECORD_PAGES, RECORDS_PER_PAGE
from bulkwright.web.request import Request
from bulkwright.web.response import NO_CONTENT, Response, json_response
from bulkwright.zoho.auth import caller_of
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.descriptions import Shape
from bulkwright.zoho.documented import USER_TYPES
from bulkwright.zoho.not_served import not_served
from bulkwright.zoho.parse.query import whole_number
from bulkwright.zoho.present import metadata as present


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


async def field(zoho: ZohoContext, request: Request) -> Response:
    """Returns one field of a module, or no content."""
    version, services, caller = zoho.version(request), zoho.services.metadata, caller_of(request)
    number = parse_id(request.params["field_id"]) or 0

    def make() -> Response:
        found = services.module(caller, request.query().get("module"))
        ids = services.module_ids(caller) if version.lookup_module_is_object else {}
        shown = present.field(number, found, version, ids)
        return NO_CONTENT if shown is None else json_response(shown)

    return await request.run(make)


async def layouts(zoho: ZohoContext, request: Request) -> Response:
    """Returns the layout of a module."""
    return await _described(zoho, request, request.query().get("module"), present.layouts)


async def _described(
    zoho: ZohoContext, request: Request, name: str | None, shape: Shape
) -> Response:
    """Returns what `shape` makes of a module, on a thread: picklists may have many values."""
    version, services, caller = zoho.version(request), zoho.services.metadata, caller_of(request)

    def make() -> Response:
        found = services.module(caller, name)
        ids = services.module_ids(caller) if version.lookup_module_is_object else {}
        return zoho.descriptions.response(shape, found, version, ids)

    return await request.run(make)


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


def user(zoho: ZohoContext, request: Request) -> Response:
    """Returns one user, or no content."""
    user_id = parse_id(request.params["user_id"]) or 0
    found = zoho.services.metadata.user(caller_of(request), user_id)
    return NO_CONTENT if found is None else json_response(present.user(found))


def org(zoho: ZohoContext, request: Request) -> Response:
    """Returns the org."""
    return json_response(present.org(zoho.services.metadata.org(caller_of(request))))
