"""Modules, fields, layouts, users and the org as JSON (facts 9). Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bulkwright.domain.account import Role, User
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.domain.record import LAYOUT_NAME
from bulkwright.service.metadata import OrgDetails, UserDetails
from bulkwright.zoho.present.jobs import moment
from bulkwright.zoho.versions import Version

Json = dict[str, object]
ModuleIds = Mapping[str, int]
"""The ids of modules by API name; needed where the version shows the module of a lookup with id."""

_JSON_TYPES = {
    StorageType.TEXT: "string",
    StorageType.INTEGER: "integer",
    StorageType.DECIMAL: "double",
    StorageType.BOOLEAN: "boolean",
    StorageType.DATE: "string",
    StorageType.DATETIME: "string",
    StorageType.LIST: "jsonarray",
    StorageType.REFERENCE: "jsonobject",
}
_STRING_NUMBERS = ("bigint", "long")
"""Data types whose numbers are JSON strings, because JavaScript would round them."""
_VIEWS = ("view", "edit", "quick_create", "create")
_EMPTY_ORG_KEYS = (
    "street", "city", "state", "zip", "country", "phone", "mobile", "fax", "website",
    "description", "alias", "photo_id",
)  # fmt: skip


def modules(found: Sequence[Module]) -> Json:
    """Returns several modules, without their fields."""
    return {"modules": [_module(module, number) for number, module in enumerate(found, start=1)]}


def module(found: Module, version: Version, ids: ModuleIds) -> Json:
    """Returns one module with its fields."""
    return {"modules": [_module(found, 1) | fields(found, version, ids)]}


def fields(found: Module, version: Version, ids: ModuleIds) -> Json:
    """Returns the fields of a module."""
    shown = (f for f in found.fields if version.shows_id_field or f.api_name != "id")
    return {"fields": [_field(field, found, version, ids) for field in shown]}


def field(number: int, found: Module, version: Version, ids: ModuleIds) -> Json | None:
    """Returns the field of this id; None if the module has none."""
    shown = (f for f in found.fields if version.shows_id_field or f.api_name != "id")
    wanted = next((f for f in shown if f.id == number), None)
    return None if wanted is None else {"fields": [_field(wanted, found, version, ids)]}


def layouts(found: Module, version: Version, ids: ModuleIds) -> Json:
    """Returns the one layout of a module."""
    layout: Json = {
        "id": str(found.layout_id),
        "name": LAYOUT_NAME,
        "status": version.layout_status,
        "visible": True,
        "sections": [
            {"name": f"{found.singular_label} Information", **fields(found, version, ids)}
        ],
        "profiles": [],
    }
    return {"layouts": [layout]}


def users(found: Sequence[UserDetails], number: int, per_page: int, *, has_more: bool) -> Json:
    """Returns a page of the users of an org."""
    info: Json = {
        "per_page": per_page,
        "count": len(found),
        "page": number,
        "more_records": has_more,
    }
    return {"users": [_user(details) for details in found], "info": info}


def user(found: UserDetails) -> Json:
    """Returns one user."""
    return {"users": [_user(found)]}


def org(found: OrgDetails) -> Json:
    """Returns the org of the caller; its first user is the primary contact."""
    org, users = found.org, found.users
    shown: Json = {
        "id": str(org.record_id),
        "zgid": str(org.id),
        "company_name": org.company_name,
        "domain_name": f"org{org.id}",
        "primary_email": users[0].email if users else None,
        "primary_zuid": _zuid(users[0]) if users else None,
        "currency": org.currency,
        "currency_symbol": "$" if org.currency == "USD" else org.currency,
        "iso_code": org.currency,
        "country_code": None,
        "time_zone": org.time_zone,
        "license_details": {
            "paid": True,
            "paid_type": "enterprise",
            "users_license_purchased": len(users),
            "paid_expiry": None,
            "trial_type": None,
            "trial_expiry": None,
            "portal_users_license_purchased": 0,
        },
        "mc_status": False,
        "type": "production",
        "employee_count": str(len(users)),
        "created_time": moment(org.created_time),
        **dict.fromkeys(_EMPTY_ORG_KEYS),
    }
    return {"org": [shown]}


def _module(module: Module, sequence_number: int) -> Json:
    return {
        "global_search_supported": True,
        "deletable": True,
        "description": None,
        "creatable": True,
        "modified_time": None,
        "plural_label": module.plural_label,
        "presence_sub_menu": True,
        "id": str(module.id),
        "visibility": 1,
        "convertable": module.api_name == "Leads",
        "editable": True,
        "profiles": [],
        "sequence_number": sequence_number,
        "singular_label": module.singular_label,
        "viewable": True,
        "api_supported": True,
        "api_name": module.api_name,
        "quick_create": True,
        "modified_by": None,
        "generated_type": module.generated_type,
        "feeds_required": False,
        "arguments": [],
        "module_name": module.module_name,
        "parent_module": {},
        "status": "visible",
    }


def _field(field: Field, module: Module, version: Version, ids: ModuleIds) -> Json:
    return {
        "system_mandatory": field.system_mandatory,
        "webhook": True,
        "json_type": _json_type(field),
        "crypt": None,
        "field_label": field.display_label,
        "tooltip": None,
        "created_source": "default",
        "field_read_only": field.read_only,
        "display_label": field.display_label,
        "ui_type": None,
        "read_only": field.read_only,
        "association_details": None,
        "businesscard_supported": True,
        "currency": {},
        "id": str(field.id),
        "custom_field": field.custom,
        "lookup": _lookup(field, module, version, ids),
        "visible": True,
        "length": field.length,
        "view_type": {view: view == "view" or not field.read_only for view in _VIEWS},
        "subform": None,
        "unique": {"casesensitive": "false"} if field.unique else {},
        "api_name": field.api_name,
        "data_type": field.data_type,
        "formula": {},
        "decimal_place": field.decimal_place,
        "multiselectlookup": {},
        "pick_list_values": [
            {"display_value": v, "sequence_number": i, "maps": [], "actual_value": v}
            for i, v in enumerate(field.pick_list_values, start=1)
        ],
        "auto_number": {},
    }


def _json_type(field: Field) -> str:
    return "string" if field.data_type in _STRING_NUMBERS else _JSON_TYPES[field.storage_type]


def _lookup(field: Field, module: Module, version: Version, ids: ModuleIds) -> Json:
    name = field.lookup_module
    if name is None:
        return {}
    target: object = name
    if version.lookup_module_is_object:
        target = {"api_name": name, "id": str(ids[name]) if name in ids else None}
    return {
        "display_label": module.plural_label,
        "api_name": module.api_name,
        "module": target,
        "id": str(field.id),
    }


def _user(details: UserDetails) -> Json:
    user = details.user
    created = moment(user.created_time)
    reference: Json = {"name": user.name, "id": str(user.id)}
    return {
        "country": None,
        "role": {"name": "CEO", "id": str(user.org_id)},
        "language": "en_US",
        "locale": "en_US",
        "id": str(user.id),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "full_name": user.name,
        "email": user.email,
        "zuid": _zuid(user),
        "status": "active",
        "confirm": True,
        "profile": {"name": user.role.value, "id": _profile_id(user)},
        "time_zone": user.time_zone,
        "date_format": "MMM d, yyyy",
        "time_format": "hh:mm a",
        "country_locale": "en_US",
        "offset": int(details.utc_offset.total_seconds() * 1000),
        "created_time": created,
        "created_by": reference,
        "Modified_Time": created,
        "Modified_By": reference,
    }


def _profile_id(user: User) -> str:
    return f"{user.org_id}{list(Role).index(user.role):03}"


def _zuid(user: User) -> str:
    return str(user.id % 1_000_000_000)
