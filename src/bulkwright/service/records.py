"""Records as the record API shows them (facts 9): what bulk write has written, read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, User
from bulkwright.domain.errors import InvalidModule, ScopeMismatch
from bulkwright.domain.limits import RECORDS_PER_PAGE
from bulkwright.domain.module import Field, Kind, Module
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore

_CHOICES = {"delegate": False, "approve": False, "reject": False, "resubmit": False}
_EXTRAS: dict[str, object] = {
    "$currency_symbol": "$",
    "$review_process": {"approve": False, "reject": False, "resubmit": False},
    "$editable": True,
    "$approved": True,
    "$approval": _CHOICES,
    "$approval_state": "approved",
    "$process_flow": False,
    "$orchestration": False,
    "$in_merge": False,
    "$status": None,
}
"""Keys of a v2 record that have nothing behind them here (facts 9)."""
_STANDARD_LAYOUT = "Standard"
_NOBODY = ("", "")


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a module, newest first."""

    records: list[dict[str, object]]
    number: int
    per_page: int
    more: bool


@dataclass(frozen=True, slots=True)
class RecordService:
    """Reads records; another org's are never found, its tables being others."""

    database: Database
    accounts: AccountStore
    modules: ModuleStore

    def page(
        self,
        caller: Caller,
        module: str,
        *,
        number: int = 1,
        per_page: int = RECORDS_PER_PAGE,
        fields: Sequence[str] = (),
    ) -> Page:
        """One page of a module's records, of the named fields only if any are named.

        Raises InvalidModule, and ScopeMismatch when the module may not be read.
        """
        found = self._module(caller, module)
        rows = self.database.sql(tables.newest(found), (per_page + 1, (number - 1) * per_page))
        shown = self._shown(caller, found, rows[:per_page])
        if fields:
            keep = {"id", *fields}
            shown = [{k: v for k, v in record.items() if k in keep} for record in shown]
        return Page(shown, number, per_page, len(rows) > per_page)

    def record(self, caller: Caller, module: str, record_id: int) -> dict[str, object] | None:
        """One record, or None. Raises like `page`."""
        found = self._module(caller, module)
        rows = self.database.sql(tables.by_id(found), (record_id,))
        return self._shown(caller, found, rows)[0] if rows else None

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

    def _shown(
        self, caller: Caller, module: Module, rows: Sequence[Row]
    ) -> list[dict[str, object]]:
        if not rows:
            return []
        users = {u.id: u for u in self.accounts.users(caller.org_id)}
        zone = ZoneInfo(users[caller.user_id].time_zone) if caller.user_id in users else None
        names = {
            f.api_name: self._names(module, f, rows)
            for f in module.fields
            if f.data_type == "lookup"
        }
        return [_record(module, row, users, names, zone or ZoneInfo("UTC")) for row in rows]

    def _names(self, module: Module, field: Field, rows: Iterable[Row]) -> Mapping[int, str]:
        """The display names of the records that a lookup field points at."""
        ids = sorted({row[field.api_name] for row in rows} - {None})
        target = self.modules.module(module.org_id, field.lookup_module or "") if ids else None
        by = None if target is None else target.display_field
        if target is None or by is None:
            return {}
        return {
            r["id"]: r["name"] for r in self.database.sql(tables.names(target, by, len(ids)), ids)
        }


def as_cell(field: Field, value: object) -> object:
    """A stored value as a CSV holds it, so that a job reads the same value from it again."""
    if value is not None and field.kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if value is not None and field.kind is Kind.LIST:
        return ";".join(json.loads(str(value)))
    return value


def _record(
    module: Module,
    row: Row,
    users: Mapping[int, User],
    names: Mapping[str, Mapping[int, str]],
    zone: ZoneInfo,
) -> dict[str, object]:
    record: dict[str, object] = {}
    for field in module.fields:
        name, value = field.api_name, row.get(field.api_name)
        if name == "Tag":
            record[name] = []
        elif name == "Full_Name" and value is None:
            parts = (row.get("First_Name"), row.get("Last_Name"))
            record[name] = " ".join(p for p in parts if p) or None
        elif name == "id":
            record[name] = str(value)
        elif value is None:
            record[name] = [] if field.data_type == "subform" else None
        elif field.has_users:
            record[name] = _person(users.get(value), value)
        elif field.data_type == "layout":
            record[name] = {"name": _STANDARD_LAYOUT, "id": str(value)}
        elif field.data_type == "lookup":
            record[name] = {"name": names[name].get(value), "id": str(value)}
        else:
            shown = _value if field.column is None else _own_value
            record[name] = shown(field, value, zone)
    record.setdefault("Tag", [])
    return record | _EXTRAS


def _value(field: Field, value: object, zone: ZoneInfo) -> object:
    """A stored value as JSON holds it (the shapes in which sinks store, facts 9)."""
    match field.kind:
        case Kind.BOOLEAN:
            return bool(value)
        case Kind.DECIMAL:
            return Decimal(str(value))
        case Kind.LIST:
            return json.loads(str(value))
        case Kind.DATETIME:
            moment = datetime.fromisoformat(str(value))
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(zone).isoformat(timespec="seconds")
    return value


def _own_value(field: Field, value: object, zone: ZoneInfo) -> object:
    """A value out of a table of the user's own, where others may have written what is none."""
    try:
        shown = _value(field, value, zone)
    except (ArithmeticError, ValueError):
        return str(value)
    return shown if not isinstance(shown, Decimal) or shown.is_finite() else str(value)


def _person(user: User | None, user_id: int) -> dict[str, str]:
    name, email = _NOBODY if user is None else (user.name, user.email)
    return {"name": name, "id": str(user_id), "email": email}
