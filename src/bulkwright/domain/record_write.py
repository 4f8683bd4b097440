"""What record calls are given, and what becomes of each record (facts 10). Pure values.

A bad record is data: it gets a `RecordFault` in its place, and the others of the call are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bulkwright.domain.job import Person
from bulkwright.domain.module import Field, StorageType
from bulkwright.domain.scalar import NotAValue, expected


@dataclass(frozen=True, slots=True)
class GivenReference:
    """An object that names another record, a user or a layout by its id."""

    id: str | None


@dataclass(frozen=True, slots=True)
class GivenObjects:
    """A structure that no field of the service stores, such as the rows of a subform."""

    empty: bool = False


Given = str | bool | int | Decimal | tuple[str, ...] | GivenReference | GivenObjects | None
"""A value as a caller gives it; a tuple is a list of texts."""


@dataclass(frozen=True, slots=True)
class RecordInput:
    """One record as a caller gives it."""

    values: Mapping[str, Given] = field(default_factory=dict)
    """By API name, in the order of the request; names that the module lacks among them."""
    id: str | None = None
    """The id that the record names, as text."""
    is_object: bool = True
    """Whether it was an object at all."""


class Effect(StrEnum):
    """What a call did to a record."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record that was added or changed."""

    id: int
    action: Effect
    created_by: Person | None
    created_time: datetime | None
    modified_by: Person
    modified_time: datetime
    matched_by: str | None = None
    """The field by which an upsert found the record."""


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    """A record that was deleted."""

    id: int


@dataclass(frozen=True, slots=True)
class RecordFault:
    """Why a record was not written."""

    code: str
    message: str = "invalid data"
    api_name: str = ""
    """The field; empty if the record as a whole is wrong."""
    place: str = ""
    """Where in the record the mistake is, if not at `api_name`."""
    details: Mapping[str, object] = field(default_factory=dict)
    holder: int | None = None
    """The record that has the same value of a unique field already."""
    more: Sequence[RecordFault] = ()
    """Further faults of the same kind."""
    unknown_id: bool = False
    """Whether the record that the call names by id does not exist."""
    unmodified: WrittenRecord | None = None
    """The record as it is, if it has changed since the caller read it."""


RecordOutcome = WrittenRecord | DeletedRecord | RecordFault


class NotStored(Exception):
    """A field has a value that the service cannot store; it must not be dropped in silence."""

    def __init__(self, api_name: str) -> None:
        self.api_name = api_name
        super().__init__(api_name)


def cell_of(given: Given, target: Field) -> str | None:
    """Returns the cell of a CSV that means the same; None if it is empty.

    A text is the cell itself. A number is one for fields of numbers and ids, true and false for
    booleans, a list for fields of several values. Raises NotAValue for any other combination.
    """
    kind = target.storage_type
    match given:
        case None | "" | ():
            return None
        case str():
            return given
        case bool():
            if kind is StorageType.BOOLEAN:
                return "true" if given else "false"
        case int():
            if kind in (StorageType.INTEGER, StorageType.DECIMAL, StorageType.REFERENCE):
                return str(given)
        case Decimal():
            if kind in (StorageType.INTEGER, StorageType.DECIMAL):
                return format(given, "f")
        case tuple():
            if kind is StorageType.LIST:
                return ";".join(given)
        case GivenReference(id=str(number)):
            if kind is StorageType.REFERENCE:
                return number
        case GivenObjects(empty=True):
            return None
    raise NotAValue(expected(target))
