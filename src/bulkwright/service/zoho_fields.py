"""Zoho's own description of fields, as a document of `modules apply`.

In:   what Zoho answers to `GET /settings/fields?module=M`, or a module with its fields.
Out:  the same in the form of schema_document.py, with the fields that the module does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bulkwright.domain.module import DATA_TYPES, UNIQUE_TYPES
from bulkwright.service.schema_document import mistake

_ZOHO_KEYS = frozenset({"json_type", "field_label", "custom_field", "view_type", "lookup"})
"""Keys of Zoho's fields that the fields of our own documents do not have."""
_NO_VALUE = "-None-"
"""What a picklist of Zoho shows for an empty value."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A document in our own form."""

    document: object
    omitted: tuple[str, ...] = ()
    """Fields that are left out because their type is not known, each with the type."""


def translate(
    document: object, module: str | None, existing: Mapping[str, Collection[str]]
) -> Translation:
    """Translates a document in Zoho's form; returns any other document as it is.

    `module` names the module of a list of fields. `existing` has the names of the fields of each
    module; those of a new module are under an empty name. Raises InvalidData.
    """
    entries = _entries(document, module)
    if not any(_is_zoho(raw) for _, fields in entries for raw in fields):
        if module is not None:
            raise mistake("--module belongs to a list of fields as Zoho answers it", "$")
        return Translation(document)
    omitted: list[str] = []
    modules = []
    for entry, raw_fields in entries:
        has = existing.get(str(entry["api_name"]), existing[""])
        fields = []
        for raw in raw_fields:
            if not isinstance(raw, dict) or raw.get("api_name") in has:
                continue
            if raw.get("data_type") in DATA_TYPES:
                fields.append(as_entry(raw))
            else:
                omitted.append(f"{raw.get('api_name')} ({raw.get('data_type')})")
        modules.append({**entry, "fields": fields})
    return Translation({"modules": modules}, tuple(omitted))


def _entries(document: object, module: str | None) -> list[tuple[dict[str, Any], list[Any]]]:
    """Returns each module with its raw fields."""
    if not isinstance(document, dict):
        return []
    fields = document.get("fields")
    if isinstance(fields, list):
        if module is None:
            raise mistake("a list of fields does not name its module; give --module", "$.fields")
        return [({"api_name": module}, fields)]
    found = document.get("modules")
    keys = ("api_name", "singular_label", "plural_label")
    return [
        ({key: raw[key] for key in keys if key in raw}, raw["fields"])
        for raw in (found if isinstance(found, list) else [])
        if isinstance(raw, dict) and "api_name" in raw and isinstance(raw.get("fields"), list)
    ]


def _is_zoho(raw: object) -> bool:
    return isinstance(raw, dict) and not _ZOHO_KEYS.isdisjoint(raw)


def as_entry(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a field of Zoho's as `schema_document.read_field` reads it."""
    data_type = raw["data_type"]
    field: dict[str, Any] = {
        "api_name": raw.get("api_name"),
        "display_label": raw.get("field_label") or raw.get("display_label"),
        "data_type": data_type,
        "length": raw.get("length") or None,
        "decimal_place": raw.get("decimal_place") or None,
        "system_mandatory": bool(raw.get("system_mandatory")),
        "unique": bool(raw.get("unique")) and data_type in UNIQUE_TYPES,
    }
    if data_type == "lookup":
        target = (raw.get("lookup") or {}).get("module")
        # A name on version 2, an object later.
        field["lookup_module"] = target.get("api_name") if isinstance(target, dict) else target
    values = [_value(value) for value in raw.get("pick_list_values") or ()]
    if values:
        field["pick_list_values"] = [value for value in values if value and value != _NO_VALUE]
    return field


def _value(raw: object) -> str:
    if isinstance(raw, dict) and raw.get("type") == "unused":
        return ""  # of a global picklist, and not chosen for this field
    value = raw.get("actual_value") or raw.get("display_value") if isinstance(raw, dict) else raw
    return "" if value is None else str(value)
