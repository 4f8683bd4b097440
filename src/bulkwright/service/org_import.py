"""Makes the modules of an org what they are in an org of Zoho (`modules import-zoho`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from bulkwright.domain.module import API_NAME, MAX_NEW_NAME_CHARS, UNWRITABLE, Field, Module
from bulkwright.service.schema import COMMON_FIELDS, numbered
from bulkwright.service.zoho_answers import ZohoAnswers, ZohoModule
from bulkwright.store.modules import ModuleStore


@dataclass(frozen=True, slots=True)
class ModuleImport:
    """What became of one module."""

    api_name: str
    outcome: str
    """`added`, `replaced`, `changed` (it has records, which stay), `unchanged` or `left out`."""
    fields: int
    omitted: tuple[str, ...]
    """What could not be taken, each with the reason."""


class OrgImport:
    """Imports the modules of one org of Zoho into an org."""

    def __init__(self, modules: ModuleStore, org_id: int) -> None:
        self._modules = modules
        self._org_id = org_id
        self._known = {module.api_name: module for module in modules.modules(org_id)}

    def run(self, answers: ZohoAnswers, only: Collection[str] | None = None) -> list[ModuleImport]:
        """Imports every module whose fields are known, or `only` some; returns their outcomes.

        A module without records gets exactly the fields that it has at Zoho, beside the system
        fields. One with records keeps its fields, and gets those that it lacks.
        """
        names = [name for name in answers.names() if not only or name in only]
        obstacles = {name: reason for name in names if (reason := self._obstacle(name, names))}
        left_out = [ModuleImport(name, "left out", 0, (obstacles[name],)) for name in obstacles]
        modules = {*self._known, *names} - {name for name in obstacles if name not in self._known}
        taken = [name for name in names if name not in obstacles]
        return [self._import(answers.module(name, modules)) for name in taken] + left_out

    def _import(self, found: ZohoModule) -> ModuleImport:
        name, old = found.api_name, self._known.get(found.api_name)
        if old is None:
            new = self._new(found)
            self._modules.add([new])
            self._known[name] = new
            return ModuleImport(name, "added", len(new.fields), found.omitted)
        new = self._renewed(old, found)
        if new == old:
            return ModuleImport(name, "unchanged", len(new.fields), found.omitted)
        if self._modules.rebuild(old, new):
            return ModuleImport(name, "replaced", len(new.fields), found.omitted)
        return self._extended(old, new, found.omitted)

    def _obstacle(self, name: str, names: Collection[str]) -> str:
        """Returns why a module of this name cannot be imported, or an empty text."""
        old = self._known.get(name)
        if old is not None and not old.table_kind.schema_is_stored:
            return "its records are in an existing table, whose columns are its fields"
        if not API_NAME.fullmatch(name) or len(name) > MAX_NEW_NAME_CHARS:
            return f"a name is a letter, then letters, digits and _, at most {MAX_NEW_NAME_CHARS}"
        others = {*self._known, *names} - {name}
        if old is None and name.casefold() in map(str.casefold, others):
            return "its name differs from that of another module by case only"
        return ""

    def _new(self, found: ZohoModule) -> Module:
        fields = [*COMMON_FIELDS, *_own(found.fields, {})]
        first = self._modules.take_ids(len(fields) + 2)
        named = found.names
        singular = named.get("singular_label", found.api_name)
        return Module(
            org_id=self._org_id, id=first, api_name=found.api_name,
            module_name=named.get("module_name", found.api_name), singular_label=singular,
            plural_label=named.get("plural_label", singular),
            generated_type=named.get("generated_type", "custom"), layout_id=first + 1,
            bulk_write=True, fields=tuple(numbered(fields, first + 2)),
        )  # fmt: skip

    def _renewed(self, old: Module, found: ZohoModule) -> Module:
        """Returns the module with the labels and the fields of Zoho; fields that stay keep ids."""
        existing = {f.api_name: f for f in old.fields}
        system = [existing.get(f.api_name, f) for f in COMMON_FIELDS]
        fields = [*system, *_own(found.fields, existing)]
        if new := sum(not f.id for f in fields):
            ids = count(self._modules.take_ids(new))
            fields = [f if f.id else replace(f, id=next(ids)) for f in fields]
        named = found.names
        return replace(
            old, fields=tuple(fields),
            module_name=named.get("module_name", old.module_name),
            singular_label=named.get("singular_label", old.singular_label),
            plural_label=named.get("plural_label", old.plural_label),
            generated_type=named.get("generated_type", old.generated_type),
        )  # fmt: skip

    def _extended(self, old: Module, new: Module, omitted: tuple[str, ...]) -> ModuleImport:
        """Changes a module with records: its columns and indexes stay, new ones are added."""
        existing = {f.api_name: f for f in old.fields}
        wanted = {f.api_name: f for f in new.fields}
        kept: list[Field] = []
        reasons: list[str] = []
        for field in old.fields:
            renewed = wanted.get(field.api_name)
            if renewed is None:
                kept.append(field)
                if field.custom:
                    reasons.append(f"{field.api_name} stays, because there are records")
            elif _has_other_column(field, renewed):
                kept.append(field)
                reasons.append(
                    f"{field.api_name} stays {_traits(field)} instead of {_traits(renewed)}, "
                    "because there are records"
                )
            else:
                values = dict.fromkeys((*renewed.pick_list_values, *field.pick_list_values))
                kept.append(replace(renewed, pick_list_values=tuple(values)))
        taken = {name.casefold() for name in existing}
        added = [f for f in new.fields if f.api_name not in existing]
        for field in [f for f in added if f.api_name.casefold() in taken]:
            added.remove(field)
            reasons.append(f"{field.api_name} (its name is taken, or differs by case only)")
        changed = replace(new, fields=(*kept, *added))
        self._modules.restate(changed, [f for f in added if f.data_type not in UNWRITABLE])
        return ModuleImport(old.api_name, "changed", len(changed.fields), (*omitted, *reasons))


def _own(fields: Iterable[Field], existing: Mapping[str, Field]) -> list[Field]:
    """Returns Zoho's fields without the system fields, which every module has anyway."""
    system = {f.api_name.casefold() for f in COMMON_FIELDS}
    named = [f for f in fields if f.api_name.casefold() not in system]
    return [
        replace(
            f,
            id=existing[f.api_name].id if f.api_name in existing else 0,
            duplicate_check=existing[f.api_name].duplicate_check
            if f.api_name in existing
            else f.api_name == "Name" and f.data_type == "text",
        )
        for f in named
    ]


def _has_other_column(old: Field, new: Field) -> bool:
    """Returns whether a field needs another column or index than it has."""
    stored = old.data_type not in UNWRITABLE, new.data_type not in UNWRITABLE
    return (
        stored[0] != stored[1]
        or old.storage_type is not new.storage_type
        or old.unique != new.unique
        or old.duplicate_check != new.duplicate_check
    )


def _traits(field: Field) -> str:
    return f"{'unique ' * field.unique}{field.data_type}"
