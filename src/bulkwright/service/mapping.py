"""Checks that the mappings of a resource fit its module and its file.

Facts 3.3 and 3.6; docs/differences.md.
"""

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
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.module import SYSTEM_FIELDS, Field, Module, StorageType
from bulkwright.domain.type_formats import TypeFormats
from bulkwright.store.modules import ModuleStore

_FORMATS: dict[StorageType, Callable[[str], object]] = {
    StorageType.DATE: dateformat.translate,
    StorageType.DATETIME: dateformat.translate,
    StorageType.INTEGER: dateformat.number_format,
    StorageType.DECIMAL: dateformat.number_format,
    StorageType.BOOLEAN: dateformat.boolean_words,
}
_MAX_SHOWN_NAME = 100
"""A longer name is cut in an error message."""


def check_type_formats(formats: TypeFormats) -> None:
    """Raises InvalidFormat for a format that is none of its type."""
    for name, kind in (
        ("date", StorageType.DATE),
        ("datetime", StorageType.DATETIME),
        ("number", StorageType.DECIMAL),
        ("boolean", StorageType.BOOLEAN),
    ):
        pattern = getattr(formats, name)
        try:
            if pattern is not None:
                _FORMATS[kind](pattern)
        except InvalidFormat as error:
            raise InvalidFormat(error.message, {"json_path": f"$.{name}_format"}) from None


