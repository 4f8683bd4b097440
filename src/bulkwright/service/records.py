"""Reads records back: pages of a module, and single records (facts 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import scope
from bulkwright.domain.account import Caller, User
from bulkwright.domain.criteria import (
    BoundCondition,
    BoundCriteria,
    Comparator,
    Criteria,
    CriteriaGroup,
    Junction,
)
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.job import Person
from bulkwright.domain.limits import DELETED_DAYS, RECORDS_PER_PAGE, RECYCLED_DAYS
from bulkwright.domain.module import UNWRITABLE, Field, Module, StorageType
from bulkwright.domain.record import LAYOUT_NAME, Record, Reference, UserReference, Value
from bulkwright.domain.record_write import NotStored
from bulkwright.service.criteria import CriteriaBinder, is_computed, searchable_keys
from bulkwright.service.record_access import permitted_module
from bulkwright.store import tables
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.records import Order, RecordStore
from bulkwright.store.times import from_micros, from_number, to_micros


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Some records of a module."""

    records: tuple[Record, ...]
    has_more: bool
    """Whether a later page has records."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a module's records is wanted, and in which order."""

    per_page: int = RECORDS_PER_PAGE
    skipped: int = 0
    """Records before the page."""
    before: int | None = None
    """The page has ids under this one only; then nothing is skipped."""
    ids: tuple[int, ...] | None = None
    """Only these records."""
    modified_since: datetime | None = None
    """Only records that were changed after this time."""
    sort_by: str = "id"
    ascending: bool = False
    none: bool = False
    """Whether the caller asks for what no record here is, such as converted leads."""


