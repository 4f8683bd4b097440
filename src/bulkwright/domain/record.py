"""A record as it is read back: one typed value for each field of its module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

LAYOUT_NAME = "Standard"
"""The name of the one layout that each module has."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record, or a layout, that a field refers to."""

    id: int
    name: str | None
    """None if the record does not exist, or if its module has no display field."""


@dataclass(frozen=True, slots=True)
class UserReference:
    """A user that a field refers to; name and e-mail are empty if the org has no such user."""

    id: int
    name: str
    email: str


Value = str | int | bool | Decimal | datetime | list[object] | Reference | UserReference | None
"""A value by the storage type of its field. Dates are ISO 8601 text, datetimes are aware.

A value of an existing table that is not of its field's type is text.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a module."""

    id: int
    values: Mapping[str, Value]
    """By api_name, in the order of the module's fields; None where no value is set."""
