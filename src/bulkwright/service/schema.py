"""Changes the CRM schema: the standard modules of a new org, and `modules apply`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from bulkwright.domain.module import UNWRITABLE, USER_TYPES, Field, Module
from bulkwright.service.schema_document import ModuleEntry, mistake, module_entries, module_names
from bulkwright.service.zoho_fields import Translation, translate
from bulkwright.store.modules import ModuleStore

_RAW_COMMON_FIELDS: tuple[dict[str, Any], ...] = (
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


class SchemaService:
    """Changes the schema of an org."""

    def __init__(self, modules: ModuleStore) -> None:
        self._modules = modules

    def add_standard_modules(self, org_id: int) -> None:
        """Adds the 18 standard modules (facts 8.5)."""
        added = []
        for raw in _standard_modules():
            checks = raw["duplicate_check_fields"]
            fields = [
                _standard_field(f, duplicate_check=f["api_name"] in checks) for f in raw["fields"]
            ]
            added.append(
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
        self._modules.add(added)

    def apply(self, org_id: int, document: object) -> list[Module]:
        """Adds fields to modules, and missing modules; returns the changed modules.

        `document` is `{"modules":[{"api_name","singular_label","plural_label","fields":[...]}]}`.
        An existing field of the same type stays as it is, so that one file can be applied again.
        Raises InvalidData with the place of the first mistake; then nothing has changed.
        """
        known = {m.api_name: m for m in self._modules.modules(org_id)}
        changes: list[tuple[Module | None, str, list[Field]]] = []
        for entry in module_entries(document):
            module = self._target(entry, known)
            fields = _new_fields(entry, module, {*known, *module_names(document)})
            if module is None:
                known[entry.name] = self._custom_module(org_id, entry, fields)
            changes.append((module, entry.name, fields))
        changed = []
        for module, name, fields in changes:
            if module is None:
                self._modules.add([known[name]])
                changed.append(known[name])
            elif fields:
                first_id = self._modules.take_ids(len(fields))
                changed.append(self._modules.extend(module, numbered(fields, first_id)))
        return changed

    def translated(self, org_id: int, document: object, module: str | None) -> Translation:
        """Returns a document for `apply`, also of fields in Zoho's own form (zoho_fields.py)."""
        existing = {
            known.api_name: {f.api_name for f in known.fields}
            for known in self._modules.modules(org_id)
        }
        system = {field.api_name for field in COMMON_FIELDS}
        return translate(document, module, {**existing, "": system})

    def _target(self, entry: ModuleEntry, known: Mapping[str, Module]) -> Module | None:
        """Returns the existing module of an entry; None if the entry is a new one."""
        name = entry.name
        if name.casefold() in {other.casefold() for other in known if other != name}:
            raise mistake(f"{name} differs from another module by case only", entry.place)
        module = known.get(name)
        if module is not None and not module.table_kind.schema_is_stored:
            raise mistake(
                f"{name} has an existing table: alter the table, then run "
                "`bulkwright modules from-table` again",
                entry.place,
            )
        return module

    def _custom_module(self, org_id: int, entry: ModuleEntry, fields: list[Field]) -> Module:
        singular = entry.label("singular_label") or entry.name
        if not any(field.api_name == "Name" for field in fields):
            # Every custom module has the mandatory field `Name` (facts 8.2).
            name = Field(0, "Name", f"{singular} Name", "text", 120, system_mandatory=True)
            fields = [name, *fields]
        marked = [replace(f, duplicate_check=True) if f.api_name == "Name" else f for f in fields]
        return self._module(
            org_id,
            [*COMMON_FIELDS, *marked],
            api_name=entry.name,
            module_name=entry.name,
            singular_label=singular,
            plural_label=entry.label("plural_label") or singular,
            generated_type="custom",
            bulk_write=True,
        )

    def _module(self, org_id: int, fields: list[Field], **attributes: Any) -> Module:
        first_id = self._modules.take_ids(len(fields) + 2)
        return Module(
            org_id=org_id,
            id=first_id,
            layout_id=first_id + 1,
            fields=tuple(numbered(fields, first_id + 2)),
            **attributes,
        )


def _new_fields(entry: ModuleEntry, module: Module | None, modules: Collection[str]) -> list[Field]:
    """Returns the fields of an entry that its module does not have yet."""
    existing = {f.api_name: f for f in module.fields} if module is not None else {}
    taken = {n.casefold() for n in existing} or {f.api_name.casefold() for f in COMMON_FIELDS}
    new = []
    for place, field in entry.fields(modules):
        old = existing.get(field.api_name)
        if old is not None:
            if old.data_type != field.data_type or old.unique != field.unique:
                raise mistake(f"{field.api_name} exists already, with other traits", place)
            continue
        if field.api_name.casefold() in taken:
            raise mistake(f"{field.api_name} is taken, or differs by case only", place)
        taken.add(field.api_name.casefold())
        new.append(field)
    return new


@cache
def _standard_modules() -> list[dict[str, Any]]:
    text = (files("bulkwright") / "data" / "standard_modules.json").read_text("utf-8")
    loaded: list[dict[str, Any]] = json.loads(text)
    return loaded


def _standard_field(raw: Mapping[str, Any], *, duplicate_check: bool = False) -> Field:
    data_type = raw["data_type"]
    return Field(
        id=0,
        api_name=raw["api_name"],
        display_label=raw["display_label"],
        data_type=data_type,
        length=raw.get("length"),
        decimal_place=raw.get("decimal_place"),
        system_mandatory=raw.get("system_mandatory", False),
        layout_mandatory=raw.get("layout_mandatory", False),
        # How bulk write treats tags is not documented (facts 8.1), so it does not write them.
        read_only=raw.get("read_only", False) or raw["api_name"] == "Tag",
        # The table has no column for an automatic number, so no record can be found by it.
        unique=raw.get("unique", False) and data_type not in UNWRITABLE,
        duplicate_check=duplicate_check,
        lookup_module=None if data_type in USER_TYPES else raw.get("lookup_module"),
        pick_list_values=tuple(raw.get("pick_list_values") or ()),
    )


def numbered(fields: Iterable[Field], first_id: int) -> list[Field]:
    """Returns the fields with consecutive ids."""
    return [replace(field, id=first_id + i) for i, field in enumerate(fields)]


COMMON_FIELDS: tuple[Field, ...] = tuple(map(_standard_field, _RAW_COMMON_FIELDS))
"""The fields that every module has, with id 0."""
