"""The CRM schema: the standard modules of a new org, and `modules apply`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import (
    API_NAME,
    DATA_TYPES,
    UNWRITABLE,
    USER_TYPES,
    Field,
    Module,
)
from bulkwright.store.modules import ModuleStore

_MODULE_NAME = 50
_FIELD_NAME = 90
"""Longest api_names: an index name is made of both, and a key column adds to a field's."""

_LENGTHS = {
    "text": 255,
    "textarea": 2000,
    "mediumtext": 2000,
    "email": 100,
    "phone": 30,
    "website": 450,
    "picklist": 120,
    "integer": 9,
    "bigint": 18,
    "long": 18,
    "double": 16,
    "currency": 16,
    "percent": 5,
}
"""Lengths where none is given (facts 8.1)."""

_SYSTEM: tuple[dict[str, Any], ...] = (
    {"api_name": "id", "display_label": "Record Id", "data_type": "bigint", "length": 20,
     "read_only": True, "unique": True},
    {"api_name": "Owner", "display_label": "Owner", "data_type": "ownerlookup", "length": 120},
    {"api_name": "Created_By", "display_label": "Created By", "data_type": "ownerlookup",
     "length": 120, "read_only": True},
    {"api_name": "Modified_By", "display_label": "Modified By", "data_type": "ownerlookup",
     "length": 120, "read_only": True},
    {"api_name": "Created_Time", "display_label": "Created Time", "data_type": "datetime",
     "length": 120, "read_only": True},
    {"api_name": "Modified_Time", "display_label": "Modified Time", "data_type": "datetime",
     "length": 120, "read_only": True},
    {"api_name": "Layout", "display_label": "Layout", "data_type": "layout", "length": 50},
)  # fmt: skip
"""Fields that every module has."""

_FIELD_KEYS = {
    "api_name", "display_label", "data_type", "length", "decimal_place", "system_mandatory",
    "unique", "pick_list_values", "lookup_module",
}  # fmt: skip
_MODULE_KEYS = {"api_name", "singular_label", "plural_label", "fields"}


class SchemaService:
    """Changes the schema of an org."""

    def __init__(self, modules: ModuleStore) -> None:
        self._modules = modules

    def add_standard_modules(self, org_id: int) -> None:
        """The 18 standard modules (facts 8.5)."""
        made = []
        for raw in _standard_modules():
            checks = raw["duplicate_check_fields"]
            fields = [
                _standard_field(f, duplicate_check=f["api_name"] in checks) for f in raw["fields"]
            ]
            made.append(
                self._module(
                    org_id,
                    fields,
                    api_name=raw["api_name"],
                    module_name=raw["module_name"],
                    singular_label=raw["singular_label"],
                    plural_label=raw["plural_label"],
                    generated_type=raw["generated_type"],
                    bulk_write=raw["bulk_write_v2"],
                )
            )
        self._modules.add(made)

    def apply(self, org_id: int, document: object) -> list[Module]:
        """Add fields to modules, and modules that are not there yet; returns the changed ones.

        `document` is `{"modules":[{"api_name","singular_label","plural_label","fields":[...]}]}`.
        A field that is there already with the same type is left as it is, so that one file can be
        applied again. Raises InvalidData with the place of what is wrong; then nothing changed.
        """
        wanted = _list(_dict(document, "$").get("modules"), "$.modules")
        known = {m.api_name: m for m in self._modules.modules(org_id)}
        plans = []
        for number, raw in enumerate(wanted):
            place = f"$.modules[{number}]"
            entry = _dict(raw, place)
            _only(entry, _MODULE_KEYS, place)
            name = _name(entry, place, _MODULE_NAME)
            folded = {n.casefold() for n in known if n != name}
            if name.casefold() in folded:
                raise _wrong(f"{name} differs from another module by case only", place)
            module = known.get(name)
            if module is not None and module.table is not None:
                raise _wrong(
                    f"{name} is over a table of your own: alter that one, then run "
                    "`bulkwright modules from-table` again",
                    place,
                )
            fields = self._new_fields(module, entry, place, {*known, *_names(wanted)})
            plans.append((name, module, entry, fields))
            if module is None:
                known[name] = self._custom(org_id, name, entry, fields, place)
        changed = []
        for name, module, _, fields in plans:
            if module is None:
                self._modules.add([known[name]])
                changed.append(known[name])
            elif fields:
                first = self._modules.take_ids(len(fields))
                changed.append(self._modules.extend(module, _numbered(fields, first)))
        return changed

    def _custom(
        self, org_id: int, name: str, entry: Mapping[str, Any], fields: list[Field], place: str
    ) -> Module:
        singular = _text(entry, "singular_label", place) or name
        named = [f for f in fields if f.api_name == "Name"]
        if not named:
            # A custom module's records are named by `Name`, which is mandatory (facts 8.2).
            fields = [
                Field(0, "Name", f"{singular} Name", "text", 120, system_mandatory=True),
                *fields,
            ]
        marked = [replace(f, duplicate_check=True) if f.api_name == "Name" else f for f in fields]
        system = [_standard_field(f) for f in _SYSTEM]
        return self._module(
            org_id,
            [*system, *marked],
            api_name=name,
            module_name=name,
            singular_label=singular,
            plural_label=_text(entry, "plural_label", place) or singular,
            generated_type="custom",
            bulk_write=True,
        )

    def _module(self, org_id: int, fields: list[Field], **words: Any) -> Module:
        first = self._modules.take_ids(len(fields) + 2)
        numbered = _numbered(fields, first + 2)
        return Module(org_id=org_id, id=first, layout_id=first + 1, fields=tuple(numbered), **words)

    def _new_fields(
        self, module: Module | None, entry: Mapping[str, Any], place: str, modules: set[str]
    ) -> list[Field]:
        there = {f.api_name: f for f in module.fields} if module is not None else {}
        taken = {n.casefold() for n in there} or {f["api_name"].casefold() for f in _SYSTEM}
        fields = []
        for number, raw in enumerate(_list(entry.get("fields", []), f"{place}.fields")):
            spot = f"{place}.fields[{number}]"
            field = _field(_dict(raw, spot), spot, modules)
            old = there.get(field.api_name)
            if old is not None:
                if old.data_type != field.data_type or old.unique != field.unique:
                    raise _wrong(f"{field.api_name} is there already, with other traits", spot)
                continue
            if field.api_name.casefold() in taken:
                raise _wrong(f"{field.api_name} is taken, or differs by case only", spot)
            taken.add(field.api_name.casefold())
            fields.append(field)
        return fields


