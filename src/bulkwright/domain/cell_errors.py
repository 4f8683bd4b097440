"""The errors of one row as a person reads them: code, column, field, value and a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from bulkwright.domain.job import FieldMapping, Resource
from bulkwright.domain.module import Field, Module
from bulkwright.domain.outcome import SkipReason
from bulkwright.domain.result_file import split_errors

_VALUE_CHARACTERS = 100
"""Characters of a value that a sentence repeats."""
_MEANING = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "website": "the address of a website",
    "integer": "a whole number of up to 9 digits",
    "bigint": "a whole number",
    "long": "a whole number",
    "double": "a number",
    "currency": "an amount",
    "percent": "a percentage",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a date with a time",
    "picklist": "a value of the picklist, which takes no more values",
    "multiselectpicklist": "a list of values of the picklist",
    "ownerlookup": "the id or the e-mail address of a user",
    "userlookup": "the id or the e-mail address of a user",
}
"""What a value has to be, by `data_type`."""


class CellError(NamedTuple):
    """One error of a row."""

    code: str
    column: str
    """The header text of the column, or the API name of a field without a column."""
    field: str | None
    """The API name of the field; None if no mapping has this column."""
    value: str | None
    """The value that was rejected: the cell, or the default value in its place."""
    message: str


@dataclass(frozen=True)
class ErrorReader:
    """Reads the ERRORS cells of one resource."""

    resource: Resource
    module: Module | None
    """None if it does not exist any more."""
    header: Sequence[str]

    def read(self, cell: str, cells: Sequence[str], *, fits: bool) -> list[CellError]:
        """Returns the errors of a row.

        `fits` says whether each of its cells belongs to its column.
        """
        return [
            self._error(code, label, cells, fits=fits)
            for code, label in split_errors(cell, self.labels)
        ]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that ERRORS cells can have."""
        return (*self._mappings, self._last)

    @cached_property
    def _mappings(self) -> Mapping[str, FieldMapping]:
        found: dict[str, FieldMapping] = {}
        for mapping in self.resource.mappings:
            found.setdefault(self._label(mapping), mapping)
        return found

    @property
    def _last(self) -> str:
        """The label of a row whose cells may belong to other columns."""
        return self.header[-1].strip() or str(len(self.header))

    def _label(self, mapping: FieldMapping) -> str:
        if mapping.index is None or mapping.index >= len(self.header):
            return mapping.api_name
        return self.header[mapping.index].strip() or mapping.api_name

    def _error(self, code: str, label: str, cells: Sequence[str], *, fits: bool) -> CellError:
        if code == SkipReason.INVALID_DATA and label == self._last and not fits:
            message = (
                f"The row has more cells than the {len(self.header)} columns of the header, or "
                "its quotes are damaged, so that its cells may belong to other columns."
            )
            return CellError(code, label, None, None, message)
        mapping = self._mappings.get(label)
        if mapping is None:
            return CellError(code, label, None, None, f"Column {label}: {code}.")
        value = _value(mapping, cells)
        field = self.module.field(mapping.api_name) if self.module else None
        sentence = self._sentence(code, mapping, field, quoted(value or ""))
        return CellError(code, label, mapping.api_name, value, f"Column {label}: {sentence}.")

    def _sentence(self, code: str, mapping: FieldMapping, field: Field | None, shown: str) -> str:
        """What is wrong with the value of a mapping, without the name of its column."""
        match code:
            case SkipReason.MANDATORY_NOT_FOUND:
                return "the cell is empty, and the field must have a value"
            case SkipReason.DUPLICATE_DATA:
                return f"a record or an earlier row has {shown} already"
            case SkipReason.CANNOT_PROCESS:
                return f"several records have {shown}, so it is not clear which one is meant"
            case SkipReason.RESOURCE_NOT_FOUND:
                return f"no record of {self.resource.module} has {shown}"
            case SkipReason.INVALID_DATA if field is not None:
                return why_invalid(mapping, field, shown)
        return f"{shown} cannot be stored"


def _value(mapping: FieldMapping, cells: Sequence[str]) -> str | None:
    if mapping.index is None:
        return mapping.default
    cell = cells[mapping.index] if mapping.index < len(cells) else ""
    return cell or mapping.default or ""


def why_invalid(mapping: FieldMapping, field: Field, shown: str) -> str:
    """Returns why a field does not take a value, without the name of its column."""
    if field.lookup_module is not None:
        key = mapping.find_by or "id"
        return f"no record of {field.lookup_module} has {shown} as its {key}"
    if mapping.format is not None:
        return f"{shown} does not have the format {mapping.format}"
    if field.data_type in _MEANING:
        return f"{shown} is not {_MEANING[field.data_type]}"
    if field.length is not None:
        return (
            f"{shown} is longer than {field.length} characters, or has characters that cannot be "
            "stored"
        )
    return f"{shown} cannot be stored in a field of the type {field.data_type}"


def quoted(value: str) -> str:
    """Returns a value as a sentence repeats it."""
    if len(value) > _VALUE_CHARACTERS:
        value = f"{value[:_VALUE_CHARACTERS]}…"
    return f"“{value}”"
