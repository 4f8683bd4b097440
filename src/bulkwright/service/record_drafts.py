"""Judges the values of single records, by the rules of bulk rows (pipeline/conform.py).

A draft is a record whose values were read, before the store is asked: which records exist, and who
holds which key, is decided in `record_call.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bulkwright.domain import value_rules as rules
from bulkwright.domain.ids import parse_id
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.domain.record_write import (
    Given,
    GivenObjects,
    GivenReference,
    NotStored,
    RecordFault,
    RecordInput,
    cell_of,
)
from bulkwright.domain.scalar import NotAValue, Stored, expected, key_of, read_value
from bulkwright.store.records import Key
from bulkwright.store.tables import key_column

MANDATORY = "MANDATORY_NOT_FOUND"
_COMPUTED = ("autonumber", "formula")
"""Types whose values only the service makes."""


@dataclass(slots=True)
class Draft:
    """One record of a call, as far as it can be judged by itself."""

    given: RecordInput
    fault: RecordFault | None = None
    """What is wrong with it, whether it creates a record or not."""
    missing: RecordFault | None = None
    """The first mandatory field that is not given: wrong if it creates a record."""
    columns: dict[str, Stored | None] = field(default_factory=dict)
    """What it writes, by the names of columns in frames."""
    keys: dict[str, Key | None] = field(default_factory=dict)
    """The keys of its fields that records are found by."""
    lookups: dict[str, int] = field(default_factory=dict)
    """The records that it refers to, by the lookup."""

    @property
    def record_id(self) -> int | None:
        """The id that it names; 0, which no record has, for a malformed one. None if none."""
        text = self.given.id
        return None if text is None else parse_id(text, leading_zeros=True) or 0


@dataclass(frozen=True, slots=True)
class DraftRules:
    """What is the same for all records of a call."""

    module: Module
    mandatory: tuple[Field, ...]
    """The fields that a new record needs."""
    users: Mapping[str, int]
    """User ids by their digits and by their e-mail key."""
    lookup_modules: Collection[str]
    """The modules that exist: a lookup into one of them must find its record."""
    zone: ZoneInfo
    _by_name: dict[str, Field] = field(init=False)
    """The fields of the module."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {f.api_name: f for f in self.module.fields})

    def draft(self, given: RecordInput) -> Draft:
        """Reads the values of a record. Raises NotStored for a value that no field can store."""
        draft = Draft(given)
        if not given.is_object:
            draft.fault = RecordFault("INVALID_DATA", details={"expected_data_type": "jsonobject"})
            return draft
        faults: list[RecordFault] = []
        for name, value in given.values.items():
            target = self._by_name.get(name)
            if target is not None and self._takes(target, value):
                fault = self._read(target, value, draft)
                faults += [] if fault is None else [fault]
        # Of several faults the first mandatory field is reported, else the first field.
        draft.fault = next((f for f in faults if f.code == MANDATORY), next(iter(faults), None))
        absent = (f for f in self.mandatory if f.api_name not in given.values)
        draft.missing = next(map(missing, absent), None)
        return draft

    def _takes(self, target: Field, value: Given) -> bool:
        """Whether a value is read; values of fields that only the service fills are ignored."""
        if target.read_only or target.api_name == "id" or target.data_type in _COMPUTED:
            return False
        if not target.writable:
            if value is None or value == () or value == "" or value == GivenObjects(empty=True):
                return False
            raise NotStored(target.api_name)
        return True

    def _read(self, target: Field, value: Given, draft: Draft) -> RecordFault | None:
        name = target.api_name
        try:
            stored = self._stored(target, value)
        except NotAValue as error:
            return RecordFault("INVALID_DATA", api_name=name, details=error.details)
        except _Missing as error:
            return missing(target, str(error))
        draft.columns[name] = stored
        if target.has_folded_key:
            stored = None if stored is None else key_of(str(stored))
            draft.columns[key_column(target)] = stored
        if target.is_key:
            draft.keys[name] = stored
        is_lookup = target.data_type == "lookup" and target.lookup_module in self.lookup_modules
        if is_lookup and isinstance(stored, int):
            draft.lookups[name] = stored
        return None

    def _stored(self, target: Field, value: Given) -> Stored | None:
        if target.data_type == "layout":
            return self.module.layout_id  # an unknown layout is the default one, the only one
        refers = target.storage_type is StorageType.REFERENCE
        if refers and isinstance(value, GivenReference) and value.id is None:
            raise _Missing(f"{target.api_name}.id")
        cell = cell_of(value, target)
        if target.required and (cell is None or not cell.strip(rules.BLANKS)):
            raise _Missing
        if cell is None:
            return None
        if target.has_users:
            user = self.users.get(key_of(cell) or "")
            if user is None:
                raise NotAValue(expected(target))
            return user
        return read_value(cell, target, self.zone)


class _Missing(Exception):
    """A mandatory value is empty; the text says where, if not at the field itself."""


def missing(target: Field, place: str = "") -> RecordFault:
    """Returns the fault of a record that lacks a mandatory value."""
    return RecordFault(MANDATORY, "required field not found", target.api_name, place)
