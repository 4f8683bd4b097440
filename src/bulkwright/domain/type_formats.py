"""Formats for all columns of a job, by what their fields hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Module, StorageType


@dataclass(frozen=True, slots=True)
class TypeFormats:
    """The formats of columns that have none of their own; None where cells need none."""

    date: str | None = None
    """`dd.MM.yyyy`."""
    datetime: str | None = None
    number: str | None = None
    """`#.###,##`: a decimal comma."""
    boolean: str | None = None
    """The words for true and false: `ja/nein`."""

    def applied(self, mappings: Iterable[FieldMapping], module: Module) -> tuple[FieldMapping, ...]:
        """Returns the mappings; those without a format get that of the type of their field."""
        formats = {
            StorageType.DATE: self.date,
            StorageType.DATETIME: self.datetime,
            StorageType.INTEGER: self.number,
            StorageType.DECIMAL: self.number,
            StorageType.BOOLEAN: self.boolean,
        }
        found = []
        for mapping in mappings:
            field = module.field(mapping.api_name)
            takes = field is not None and field.api_name != "id" and mapping.format is None
            pattern = formats.get(field.storage_type) if takes and field is not None else None
            found.append(mapping if pattern is None else replace(mapping, format=pattern))
        return tuple(found)
