"""The CRM schema that rows are written to: modules and their fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import ClassVar

from bulkwright.domain.limits import FREE_IDS_PERCENT
from bulkwright.domain.table_kind import EXISTING_TABLE, SERVICE_TABLE, TableKind

API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
"""A valid api_name. Names become identifiers of the database, so no other text is allowed."""
MAX_NEW_NAME_CHARS = 50
"""Most characters of a new module's name, and of a field's that is made from a column's name."""


class StorageType(Enum):
    """How the values of a field are stored: few types for the many `data_type` names."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    REFERENCE = "reference"


_STORAGE_TYPES = {
    "integer": StorageType.INTEGER,
    "bigint": StorageType.INTEGER,
    "long": StorageType.INTEGER,
    "double": StorageType.DECIMAL,
    "currency": StorageType.DECIMAL,
    "percent": StorageType.DECIMAL,
    "boolean": StorageType.BOOLEAN,
    "date": StorageType.DATE,
    "datetime": StorageType.DATETIME,
    "multiselectpicklist": StorageType.LIST,
    "lookup": StorageType.REFERENCE,
    "ownerlookup": StorageType.REFERENCE,
    "userlookup": StorageType.REFERENCE,
    "layout": StorageType.REFERENCE,
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
    frozenset(_STORAGE_TYPES)
    | UNWRITABLE
    | {"text", "textarea", "email", "phone", "website", "picklist", "mediumtext"}
)
"""Every `data_type` a field may have."""

UNIQUE_TYPES = frozenset({"text", "email", "phone", "website", "integer", "bigint"})
"""Types whose fields may be unique."""

USER_TYPES = frozenset({"ownerlookup", "userlookup"})
"""Types whose values are users of the org."""

SYSTEM_FIELDS = frozenset({"id", "Created_By", "Modified_By", "Created_Time", "Modified_Time"})
"""Fields that only the service fills."""

Stamps = Mapping[str, int | datetime]
"""Values that the service itself writes, by api_name: the owner, the writers and the times."""


@dataclass(frozen=True, slots=True)
class Authorship:
    """What the service writes beside the given values of a record."""

    on_update: Stamps
    on_insert: Stamps
    defaults: Mapping[str, int]
    """Values of new records where nothing is given, or nothing but an empty value."""


@dataclass(frozen=True, slots=True)
class Column:
    """The column of an existing table that stores the values of a field."""

    name: str
    type: str
    """In the spelling of PostgreSQL on both databases: `integer`, `numeric(10,2)`."""
    nullable: bool = True

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and the greatest whole number that it can store."""
        most = 2 ** (_BITS.get(self.type, 64) - 1)
        return -most, most - 1

    @property
    def greatest_given(self) -> int:
        """The greatest number that a file may give to a new record as its id."""
        _, most = self.bounds
        return most - most * FREE_IDS_PERCENT // 100

    @property
    def second_digits(self) -> int:
        """The digits after the point of a second that a column of date-times can store."""
        size = re.search(r"\(([0-6])\)", self.type)
        return int(size[1]) if size else 6

    @property
    def lacks_zone(self) -> bool:
        """Whether a column of date-times stores them without a zone."""
        return not self.type.endswith("with time zone")


_BITS = {"smallint": 16, "integer": 32}


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """The table that the service makes for a module. Its name is that of the module."""

    kind: ClassVar[TableKind] = SERVICE_TABLE
    name: None = None
    schema: None = None


@dataclass(frozen=True, slots=True)
class ExistingTable:
    """A table of the user that is older than its module; it is never altered or dropped."""

    kind: ClassVar[TableKind] = EXISTING_TABLE
    name: str
    schema: str | None = None
    """The PostgreSQL schema; None on SQLite."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a module, as the metadata API shows it."""

    id: int
    api_name: str
    display_label: str
    data_type: str
    length: int | None = None
    """Characters of a text, digits of a number; None for other types."""
    decimal_place: int | None = None
    system_mandatory: bool = False
    layout_mandatory: bool = False
    read_only: bool = False
    unique: bool = False
    """No two records of the module have the same normalised value."""
    duplicate_check: bool = False
    """A job may use it as `find_by` although it is not unique (facts 3.4)."""
    custom: bool = False
    lookup_module: str | None = None
    pick_list_values: tuple[str, ...] = ()
    column: Column | None = None
    """In an existing table; equality is that of its index, so the key is the value itself."""

    @property
    def storage_type(self) -> StorageType:
        """The type in which values are stored."""
        return _STORAGE_TYPES.get(self.data_type, StorageType.TEXT)

    @property
    def writable(self) -> bool:
        """Whether a mapping may fill this field (`id` only of existing tables)."""
        return not self.read_only and self.data_type not in UNWRITABLE

    @property
    def is_key(self) -> bool:
        """Whether records can be found by this field; then an index holds its keys."""
        return self.unique or self.duplicate_check

    @property
    def has_folded_key(self) -> bool:
        """Whether the key differs from the value, because text keys are trimmed and case-folded."""
        return self.is_key and self.storage_type is StorageType.TEXT and self.column is None

    @property
    def required(self) -> bool:
        """Whether every record needs a value, if the field is mapped."""
        return self.system_mandatory or (self.column is not None and not self.column.nullable)

    @property
    def accepts_new_values(self) -> bool:
        """Whether new values are added to its picklist; never to the enum of an existing column."""
        listed = self.data_type == "picklist" or self.storage_type is StorageType.LIST
        return listed and self.column is None

    @property
    def in_existing_table(self) -> bool:
        """Whether the values are in a column of a table of the user."""
        return self.column is not None

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
    table: ServiceTable | ExistingTable = ServiceTable()
    """The table of its records."""

    @property
    def table_kind(self) -> TableKind:
        """What the table of its records allows."""
        return self.table.kind

    @property
    def has_infinity(self) -> bool:
        """Whether its columns can hold NaN and infinity: those of an existing PostgreSQL table."""
        return self.table.schema is not None

    def authorship(self, author: int, now: datetime, given: Collection[str] = ()) -> Authorship:
        """Returns the stamps of records that a user writes now: of fields that are not `given`."""
        defaults = {"Owner": author, "Layout": self.layout_id}
        modified: Stamps = {"Modified_By": author, "Modified_Time": now}
        created: Stamps = {"Created_By": author, "Created_Time": now}

        def kept(stamps: Stamps) -> Stamps:
            return {n: s for n, s in stamps.items() if self.field(n) is not None and n not in given}

        return Authorship(
            on_update=kept(modified),
            on_insert=kept({**modified, **created, **defaults}),
            defaults=defaults,
        )

    def field(self, api_name: str) -> Field | None:
        """Returns the field of exactly that name, or None."""
        return next((f for f in self.fields if f.api_name == api_name), None)

    @property
    def mandatory_fields(self) -> tuple[Field, ...]:
        """Fields that every new record needs."""
        return tuple(f for f in self.fields if f.system_mandatory and f.writable)

    @property
    def unique_fields(self) -> tuple[Field, ...]:
        """Fields whose values no two records share, without `id`."""
        return tuple(f for f in self.fields if f.unique and f.api_name != "id")

    @property
    def display_field(self) -> Field | None:
        """The field whose value is the name of a record (the `name` of a lookup)."""
        named = (f for f in self.fields if f.duplicate_check and f.data_type == "text")
        return next(named, None) or next(iter(self.mandatory_fields), None)
