"""Reads records back: pages of a module, and single records (facts 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, User
from bulkwright.domain.errors import InvalidModule, ScopeMismatch
from bulkwright.domain.limits import RECORDS_PER_PAGE
from bulkwright.domain.module import Field, Module, StorageType
from bulkwright.domain.record import LAYOUT_NAME, Record, Reference, UserReference, Value
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore


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
        module = self.modules.module(caller.org_id, name)
        if module is None:
            raise InvalidModule(details={"resource_path_index": 0})
        names = {name, name.replace("_", "")}
        if module.generated_type == "custom":
            names.add("custom")
        needed = tuple(s for n in sorted(names) for s in scope.module_read(n))
        if not scope.permits(caller.scopes, needed):
            raise ScopeMismatch
        return module

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
        if field.in_existing_table:
            return _typed_or_text(field, stored, self.zone)
        return _typed(field, stored, self.zone)

    def _unset(self, field: Field, row: Row) -> Value:
        if field.api_name == "Full_Name":
            parts = (row.get("First_Name"), row.get("Last_Name"))
            return " ".join(part for part in parts if part) or None
        return [] if field.data_type == "subform" else None


def as_cell(field: Field, value: object) -> object:
    """Returns a stored value as the CSV cell from which a job reads the same value."""
    if value is not None and field.storage_type is StorageType.BOOLEAN:
        return "true" if value else "false"
    if value is not None and field.storage_type is StorageType.LIST:
        return ";".join(json.loads(str(value)))
    return value


def _datetime(stored: object, zone: ZoneInfo) -> datetime:
    time = datetime.fromisoformat(str(stored))
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(zone)


_CONVERSIONS: dict[StorageType, Callable[[Any, ZoneInfo], Value]] = {
    StorageType.BOOLEAN: lambda stored, _: bool(stored),
    StorageType.DECIMAL: lambda stored, _: Decimal(str(stored)),
    StorageType.LIST: lambda stored, _: json.loads(str(stored)),
    StorageType.DATETIME: _datetime,
}
"""From the form in which sinks store a value; the other storage types stay as stored."""


def _typed(field: Field, stored: Any, zone: ZoneInfo) -> Value:
    convert = _CONVERSIONS.get(field.storage_type)
    value: Value = stored if convert is None else convert(stored, zone)
    return value


def _typed_or_text(field: Field, stored: object, zone: ZoneInfo) -> Value:
    """Converts a value of an existing table, where other programs may have written any value."""
    try:
        value = _typed(field, stored, zone)
    except (ArithmeticError, ValueError):
        return str(stored)
    return value if not isinstance(value, Decimal) or value.is_finite() else str(stored)
