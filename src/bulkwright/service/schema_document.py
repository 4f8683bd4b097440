"""Reads the document of `modules apply`: modules and fields, checked one by one.

Every function raises InvalidData whose `json_path` is the place of the mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import (
    API_NAME,
    DATA_TYPES,
    MAX_NEW_NAME_CHARS,
    UNIQUE_TYPES,
    Field,
)

_MAX_FIELD_NAME = 90
"""Longest api_names: an index name consists of both, and a key column adds to a field's name."""
_MAX_TEXT = 255
_MOST_LENGTH = 100_000
"""The greatest `length`: twice that of the longest texts (facts 8.1)."""
_MOST_PLACES = 9
"""The greatest `decimal_place`: a number has no further digits behind its point (facts 8.1)."""

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
"""Lengths of fields for which the document has none (facts 8.1)."""

_FIELD_KEYS = {
    "api_name", "display_label", "data_type", "length", "decimal_place", "system_mandatory",
    "unique", "pick_list_values", "lookup_module",
}  # fmt: skip
_MODULE_KEYS = {"api_name", "singular_label", "plural_label", "fields"}


class ModuleEntry:
    """One module of the document. Its name is checked at once, labels and fields when read."""

    def __init__(self, raw: object, place: str) -> None:
        self.place = place
        self._raw = _dict(raw, place)
        _check_keys(self._raw, _MODULE_KEYS, place)
        self.name = _name(self._raw, place, MAX_NEW_NAME_CHARS)

    def label(self, key: str) -> str | None:
        """Returns `singular_label` or `plural_label`; None if it is absent."""
        return _text(self._raw, key, self.place)

    def fields(self, modules: Collection[str]) -> Iterator[tuple[str, Field]]:
        """Yields the place of each field, and the field with id 0.

        `modules` are as for `read_field`.
        """
        raw_fields = _list(self._raw.get("fields", []), f"{self.place}.fields")
        for number, raw in enumerate(raw_fields):
            place = f"{self.place}.fields[{number}]"
            yield place, read_field(_dict(raw, place), place, modules)


def module_entries(document: object) -> Iterator[ModuleEntry]:
    """Yields the modules of a document, in its order."""
    for number, raw in enumerate(_modules(document)):
        yield ModuleEntry(raw, f"$.modules[{number}]")


def module_names(document: object) -> set[str]:
    """Returns the names of the document's modules, whether they are valid or not."""
    entries = (entry for entry in _modules(document) if isinstance(entry, dict))
    return {name for entry in entries if isinstance(name := entry.get("api_name"), str)}


def mistake(message: str, place: str) -> InvalidData:
    """Returns the error for a mistake at a place of the document."""
    return InvalidData(message, {"json_path": place})


def _modules(document: object) -> list[Any]:
    return _list(_dict(document, "$").get("modules"), "$.modules")


def read_field(raw: Mapping[str, Any], place: str, modules: Collection[str]) -> Field:
    """Returns the field that an object of the document describes, with id 0.

    `modules` are the names of all modules that a lookup may refer to.
    """
    _check_keys(raw, _FIELD_KEYS, place)
    name = _name(raw, place, _MAX_FIELD_NAME)
    if name.casefold().endswith("__key"):
        raise mistake(f"{name}: names that end in __key are reserved for the store", place)
    data_type = raw.get("data_type")
    if data_type not in DATA_TYPES:
        raise mistake(f"{name}: unknown data_type {data_type!r}", f"{place}.data_type")
    unique = _flag(raw, "unique", place)
    if unique and data_type not in UNIQUE_TYPES:
        raise mistake(f"{name}: a field of type {data_type} cannot be unique", f"{place}.unique")
    target = _text(raw, "lookup_module", place)
    if (data_type == "lookup") != (target is not None):
        raise mistake(f"{name}: lookup_module belongs to fields of type lookup", place)
    if target is not None and target not in modules:
        raise mistake(f"{name}: unknown module {target}", f"{place}.lookup_module")
    values = _list(raw.get("pick_list_values", []), f"{place}.pick_list_values")
    if not all(isinstance(value, str) and value for value in values):
        raise mistake(f"{name}: pick_list_values are texts", f"{place}.pick_list_values")
    return Field(
        id=0,
        api_name=name,
        display_label=_text(raw, "display_label", place) or name.replace("_", " "),
        data_type=data_type,
        length=_number(raw, "length", place, range(1, _MOST_LENGTH + 1)) or _LENGTHS.get(data_type),
        decimal_place=_number(raw, "decimal_place", place, range(_MOST_PLACES + 1)),
        system_mandatory=_flag(raw, "system_mandatory", place),
        unique=unique,
        custom=True,
        lookup_module=target,
        pick_list_values=tuple(dict.fromkeys(values)),
    )


def _check_keys(raw: Mapping[str, Any], keys: set[str], place: str) -> None:
    unknown = sorted(set(raw) - keys)
    if unknown:
        raise mistake(f"unknown key {unknown[0]}", place)


def _dict(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise mistake("an object is expected", place)
    return value


def _list(value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise mistake("a list is expected", place)
    return value


def _name(raw: Mapping[str, Any], place: str, max_length: int) -> str:
    name = raw.get("api_name")
    if not isinstance(name, str) or not API_NAME.fullmatch(name) or len(name) > max_length:
        raise mistake(
            f"an api_name is a letter, then letters, digits and _, at most {max_length} in all",
            f"{place}.api_name",
        )
    return name


def _text(raw: Mapping[str, Any], key: str, place: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > _MAX_TEXT):
        raise mistake("a text is expected", f"{place}.{key}")
    return value


def _flag(raw: Mapping[str, Any], key: str, place: str) -> bool:
    value = raw.get(key, False)
    if not isinstance(value, bool):
        raise mistake("true or false is expected", f"{place}.{key}")
    return value


def _number(raw: Mapping[str, Any], key: str, place: str, valid: range) -> int | None:
    value = raw.get(key)
    if value is not None and (type(value) is not int or value not in valid):
        raise mistake(
            f"a whole number from {valid[0]} to {valid[-1]} is expected", f"{place}.{key}"
        )
    return value