_WHOLE_PAGE = PageQuery()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for: one of these, the first one that is given."""

    criteria: Criteria | None = None
    email: str | None = None
    phone: str | None = None
    word: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not any((self.criteria, self.email, self.phone, self.word))


@dataclass(frozen=True, slots=True)
class DeletedPage:
    """Some deleted records of a module, newest first."""

    records: tuple[DeletedEntry, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class DeletedEntry:
    """What is kept of a deleted record."""

    id: int
    name: str
    deleted_time: datetime
    deleted_by: Person
    created_by: Person | None
    permanent: bool
    """Whether it has left the recycle bin."""


@dataclass(frozen=True, slots=True)
class RecordService:
    """Reads the records of the caller's org. Each org has separate tables."""

    database: Database
    accounts: AccountStore
    modules: ModuleStore
    store: RecordStore
    clock: Clock = SYSTEM_CLOCK

    def page(self, caller: Caller, module: str, query: PageQuery = _WHOLE_PAGE) -> RecordPage:
        """Returns a page of a module's records.

        Raises InvalidModule, InvalidData for a field to sort by that the module lacks, and
        ScopeMismatch if the caller's scopes do not allow to read the module.
        """
        found = self._module(caller, module)
        return self._page(caller, found, _restriction(found, query), query)

    def search(self, caller: Caller, module: str, wanted: Wanted, query: PageQuery, *,
               contains: bool) -> RecordPage:  # fmt: skip
        """Returns a page of the records that a caller searches for.

        With `contains`, `equals` of a text that is no key means contains. Raises like `page`, and
        InvalidQuery.
        """
        found = self._module(caller, module)
        criteria = self._criteria(caller, found, wanted, contains=contains)
        if criteria is None:
            return RecordPage((), has_more=False)
        return self._page(caller, found, criteria, query)

    def count(self, caller: Caller, module: str, wanted: Wanted, *, contains: bool) -> int:
        """Returns how many records a caller searches for; all of them if nothing is named."""
        found = self._module(caller, module)
        if wanted.is_empty:
            return self.store.count(found, None)
        criteria = self._criteria(caller, found, wanted, contains=contains)
        return 0 if criteria is None else self.store.count(found, criteria)

    def deleted(
        self, caller: Caller, module: str, kinds: Collection[str], query: PageQuery
    ) -> DeletedPage:
        """Returns a page of deleted records; `kinds` are `recycle` and `permanent`, or one."""
        found = self._module(caller, module)
        now = to_micros(self.clock.now())
        recycled = now - RECYCLED_DAYS * _DAY_MICROS
        after = recycled if "permanent" not in kinds else now - DELETED_DAYS * _DAY_MICROS
        until = now if "recycle" in kinds else recycled
        if query.modified_since is not None:
            after = max(after, to_micros(query.modified_since))
        rows = self.store.deleted(found, after, until, query.per_page + 1, query.skipped)
        users = self.accounts.users(caller.org_id)
        names = {user.id: user.name for user in users}
        zone = next((user.time_zone for user in users if user.id == caller.user_id), "UTC")

        def person(user_id: int | None) -> Person | None:
            return None if user_id is None else Person(user_id, names.get(user_id, ""))

        entries = tuple(
            DeletedEntry(
                id=row["id"],
                name=row["display_name"],
                deleted_time=from_micros(row["deleted_time"], zone),
                deleted_by=Person(row["deleted_by"], names.get(row["deleted_by"], "")),
                created_by=person(row["created_by"]),
                permanent=row["deleted_time"] <= recycled,
            )
            for row in rows[: query.per_page]
        )
        return DeletedPage(entries, has_more=len(rows) > query.per_page)

    def record(self, caller: Caller, module: str, record_id: int) -> Record | None:
        """Returns one record, or None. Raises like `page`."""
        found = self._module(caller, module)
        records = self.built(caller, found, self.database.sql(tables.by_id(found), (record_id,)))
        return records[0] if records else None

    def _page(
        self, caller: Caller, module: Module, criteria: BoundCriteria | None, query: PageQuery
    ) -> RecordPage:
        if query.none or query.ids == ():
            return RecordPage((), has_more=False)
        keys = () if criteria is None else tuple(searchable_keys(criteria))
        for field in keys:
            self.store.ensure_index(module, field)
        sort = module.field(query.sort_by)
        if sort is None or sort.data_type in UNWRITABLE or sort.storage_type is StorageType.LIST:
            raise InvalidData(details={"param_name": "sort_by"})
        if is_computed(sort):
            raise NotStored(sort.api_name)
        few = bool(keys) and sort.api_name == "id"
        order = Order(sort, query.ascending, few=few)
        rows = self.store.page(module, criteria, order, query.per_page + 1, query.skipped)
        records = self.built(caller, module, rows[: query.per_page])
        return RecordPage(records, has_more=len(rows) > query.per_page)

    def _criteria(
        self, caller: Caller, module: Module, wanted: Wanted, *, contains: bool
    ) -> BoundCriteria | None:
        """Returns the bound criteria; None if no record can meet them."""
        users = self.accounts.users(caller.org_id)
        zone = next((user.time_zone for user in users if user.id == caller.user_id), "UTC")
        binder = CriteriaBinder(
            module, self.modules, self.store, users, ZoneInfo(zone), contains=contains
        )
        if wanted.criteria is not None:
            return binder.bind(wanted.criteria)
        if wanted.email:
            return binder.emails(wanted.email)
        if wanted.phone:
            return binder.phones(wanted.phone)
        return binder.words(wanted.word or "")

    def _module(self, caller: Caller, name: str) -> Module:
        return permitted_module(self.modules, caller, name, scope.module_read)

    def built(self, caller: Caller, module: Module, rows: Sequence[Row]) -> tuple[Record, ...]:
        """Returns the records of rows that hold the fields of a module."""
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


def _restriction(module: Module, query: PageQuery) -> BoundCriteria | None:
    """Returns the criteria of a page: some ids, ids under one, changes after a time."""
    parts: list[BoundCriteria] = []
    number, modified = module.field("id"), module.field("Modified_Time")
    if number is not None and query.ids is not None:
        parts.append(BoundCondition(number, Comparator.IN, query.ids))
    if number is not None and query.before is not None:
        parts.append(BoundCondition(number, Comparator.LESS_THAN, (query.before,)))
    if modified is not None and query.modified_since is not None:
        since = f"{query.modified_since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        parts.append(BoundCondition(modified, Comparator.GREATER_THAN, (since,)))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else CriteriaGroup(Junction.AND, tuple(parts))


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


_DAY_MICROS = 24 * 3600 * 1_000_000
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
