"""Modules, fields, layouts, the current user and the org, as clients ask for them (facts 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bulkwright.domain.account import Caller, Profile, User
from bulkwright.domain.errors import InvalidModule, InvalidToken, RequiredParamMissing
from bulkwright.domain.module import Field, Kind, Module
from bulkwright.present import moment
from bulkwright.store.accounts import AccountStore
from bulkwright.store.modules import ModuleStore

Json = dict[str, object]

_JSON_TYPES = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "double",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "string",
    Kind.DATETIME: "string",
    Kind.LIST: "jsonarray",
    Kind.REFERENCE: "jsonobject",
}
_LONG = ("bigint", "long")
"""Numbers that travel as text, for JavaScript would round them."""
_VIEWS = ("view", "edit", "quick_create", "create")


@dataclass(frozen=True, slots=True)
class MetadataService:
    """Reads what the CRM knows about itself."""

    accounts: AccountStore
    modules: ModuleStore

    def all_modules(self, caller: Caller) -> Json:
        """Every module, without its fields."""
        found = self.modules.modules(caller.org_id)
        return {"modules": [_module(m, i) for i, m in enumerate(found)]}

    def one_module(self, caller: Caller, api_name: str) -> Json:
        """One module with its fields. Raises InvalidModule."""
        module = self._module(caller, api_name)
        fields = [_field(f, module) for f in module.fields]
        return {"modules": [_module(module, 0) | {"fields": fields}]}

    def fields(self, caller: Caller, api_name: str | None) -> Json:
        """The fields of a module. Raises RequiredParamMissing and InvalidModule."""
        module = self._module(caller, api_name)
        return {"fields": [_field(f, module) for f in module.fields]}

    def layouts(self, caller: Caller, api_name: str | None) -> Json:
        """The one layout of a module. Raises RequiredParamMissing and InvalidModule."""
        module = self._module(caller, api_name)
        section: Json = {
            "name": f"{module.singular_label} Information",
            "fields": [_field(f, module) for f in module.fields],
        }
        layout: Json = {
            "id": str(module.layout_id),
            "name": "Standard",
            "status": 0,
            "visible": True,
            "sections": [section],
            "profiles": [],
        }
        return {"layouts": [layout]}

    def users(self, caller: Caller, kind: str | None) -> Json:
        """The caller (`type=CurrentUser`), or everybody of the org."""
        users = self.accounts.users(caller.org_id)
        if kind is not None and kind.lower() == "currentuser":
            users = [u for u in users if u.id == caller.user_id]
        info: Json = {"per_page": 200, "count": len(users), "page": 1, "more_records": False}
        return {"users": [_user(u) for u in users], "info": info}

    def org(self, caller: Caller) -> Json:
        """The caller's org."""
        org = self.accounts.org(caller.org_id)
        if org is None:
            raise InvalidToken
        users = self.accounts.users(caller.org_id)
        address = ("street", "city", "state", "zip", "country", "phone", "mobile", "fax",
                   "website", "description", "alias", "photo_id")  # fmt: skip
        return {
            "org": [
                {
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
                    **dict.fromkeys(address),
                }
            ]
        }

    def _module(self, caller: Caller, api_name: str | None) -> Module:
        if not api_name:
            raise RequiredParamMissing(details={"param_name": "module"})
        module = self.modules.module(caller.org_id, api_name)
        if module is None:
            raise InvalidModule(details={"resource_path_index": 2})
        return module


def _module(module: Module, position: int) -> Json:
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
        "sequence_number": position + 1,
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


def _field(field: Field, module: Module) -> Json:
    shown = not field.read_only
    return {
        "system_mandatory": field.system_mandatory,
        "webhook": True,
        "json_type": "string" if field.data_type in _LONG else _JSON_TYPES[field.kind],
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
        "lookup": _lookup(field, module),
        "visible": True,
        "length": field.length,
        "view_type": {view: view == "view" or shown for view in _VIEWS},
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


def _lookup(field: Field, module: Module) -> Json:
    if field.lookup_module is None:
        return {}
    return {
        "display_label": module.plural_label,
        "api_name": module.api_name,
        "module": field.lookup_module,
        "id": str(field.id),
    }


def _user(user: User) -> Json:
    created = moment(user.created_time)
    me: Json = {"name": user.name, "id": str(user.id)}
    offset = datetime.now(ZoneInfo(user.time_zone)).utcoffset()
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
        "profile": {"name": user.profile.value, "id": _profile_id(user)},
        "time_zone": user.time_zone,
        "date_format": "MMM d, yyyy",
        "time_format": "hh:mm a",
        "country_locale": "en_US",
        "offset": 0 if offset is None else int(offset.total_seconds() * 1000),
        "created_time": created,
        "created_by": me,
        "Modified_Time": created,
        "Modified_By": me,
    }


def _profile_id(user: User) -> str:
    return f"{user.org_id}{list(Profile).index(user.profile):03}"


def _zuid(user: User) -> str:
    return str(user.id % 1_000_000_000)
