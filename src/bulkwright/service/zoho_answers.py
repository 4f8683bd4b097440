"""What Zoho answers about the modules of an org, gathered from several answers.

In:   the JSON of `settings/modules`, `settings/fields?module=M` and `settings/layouts?module=M`.
Out:  for each module its labels, its fields, and what could not be taken.

Only the list of modules names them, so the caller says to which module any other answer belongs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import Field
from bulkwright.service.schema_document import mistake, read_field
from bulkwright.service.zoho_fields import as_entry

ANY_RECORD = "se_module"
"""What Zoho names as the module of a lookup that leads to records of several modules."""

_NAMES = ("module_name", "singular_label", "plural_label", "generated_type")
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ZohoModule:
    """A module as an org of Zoho has it."""

    api_name: str
    names: Mapping[str, str]
    """`module_name`, `singular_label`, `plural_label`, `generated_type`, as far as known."""
    fields: tuple[Field, ...]
    """In Zoho's order, with id 0."""
    omitted: tuple[str, ...]
    """What could not be taken, each with the reason."""


@dataclass(slots=True)
class ZohoAnswers:
    """Answers of Zoho, by the module that they are about."""

    modules: dict[str, _Json] = field(default_factory=dict)
    fields: dict[str, list[_Json]] = field(default_factory=dict)
    layouts: dict[str, list[_Json]] = field(default_factory=dict)

    def add(self, document: object, module: str | None) -> None:
        """Adds an answer; `module` is the module of a list of fields or of layouts.

        Raises InvalidData if it is another document, or if the module is not known.
        """
        if isinstance(document, dict):
            for key, found in (("fields", self.fields), ("layouts", self.layouts)):
                if key in document:
                    if module is None:
                        raise mistake(f"a list of {key} does not name its module", f"$.{key}")
                    found[module] = _objects(document[key], f"$.{key}")
                    return
            if "modules" in document:
                for number, raw in enumerate(_objects(document["modules"], "$.modules")):
                    self._add_module(raw, f"$.modules[{number}]")
                return
        raise mistake("a list of modules, fields or layouts is expected", "$")

    def names(self) -> list[str]:
        """Returns the names of the modules whose fields are known, in Zoho's order."""
        described = {*self.fields, *self.layouts}
        listed = [name for name in self.modules if name in described]
        return listed + sorted(described - set(listed))

    def undescribed(self) -> list[str]:
        """Returns the names of the modules that have an API and whose fields are not known."""
        return [
            name
            for name, raw in self.modules.items()
            if raw.get("api_supported", True) and name not in {*self.fields, *self.layouts}
        ]

    def module(self, name: str, modules: Collection[str]) -> ZohoModule:
        """Returns one module. `modules` are those that a lookup may refer to.

        Raises nothing for what the answers hold: a field that cannot be taken is omitted.
        """
        raw = self.modules.get(name, {})
        names = {key: str(raw[key]) for key in _NAMES if raw.get(key)}
        fields: dict[str, Field] = {}
        omitted: list[str] = []
        demanded = self._demanded(name)
        for raw_field in self._raw_fields(name):
            try:
                found = _field(raw_field, {*modules, ANY_RECORD}, demanded)
                if found.api_name.casefold() in map(str.casefold, fields):
                    raise mistake("its name differs from that of another field by case only", "$")
            except InvalidData as error:
                omitted.append(f"{raw_field.get('api_name')} ({error.message})")
                continue
            if raw_field.get("unique") and not found.unique:
                omitted.append(f"{found.api_name} is not unique ({found.data_type})")
            fields[found.api_name] = found
        return ZohoModule(name, names, tuple(fields.values()), tuple(omitted))

    def _add_module(self, raw: _Json, place: str) -> None:
        name = raw.get("api_name")
        if not isinstance(name, str):
            raise mistake("a module has an api_name", place)
        self.modules[name] = raw
        if isinstance(raw.get("fields"), list):
            self.fields[name] = _objects(raw["fields"], f"{place}.fields")

    def _raw_fields(self, name: str) -> Iterator[_Json]:
        """Yields the fields; those of the layouts where the list of the fields is missing."""
        if name in self.fields:
            yield from self.fields[name]
            return
        named = set()
        for raw in (raw for layout in self.layouts[name] for raw in _fields_of(layout)):
            if raw.get("api_name") not in named:
                named.add(raw.get("api_name"))
                yield raw

    def _demanded(self, name: str) -> Collection[str]:
        """Returns the fields that the first layout in use makes mandatory."""
        layouts = self.layouts.get(name, [])
        used = [layout for layout in layouts if layout.get("status") not in ("inactive", -1)]
        return {
            raw.get("api_name", "")
            for layout in used[:1]
            for raw in _fields_of(layout)
            if raw.get("required")
        }


def _objects(value: object, place: str) -> list[_Json]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise mistake("a list of objects is expected", place)
    return value


def _fields_of(layout: _Json) -> Iterator[_Json]:
    for section in layout.get("sections") or ():
        if isinstance(section, dict):
            yield from (raw for raw in section.get("fields") or () if isinstance(raw, dict))


def _field(raw: _Json, modules: Collection[str], demanded: Collection[str]) -> Field:
    """Returns a field, with id 0. Raises InvalidData if it cannot be a field here."""
    try:
        entry = as_entry(raw)
    except (AttributeError, KeyError, TypeError):
        raise mistake("it is not described as Zoho describes fields", "$") from None
    name = entry["api_name"]
    found = read_field(entry, "$", modules)
    return replace(
        found,
        layout_mandatory=name in demanded and not found.system_mandatory,
        # How bulk write treats tags is not documented (facts 8.1), so it does not write them.
        read_only=bool(raw.get("read_only") or raw.get("field_read_only")) or name == "Tag",
        custom=bool(raw.get("custom_field")),
    )
