"""Reads records back: pages of a module, and single records (facts 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, User
from bulkwright.domain.limits import RECORDS_PER_PAGE
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.domain.record import LAYOUT_NAME, Record, Reference, UserReference, Value
from bulkwright.service.record_access import permitted_module
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.times import from_number


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some records of a module, newest first."""

    records: tuple[Record, ...]
    number: int
    per_page: int
    has_more: bool
    """Whether a later page has records."""


@dataclass(frozen=True, slots=True)
class RecordService:
    """Reads the records of the caller's org. Each org has separate tables."""

    database: Database
    accounts: AccountStore
    modules: ModuleStore

    def page(
        self, caller: Caller, module: str, *, number: int = 1, per_page: int = RECORDS_PER_PAGE
    ) -> RecordPage:
        """Returns page `number` of a module's records; the first page is 1.

        Raises InvalidModule, and ScopeMismatch if the caller's scopes do not allow to read the
        module.
        """
        found = self._module(caller, module)
        rows = self.database.sql(tables.newest(found), (per_page + 1, (number - 1) * per_page))
        records = self._records(caller, found, rows[:per_page])
        return RecordPage(records, number, per_page, has_more=len(rows) > per_page)

    def record(self, caller: Caller, module: str, record_id: int) -> Record | None:
        """Returns one record, or None. Raises like `page`."""
        found = self._module(caller, module)
        records = self._records(caller, found, self.database.sql(tables.by_id(found), (record_id,)))
        return records[0] if records else None

    def _module(self, caller: Caller, name: str) -> Module:
        return permitted_module(self.modules, caller, name, scope.module_read)

    def _records(self, caller: Caller, module: Module, rows: Sequence[Row]) -> tuple[Record, ...]:
        if not rows:
            return ()
        users = {user.id: user for user in self.accounts.users(caller.org_id)}
        reader = users.get(caller.user_id)
        names = {
            field.api_name: self._display_names(module, field, rows)
            for field in module.fields
            if field.data_type == "lookup"
        }
        builder = _RecordBuilder(
            module, users, names, ZoneInfo(reader.time_zone if reader else "UTC")
        )
        return tuple(builder.record(row) for row in rows)

    def _display_names(
        self, module: Module, field: Field, rows: Iterable[Row]
    ) -> Mapping[int, str]:
        """Returns the display names of the records that a lookup field refers to, by id."""
        ids = list({row[field.api_name] for row in rows} - {None})
        target = self.modules.module(module.org_id, field.lookup_module or "") if ids else None
        named_by = None if target is None else target.display_field
        if target is None or named_by is None:
            return {}
        found = self.database.sql(tables.display_names(target, named_by, len(ids)), ids)
        return {row["id"]: row["name"] for row in found}


@dataclass(frozen=True, slots=True)
class _RecordBuilder:
    """Builds the records of one module from rows of its table."""

    module: Module
    users: Mapping[int, User]
    names: Mapping[str, Mapping[int, str]]
    """The display names of referenced records, by the api_name of the lookup."""
    zone: ZoneInfo

    def record(self, row: Row) -> Record:
        values = {field.api_name: self._value(field, row) for field in self.module.fields}
        return Record(row["id"], values)

    def _value(self, field: Field, row: Row) -> Value:
        name = field.api_name
        stored = row.get(name)
        if stored is None:
            return self._unset(field, row)
        if field.has_users:
            user = self.users.get(stored)
            return UserReference(stored, user.name if user else "", user.email if user else "")
        if field.data_type == "layout":
            return Reference(stored, LAYOUT_NAME)
        if field.data_type == "lookup":
            return Reference(stored, self.names[name].get(stored))
        return _typed_or_text(field, stored, self.zone)

    def _unset(self, field: Field, row: Row) -> Value:
        if field.api_name == "Full_Name":
            parts = (row.get("First_Name"), row.get("Last_Name"))
            return " ".join(part for part in parts if part) or None
        return [] if field.data_type == "subform" else None


def as_cell(field: Field, value: object) -> object:
    """Returns a stored value as the CSV cell from which a job reads the same value."""
    if value is None:
        return None
    try:
        convert = _CELLS.get(field.storage_type)
        return value if convert is None else convert(value)
    except (ArithmeticError, ValueError):
        return value


def _moment_cell(stored: Any) -> str:
    if isinstance(stored, int):
        return from_number(stored).isoformat()
    text = str(stored)
    is_whole = datetime.fromisoformat(text).tzinfo or len(text) <= _DATE_CHARS
    # Another program may have written it without a zone: it is in UTC.
    return text if is_whole else f"{text}Z"


def _decimal_cell(stored: Any) -> object:
    return format(Decimal(repr(stored)), "f") if isinstance(stored, float) else stored


_DATE_CHARS = len("2024-02-29")
_CELLS: dict[StorageType, Callable[[Any], object]] = {
    StorageType.BOOLEAN: lambda stored: "true" if _boolean(stored) else "false",
    StorageType.DECIMAL: _decimal_cell,
    StorageType.LIST: lambda stored: ";".join(json.loads(str(stored))),
    StorageType.DATETIME: _moment_cell,
}
"""To the text of a cell; values of the other storage types are written as they are stored."""


def _boolean(stored: Any) -> bool:
    """The truth that is stored. Raises ValueError for what is neither a number nor such a word."""
    if isinstance(stored, str):
        if stored.lower() not in _BOOLEANS:
            raise ValueError(stored)
        return _BOOLEANS[stored.lower()]
    return bool(stored)


_BOOLEANS = {"true": True, "t": True, "false": False, "f": False}
"""What other programs write into a column that SQLite does not check."""


def _datetime(stored: Any, zone: ZoneInfo) -> datetime:
    is_number = isinstance(stored, int)
    time = from_number(stored) if is_number else datetime.fromisoformat(str(stored))
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    try:
        local = aware.astimezone(zone)
    except OverflowError:  # there it is a day before year 1 or after year 9999
        return aware
    return local.astimezone(_whole_minutes(local.utcoffset() or timedelta()))


def _whole_minutes(offset: timedelta) -> tzinfo:
    """The zone of an offset without its seconds, which clocks had until about 1900."""
    return timezone(timedelta(minutes=int(offset.total_seconds() / 60)))


_CONVERSIONS: dict[StorageType, Callable[[Any, ZoneInfo], Value]] = {
    StorageType.BOOLEAN: lambda stored, _: _boolean(stored),
    StorageType.DECIMAL: lambda stored, _: Decimal(str(stored)),
    StorageType.LIST: lambda stored, _: json.loads(str(stored)),
    StorageType.DATETIME: _datetime,
}
"""From the form in which sinks store a value; the other storage types stay as stored."""


def _typed_or_text(field: Field, stored: Any, zone: ZoneInfo) -> Value:
    """Converts a stored value, or returns its text if it is none of its field's type.

    Other programs may have written any value, and one value must not make its page unreadable.
    """
    convert = _CONVERSIONS.get(field.storage_type)
    try:
        value: Value = stored if convert is None else convert(stored, zone)
    except (ArithmeticError, RecursionError, TypeError, ValueError):
        return str(stored)
    return value if not isinstance(value, Decimal) or value.is_finite() else str(stored)