@dataclass(frozen=True, slots=True)
class MappingRules:
    """The rules for the mappings of one resource."""

    modules: ModuleStore
    module: Module
    operation: Operation
    find_by: str | None
    header: Sequence[str]
    path: str
    """The JSON path of the resource in the request, for `details.json_path`."""
    layout_mandatory: bool = False
    parent_header: Sequence[str] | None = None
    """Header of the job's first CSV; None for the first resource."""

    def by_header(self) -> tuple[FieldMapping, ...]:
        """Returns mappings by the field names in the header (facts 1.4).

        `Lookup.Field` finds the record of a lookup by that field; the name of a lookup alone means
        record ids. A column of an existing table may have its own name. Columns that name no
        writable field are omitted, because exported files have them. Raises InvalidField if no
        column is mapped.
        """
        own_names = {f.column.name: f for f in self.module.fields if f.column is not None}
        mappings = []
        for index, text in enumerate(self.header):
            name, parent = text.strip(), ""
            field = self.module.field(name) or own_names.get(name)
            if field is None:
                name, _, parent = name.partition(".")
                field = self.module.field(name)
            if field is None or not self._can_be_mapped(field):
                continue
            find_by = parent or ("id" if field.data_type == "lookup" else None)
            mappings.append(FieldMapping(field.api_name, index, find_by=find_by))
        if not mappings:
            first = self.header[0].strip() if self.header else ""
            raise InvalidField(_unknown(first))
        return tuple(mappings)

    def check(self, mappings: Sequence[FieldMapping]) -> None:
        """Raises the RequestError of the first mistake in the mappings."""
        if self.operation.updates and self.find_by is None:
            raise MandatoryNotFound(details={"json_path": f"{self.path}.find_by"})
        seen: set[str] = set()
        for number, mapping in enumerate(mappings):
            path = f"{self.path}.field_mappings[{number}]"
            self._check_one(mapping, path)
            if mapping.api_name in seen:
                raise DuplicateMapping(
                    f"{mapping.api_name} is mapped twice.",
                    {"api_name": mapping.api_name, "json_path": f"{path}.api_name"},
                )
            seen.add(mapping.api_name)
        self._check_find_by(seen)
        if self.operation.creates:
            self._check_mandatory(seen)

    def _can_be_mapped(self, field: Field) -> bool:
        """Whether a mapping may name the field."""
        if field.api_name == "id":
            # In an existing table that allows it, new records have the ids of the file.
            kept = field.writable and field.in_existing_table
            return kept or self.find_by == "id" or self.operation.updates
        return field.writable and (field.in_existing_table or field.api_name not in SYSTEM_FIELDS)

    def _check_one(self, mapping: FieldMapping, path: str) -> None:
        field = self.module.field(mapping.api_name)
        if field is None or not self._can_be_mapped(field):
            raise InvalidField(_unknown(mapping.api_name), {"json_path": f"{path}.api_name"})
        if mapping.index is None:
            if mapping.default is None:
                raise MissingKey(
                    f"required key index for field {field.api_name} is not found in request body.",
                    {"json_path": f"{path}.index"},
                )
        elif not 0 <= mapping.index < len(self.header):
            raise ColumnIndexNotFound(details={"json_path": f"{path}.index"})
        if mapping.format is not None:
            check_format = _FORMATS.get(field.storage_type)
            if check_format is None:
                raise InvalidFormat(
                    f"{field.api_name} takes no format", {"json_path": f"{path}.format"}
                )
            try:
                check_format(mapping.format)
            except InvalidFormat as error:
                raise InvalidFormat(error.message, {"json_path": f"{path}.format"}) from None
        self._check_lookup(field, mapping, path)

    def _check_lookup(self, field: Field, mapping: FieldMapping, path: str) -> None:
        by, details = mapping.find_by, {"json_path": f"{path}.find_by"}
        if mapping.parent_column_index is not None:
            self._check_parent(field, mapping.parent_column_index, path)
            return
        if field.data_type == "lookup":
            if by is None:
                key = "find_by" if self.parent_header is None else "parent_column_index"
                raise MandatoryNotFound(f"Required key {key} is not available", details)
            allowed = by == "id" or self._is_lookup_key(field, by)
        elif field.has_users:
            allowed = by in (None, "id", "email")
        else:
            # On other fields the key has no meaning. Some clients send the find_by of the resource
            # here, which is accepted.
            allowed = by is None or by in (field.api_name, "id")
        if not allowed:
            raise InvalidField(_unknown(by or ""), details)

    def _check_parent(self, field: Field, index: int, path: str) -> None:
        """Checks the column of the parent's CSV by which a child names its parent row."""
        details = {"json_path": f"{path}.parent_column_index"}
        if self.parent_header is None or field.data_type != "lookup":
            raise InvalidData(
                "parent_column_index belongs to lookups of resources after the first", details
            )
        if not 0 <= index < len(self.parent_header):
            raise ColumnIndexNotFound(details=details)

    def _is_lookup_key(self, field: Field, by: str) -> bool:
        """Whether records of the lookup's module can be found by this field."""
        target = self.modules.module(self.module.org_id, field.lookup_module or "")
        found = None if target is None else target.field(by)
        if target is None or found is None:
            return False
        # A job creates an index on the display field, but never in an existing table.
        return found.is_key or (target.table_kind.gets_indexes and found == target.display_field)

    def _check_find_by(self, mapped: set[str]) -> None:
        if self.find_by is None:
            return
        details = {"json_path": f"{self.path}.find_by"}
        field = self.module.field(self.find_by)
        if field is None or not (field.api_name == "id" or field.is_key):
            raise InvalidField(
                f"invalid find_by. invalid api_name {shortened(self.find_by)}.", details
            )
        if self.find_by not in mapped:
            raise InvalidField(f"The find_by field {self.find_by} is not mapped.", details)

    def _check_mandatory(self, mapped: set[str]) -> None:
        needed = list(self.module.mandatory_fields)
        if self.layout_mandatory:
            needed += [f for f in self.module.fields if f.layout_mandatory and f not in needed]
        missing = [f.api_name for f in needed if f.api_name not in mapped]
        if missing:
            raise MandatoryFieldsNotMapped(
                f"All mandatory fields are not mapped for the layout [{', '.join(missing)}]"
            )


def _unknown(name: str) -> str:
    return f"invalid mapping. invalid api_name {shortened(name)}."


def shortened(name: str) -> str:
    """Returns a name of a request as error messages show it."""
    return name if len(name) <= _MAX_SHOWN_NAME else f"{name[:_MAX_SHOWN_NAME]}..."
