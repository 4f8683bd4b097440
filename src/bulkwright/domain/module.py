"""The CRM schema that rows are written to: modules and their fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
"""What an api_name may be. Names become identifiers of the store, so nothing else passes."""


class Kind(Enum):
    """How a field's values are held: the few shapes behind the many `data_type` names."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    REFERENCE = "reference"


_KINDS = {
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "long": Kind.INTEGER,
    "double": Kind.DECIMAL,
    "currency": Kind.DECIMAL,
    "percent": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "multiselectpicklist": Kind.LIST,
    "lookup": Kind.REFERENCE,
    "ownerlookup": Kind.REFERENCE,
    "userlookup": Kind.REFERENCE,
    "layout": Kind.REFERENCE,
}

UNWRITABLE = frozenset(
    {
        "autonumber", "formula", "fileupload", "imageupload", "profileimage", "subform", "RRULE",
        "ALARM", "event_reminder", "multireminder", "multiselectlookup", "multiuserlookup",
        "consent_lookup",
    }
)  # fmt: skip
"""Types that bulk write cannot write (facts 1.3 and 8.1)."""

DATA_TYPES = (
    frozenset(_KINDS)
    | UNWRITABLE
    | {"text", "textarea", "email", "phone", "website", "picklist", "mediumtext"}
)
"""Every `data_type` a field may have."""

USER_TYPES = frozenset({"ownerlookup", "userlookup"})
"""Types whose values are users of the org."""

SYSTEM_FIELDS = frozenset({"id", "Created_By", "Modified_By", "Created_Time", "Modified_Time"})
"""Fields that the service alone fills."""

Stamps = Mapping[str, int | datetime]
"""What the service itself says about records, by api_name: whose they are, who wrote them, when."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a table of the user's own keeps the values of a field."""

    name: str
    type: str
    """As PostgreSQL spells it, whatever the store: `integer`, `numeric(10,2)`."""
    nullable: bool = True

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest whole number that it holds."""
        most = 2 ** (_BITS.get(self.type, 64) - 1)
        return -most, most - 1


_BITS = {"smallint": 16, "integer": 32}


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table that was there before its module: the user's own, never altered or dropped."""

    name: str
    schema: str | None = None
    """Where it is on PostgreSQL; SQLite has none."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a module, as the metadata API shows it."""

    id: int
    api_name: str
    display_label: str
    data_type: str
    length: int | None = None
    """Characters of a text, digits of a number; None where it has no meaning."""
    decimal_place: int | None = None
    system_mandatory: bool = False
    layout_mandatory: bool = False
    read_only: bool = False
    unique: bool = False
    """No two records of the module hold the same normalised value."""
    duplicate_check: bool = False
    """May serve as `find_by` although it is not unique (facts 3.4)."""
    custom: bool = False
    lookup_module: str | None = None
    pick_list_values: tuple[str, ...] = ()
    column: Column | None = None
    """In a table of the user's own; equality is that of its index, so a key is the value itself."""

    @property
    def kind(self) -> Kind:
        """The shape in which values are held."""
        return _KINDS.get(self.data_type, Kind.TEXT)

    @property
    def writable(self) -> bool:
        """Whether a mapping may name this field as a target (`id` is a key, never a target)."""
        return not self.read_only and self.data_type not in UNWRITABLE

    @property
    def key(self) -> bool:
        """Whether records can be found by this field, so that an index keeps its keys."""
        return self.unique or self.duplicate_check

    @property
    def folded(self) -> bool:
        """Whether the key differs from the value: text keys are trimmed and case-folded."""
        return self.key and self.kind is Kind.TEXT and self.column is None

    @property
    def required(self) -> bool:
        """Whether no record can be without a value, given that the field is mapped."""
        return self.system_mandatory or (self.column is not None and not self.column.nullable)

    @property
    def grows(self) -> bool:
        """Whether new values join its picklist; the values of a column's enum are its own."""
        listed = self.data_type == "picklist" or self.kind is Kind.LIST
        return listed and self.column is None

    @property
    def has_users(self) -> bool:
        """Whether the values are users of the org."""
        return self.data_type in USER_TYPES


@dataclass(frozen=True, slots=True)
class Module:
    """One module of one org, with its fields in display order."""

    org_id: int
    id: int
    api_name: str
    module_name: str
    singular_label: str
    plural_label: str
    generated_type: str
    layout_id: int
    bulk_write: bool
    """Whether bulk write accepts it (facts 1.3)."""
    fields: tuple[Field, ...]
    table: OwnTable | None = None
    """Where its records are, if in a table of the user's own."""

    def field(self, api_name: str) -> Field | None:
        """The field of that name, exactly as spelled, or None."""
        return next((f for f in self.fields if f.api_name == api_name), None)

    @property
    def mandatory(self) -> tuple[Field, ...]:
        """Fields without which no record is made."""
        return tuple(f for f in self.fields if f.system_mandatory and f.writable)

    @property
    def unique(self) -> tuple[Field, ...]:
        """Fields that no two records share, `id` left out."""
        return tuple(f for f in self.fields if f.unique and f.api_name != "id")

    @property
    def display_field(self) -> Field | None:
        """The field whose value names a record to people (the `name` of a lookup)."""
        named = (f for f in self.fields if f.duplicate_check and f.data_type == "text")
        return next(named, None) or next(iter(self.mandatory), None)
