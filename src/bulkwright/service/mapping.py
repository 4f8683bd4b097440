"""Does a mapping fit the module and the file? (facts 3.3, 3.6; docs/differences.md)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bulkwright.domain import dateformat
from bulkwright.domain.errors import (
    ColumnIndexNotFound,
    DuplicateMapping,
    InvalidData,
    InvalidField,
    InvalidFormat,
    MandatoryFieldsNotMapped,
    MandatoryNotFound,
    MissingKey,
)
from bulkwright.domain.job import Mapping, Operation
from bulkwright.domain.module import SYSTEM_FIELDS, Field, Kind, Module
from bulkwright.store.modules import ModuleStore

_FORMATS: dict[Kind, Callable[[str], object]] = {
    Kind.DATE: dateformat.translate,
    Kind.DATETIME: dateformat.translate,
    Kind.INTEGER: dateformat.number_format,
    Kind.DECIMAL: dateformat.number_format,
}
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class MappingRules:
    """The rules for the mappings of one resource."""

    modules: ModuleStore
    module: Module
    operation: Operation
    find_by: str | None
    header: Sequence[str]
    place: str
    """Where in the request the resource stands, for `details.json_path`."""
    layout_mandatory: bool = False
    parent_header: Sequence[str] | None = None
    """Header of the job's first CSV, for resources that come after it."""

    def by_header(self) -> tuple[Mapping, ...]:
        """Mappings by the header's field names (facts 1.4).

        `Lookup.Field` finds the looked-up record by that field; a lookup's bare name means record
        ids. Columns that are no writable field are left out, as they are in an exported file;
        raises InvalidField when none is left.
        """
        made = []
        for index, text in enumerate(self.header):
            name, _, parent = text.strip().partition(".")
            field = self.module.field(name)
            if field is None or not self._takes(field):
                continue
            find_by = parent or ("id" if field.data_type == "lookup" else None)
            made.append(Mapping(name, index, find_by=find_by))
        if not made:
            first = self.header[0].strip() if self.header else ""
            raise InvalidField(_unknown(first))
        return tuple(made)

    def check(self, mappings: Sequence[Mapping]) -> None:
        """Raise what is wrong with the mappings, the first one first."""
        if self.operation.updates and self.find_by is None:
            raise MandatoryNotFound(details={"json_path": f"{self.place}.find_by"})
        seen: set[str] = set()
        for number, mapping in enumerate(mappings):
            spot = f"{self.place}.field_mappings[{number}]"
            self._check_one(mapping, spot)
            if mapping.api_name in seen:
                raise DuplicateMapping(
                    f"{mapping.api_name} is mapped twice.",
                    {"api_name": mapping.api_name, "json_path": f"{spot}.api_name"},
                )
            seen.add(mapping.api_name)
        self._check_find_by(seen)
        if self.operation.creates:
            self._check_mandatory(seen)

    def _takes(self, field: Field) -> bool:
        """Whether the field may stand in a mapping at all."""
        if field.api_name == "id":
            return self.find_by == "id" or self.operation.updates
        own = field.column is not None
        return field.writable and (own or field.api_name not in SYSTEM_FIELDS)

    def _check_one(self, mapping: Mapping, spot: str) -> None:
        field = self.module.field(mapping.api_name)
        if field is None or not self._takes(field):
            raise InvalidField(_unknown(mapping.api_name), {"json_path": f"{spot}.api_name"})
        if mapping.index is None:
            if mapping.default is None:
                raise MissingKey(
                    f"required key index for field {field.api_name} is not found in request body.",
                    {"json_path": f"{spot}.index"},
                )
        elif not 0 <= mapping.index < len(self.header):
            raise ColumnIndexNotFound(details={"json_path": f"{spot}.index"})
        if mapping.format is not None:
            read = _FORMATS.get(field.kind)
            if read is None:
                raise InvalidFormat(
                    f"{field.api_name} takes no format", {"json_path": f"{spot}.format"}
                )
            try:
                read(mapping.format)
            except InvalidFormat as error:
                raise InvalidFormat(error.message, {"json_path": f"{spot}.format"}) from None
        self._check_lookup(field, mapping, spot)

    def _check_lookup(self, field: Field, mapping: Mapping, spot: str) -> None:
        by, details = mapping.find_by, {"json_path": f"{spot}.find_by"}
        if mapping.parent_column_index is not None:
            self._check_parent(field, mapping.parent_column_index, spot)
            return
        if field.data_type == "lookup":
            if by is None:
                key = "find_by" if self.parent_header is None else "parent_column_index"
                raise MandatoryNotFound(f"Required key {key} is not available", details)
            allowed = by == "id" or self._found_by(field, by)
        elif field.has_users:
            allowed = by in (None, "id", "email")
        else:
            # On other fields the key has no meaning; clients that send the resource's own find_by
            # here are not wrong either.
            allowed = by is None or by in (field.api_name, "id")
        if not allowed:
            raise InvalidField(_unknown(by or ""), details)

    def _check_parent(self, field: Field, index: int, spot: str) -> None:
        """A child's lookup names a row of the parent's CSV by one of that one's columns."""
        details = {"json_path": f"{spot}.parent_column_index"}
        if self.parent_header is None or field.data_type != "lookup":
            raise InvalidData(
                "parent_column_index belongs to lookups of resources after the first", details
            )
        if not 0 <= index < len(self.parent_header):
            raise ColumnIndexNotFound(details=details)

    def _found_by(self, field: Field, by: str) -> bool:
        """Whether records of the looked-up module can be found by this field."""
        target = self.modules.module(self.module.org_id, field.lookup_module or "")
        found = None if target is None else target.field(by)
        if target is None or found is None:
            return False
        # Where records are found by a name, an index is made, but not in the user's own tables.
        return found.key or (target.table is None and found == target.display_field)

    def _check_find_by(self, mapped: set[str]) -> None:
        if self.find_by is None:
            return
        details = {"json_path": f"{self.place}.find_by"}
        field = self.module.field(self.find_by)
        if field is None or not (field.api_name == "id" or field.key):
            raise InvalidField(f"invalid find_by. invalid api_name {_cut(self.find_by)}.", details)
        if self.find_by not in mapped:
            raise InvalidField(f"The find_by field {self.find_by} is not mapped.", details)

    def _check_mandatory(self, mapped: set[str]) -> None:
        needed = [f for f in self.module.fields if f.writable and f.system_mandatory]
        if self.layout_mandatory:
            needed += [f for f in self.module.fields if f.layout_mandatory and f not in needed]
        missing = [f.api_name for f in needed if f.api_name not in mapped]
        if missing:
            raise MandatoryFieldsNotMapped(
                f"All mandatory fields are not mapped for the layout [{', '.join(missing)}]"
            )


def _unknown(name: str) -> str:
    return f"invalid mapping. invalid api_name {_cut(name)}."


def _cut(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