@cache
def _standard_modules() -> list[dict[str, Any]]:
    text = (files("bulkwright") / "data" / "standard_modules.json").read_text("utf-8")
    loaded: list[dict[str, Any]] = json.loads(text)
    return loaded


def _standard_field(raw: Mapping[str, Any], *, duplicate_check: bool = False) -> Field:
    kind = raw["data_type"]
    return Field(
        id=0,
        api_name=raw["api_name"],
        display_label=raw["display_label"],
        data_type=kind,
        length=raw.get("length"),
        decimal_place=raw.get("decimal_place"),
        system_mandatory=raw.get("system_mandatory", False),
        layout_mandatory=raw.get("layout_mandatory", False),
        # What bulk write does with tags is not documented (facts 8.1): it leaves them alone.
        read_only=raw.get("read_only", False) or raw["api_name"] == "Tag",
        # An automatic number is no column here, so nothing can be found by it.
        unique=raw.get("unique", False) and kind not in UNWRITABLE,
        duplicate_check=duplicate_check,
        lookup_module=None if kind in USER_TYPES else raw.get("lookup_module"),
        pick_list_values=tuple(raw.get("pick_list_values") or ()),
    )


def _field(raw: Mapping[str, Any], place: str, modules: set[str]) -> Field:
    _only(raw, _FIELD_KEYS, place)
    name = _name(raw, place, _FIELD_NAME)
    if name.casefold().endswith("__key"):
        raise _wrong(f"{name}: names ending in __key are kept for the store", place)
    data_type = raw.get("data_type")
    if data_type not in DATA_TYPES:
        raise _wrong(f"{name}: unknown data_type {data_type!r}", f"{place}.data_type")
    unique = _flag(raw, "unique", place)
    if unique and data_type not in ("text", "email", "phone", "website", "integer", "bigint"):
        raise _wrong(f"{name}: a field of type {data_type} cannot be unique", f"{place}.unique")
    target = _text(raw, "lookup_module", place)
    if (data_type == "lookup") != (target is not None):
        raise _wrong(f"{name}: lookup_module belongs to fields of type lookup", place)
    if target is not None and target not in modules:
        raise _wrong(f"{name}: unknown module {target}", f"{place}.lookup_module")
    values = _list(raw.get("pick_list_values", []), f"{place}.pick_list_values")
    if not all(isinstance(v, str) and v for v in values):
        raise _wrong(f"{name}: pick_list_values are texts", f"{place}.pick_list_values")
    return Field(
        id=0,
        api_name=name,
        display_label=_text(raw, "display_label", place) or name.replace("_", " "),
        data_type=data_type,
        length=_number(raw, "length", place) or _LENGTHS.get(data_type),
        decimal_place=_number(raw, "decimal_place", place),
        system_mandatory=_flag(raw, "system_mandatory", place),
        unique=unique,
        custom=True,
        lookup_module=target,
        pick_list_values=tuple(dict.fromkeys(values)),
    )


def _numbered(fields: Iterable[Field], first: int) -> list[Field]:
    return [replace(f, id=first + i) for i, f in enumerate(fields)]


def _names(wanted: list[Any]) -> set[str]:
    return {w["api_name"] for w in wanted if isinstance(w, dict) and "api_name" in w}


def _wrong(message: str, place: str) -> InvalidData:
    return InvalidData(message, {"json_path": place})


def _dict(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong("an object is expected", place)
    return value


def _list(value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong("a list is expected", place)
    return value


def _name(raw: Mapping[str, Any], place: str, longest: int) -> str:
    name = raw.get("api_name")
    if not isinstance(name, str) or not API_NAME.fullmatch(name) or len(name) > longest:
        raise _wrong(
            f"an api_name is a letter, then letters, digits and _, at most {longest} in all",
            f"{place}.api_name",
        )
    return name


def _text(raw: Mapping[str, Any], key: str, place: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > 255):
        raise _wrong("a text is expected", f"{place}.{key}")
    return value


def _flag(raw: Mapping[str, Any], key: str, place: str) -> bool:
    value = raw.get(key, False)
    if not isinstance(value, bool):
        raise _wrong("true or false is expected", f"{place}.{key}")
    return value


def _number(raw: Mapping[str, Any], key: str, place: str) -> int | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise _wrong("a positive whole number is expected", f"{place}.{key}")
    return value


def _only(raw: Mapping[str, Any], keys: set[str], place: str) -> None:
    unknown = sorted(set(raw) - keys)
    if unknown:
        raise _wrong(f"unknown key {unknown[0]}", place)
