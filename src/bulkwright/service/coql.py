"""Runs COQL queries (facts 10.11).

Conditions are bound and found as those of a search, so both find the same records. What a lookup
leads to is read afterwards, once for each lookup.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, User
from bulkwright.domain.coql import CoqlQuery
from bulkwright.domain.criteria import (
    BoundCondition,
    BoundCriteria,
    Comparator,
    Condition,
    conditions,
)
from bulkwright.domain.errors import InvalidModule, LimitExceeded
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import CoqlLimits
from bulkwright.domain.module import UNWRITABLE, Field, Module, StorageType
from bulkwright.domain.record import Value
from bulkwright.domain.record_errors import InvalidQuery
from bulkwright.domain.record_write import NotStored
from bulkwright.service.coql_groups import grouped_rows
from bulkwright.service.criteria import (
    NOT_AVAILABLE,
    WRONG_OPERATOR,
    CriteriaBinder,
    is_computed,
    searchable_keys,
)
from bulkwright.service.record_access import permitted_module
from bulkwright.service.records import RecordService
from bulkwright.store.database import Row
from bulkwright.store.records import Order

_SAME = frozenset({"=", "!=", "in", "not in", "is null", "is not null"})
_TEXT = _SAME | {"like", "not like"}
_ORDERED = _SAME | {">", ">=", "<", "<=", "between", "not between"}
_OPERATORS: Mapping[StorageType, frozenset[str]] = {
    StorageType.TEXT: _TEXT,
    StorageType.LIST: _TEXT,
    StorageType.REFERENCE: _SAME,
    StorageType.INTEGER: _ORDERED,
    StorageType.DECIMAL: _ORDERED,
    StorageType.DATE: _ORDERED,
    StorageType.DATETIME: _ORDERED,
    StorageType.BOOLEAN: frozenset({"="}),
}
"""The operators of a field (facts 10.11)."""
_NOT_SELECTED = frozenset(
    {
        "subform", "multiselectlookup", "multiuserlookup", "consent_lookup", "imageupload",
        "profileimage",
    }
)  # fmt: skip
_NOT_COMPARED = frozenset({"textarea", "mediumtext"})
_EVERY = frozenset(Comparator)
_USER_COLUMNS: Mapping[str, Callable[[User], str]] = {
    "id": lambda user: str(user.id),
    "first_name": lambda user: user.first_name,
    "last_name": lambda user: user.last_name,
    "full_name": lambda user: user.name,
    "email": lambda user: user.email,
}
"""What a path through an owner leads to."""
_WRONG_COLUMN = "column given seems to be invalid"
_WRONG_VALUE = "value given seems to be invalid for the column"

Values = Mapping[str, Value]
"""Values by paths."""


@dataclass(frozen=True, slots=True)
class CoqlRows:
    """The rows of an answer: values by columns as they are written; of records also `id`."""

    rows: tuple[Values, ...]
    has_more: bool
    """Whether a later offset has rows."""


@dataclass(frozen=True, slots=True)
class CoqlService:
    """Runs the queries of the caller's org."""

    records: RecordService

    def run(self, caller: Caller, query: CoqlQuery, limits: CoqlLimits) -> CoqlRows:
        """Returns the rows of a query.

        Raises InvalidModule, InvalidQuery, LimitExceeded, ScopeMismatch if the caller's scopes do
        not allow to read a module, and NotStored for what this server does not do.
        """
        store = self.records.store
        module = self._module(caller, query.module)
        paths = {column.path for column in query.columns}
        _check_joins(paths, limits.selected_joins)
        _check_joins({c.field for c in conditions(query.criteria)}, limits.criteria_joins)
        for path in paths:
            field = self._field(caller, module, path)
            if field is not None and field.data_type in _NOT_SELECTED:
                raise InvalidQuery("unsupported column", {"column_name": path})
        criteria = self._criteria(caller, module, query)
        keys = tuple(searchable_keys(criteria))
        for key in keys:
            store.ensure_index(module, key)
        if query.is_grouped:
            return CoqlRows(*grouped_rows(self.records, caller, module, query, criteria))
        narrowed = _narrowed(module, paths)
        order = self._order(module, query, few=bool(keys))
        found = store.page(narrowed, criteria, order, query.limit + 1, query.offset)
        rows = self._values(caller, narrowed, {*paths, "id"}, found[: query.limit])
        return CoqlRows(tuple(rows), has_more=len(found) > query.limit)

    def _module(self, caller: Caller, name: str) -> Module:
        modules = self.records.modules
        if modules.module(caller.org_id, name) is None:
            raise InvalidModule("the given module is not supported in api")
        return permitted_module(modules, caller, name, scope.module_read)

    def _other(self, caller: Caller, field: Field) -> Module:
        """Returns the module of a lookup. Raises NotStored if it has none here."""
        if field.data_type != "lookup" or not field.lookup_module:
            raise NotStored(field.api_name)
        if self.records.modules.module(caller.org_id, field.lookup_module) is None:
            raise NotStored(field.api_name)
        return self._module(caller, field.lookup_module)

    def _field(self, caller: Caller, module: Module, path: str) -> Field | None:
        """Returns the field of a path; None for a column of a user."""
        head, _, rest = path.partition(".")
        field = module.field(head)
        if field is None or (rest and field.storage_type is not StorageType.REFERENCE):
            raise InvalidQuery(_WRONG_COLUMN, {"column_name": path})
        if not rest or rest == "id":
            return field
        if field.has_users:
            if rest not in _USER_COLUMNS:
                raise NotStored("other columns of users")
            return None
        try:
            return self._field(caller, self._other(caller, field), rest)
        except InvalidQuery as error:
            raise InvalidQuery(error.message, {"column_name": path}) from None

    def _criteria(self, caller: Caller, module: Module, query: CoqlQuery) -> BoundCriteria:
        for condition in conditions(query.criteria):
            self._check(caller, module, condition)
        users = self.records.accounts.users(caller.org_id)
        zone = next((user.time_zone for user in users if user.id == caller.user_id), "UTC")
        binder = CriteriaBinder(
            module,
            self.records.modules,
            self.records.store,
            users,
            ZoneInfo(zone),
            contains=False,
            allowed=lambda _field: _EVERY,
            other_module=partial(self._other, caller),
        )
        try:
            return binder.bind(query.criteria)
        except InvalidQuery as error:
            raise _as_coql(error) from None

    def _check(self, caller: Caller, module: Module, condition: Condition) -> None:
        """Checks the column and the operator of a condition."""
        named = {"column_name": condition.field}
        field = self._field(caller, module, condition.field)
        if field is None:
            raise NotStored("conditions on columns of users")
        if field.data_type in _NOT_COMPARED or field.data_type in _NOT_SELECTED:
            raise InvalidQuery("unsupported column", named)
        if field.data_type in UNWRITABLE:
            raise NotStored(field.api_name)
        if condition.operator not in _OPERATORS[field.storage_type]:
            details = {"reason": WRONG_OPERATOR, **named, "operator": condition.operator}
            raise InvalidQuery("invalid query formed", details)
        is_reference = field.storage_type is StorageType.REFERENCE
        if is_reference and None in map(parse_id, condition.values):
            raise InvalidQuery(_WRONG_VALUE, {"expected_data_type": "bigint", **named})

    def _order(self, module: Module, query: CoqlQuery, *, few: bool) -> Order:
        if not query.order_by:
            return Order(ascending=True, few=few)
        orders = []
        for sort in query.order_by:
            written = sort.column if module.field(sort.column) else query.resolved(sort.column)
            name = written.removesuffix(".id")
            field = module.field(name)
            if "." in name or "(" in name:
                raise NotStored("order by a lookup's column or an aggregate")
            if field is None:
                raise InvalidQuery(_WRONG_COLUMN, {"column_name": sort.column})
            is_list = field.storage_type is StorageType.LIST
            if field.data_type in UNWRITABLE or is_computed(field) or is_list:
                raise NotStored(field.api_name)
            orders.append(Order(field, sort.ascending))
        orders.append(Order(module.field("id"), ascending=True))
        return replace(orders[0], then=tuple(orders[1:]))

    def _values(
        self, caller: Caller, module: Module, paths: Collection[str], rows: Sequence[Row]
    ) -> list[dict[str, Value]]:
        """Returns the values of paths for each row of a narrowed module."""
        records = self.records.built(caller, module, rows)
        found: list[dict[str, Value]] = [{} for _ in records]
        through: dict[str, set[str]] = {}
        for path in paths:
            head, _, rest = path.partition(".")
            if rest:
                through.setdefault(head, set()).add(rest)
            for values, record in zip(found, records, strict=True):
                values[path] = str(record.id) if path == "id" else record.values[head]
        for head, rests in through.items():
            ids = [row.get(head) for row in rows]
            others = self._through(caller, module, head, rests, {i for i in ids if i is not None})
            for values, number in zip(found, ids, strict=True):
                other = others.get(number, {}) if number is not None else {}
                values |= {f"{head}.{rest}": other.get(rest) for rest in rests}
        return found

    def _through(
        self, caller: Caller, module: Module, head: str, rests: Collection[str], ids: set[int]
    ) -> Mapping[int, Values]:
        """Returns the values of records or users that a field leads to, by their ids."""
        field = module.field(head)
        assert field is not None
        if field.has_users:
            users = self.records.accounts.users(caller.org_id)
            return {
                user.id: {rest: _USER_COLUMNS[rest](user) for rest in rests}
                for user in users
                if user.id in ids
            }
        if set(rests) == {"id"}:
            return {number: {"id": str(number)} for number in ids}
        other = _narrowed(self._other(caller, field), rests)
        number = other.field("id")
        assert number is not None
        wanted = BoundCondition(number, Comparator.IN, tuple(ids))
        rows = self.records.store.page(other, wanted, Order(ascending=True), len(ids), 0)
        values = self._values(caller, other, {*rests, "id"}, rows)
        return {int(row["id"]): one for row, one in zip(rows, values, strict=True)}


def _narrowed(module: Module, paths: Iterable[str]) -> Module:
    """Returns a module with those fields alone from which paths begin."""
    heads = {"id"} | {path.partition(".")[0] for path in paths}
    if "Full_Name" in heads:
        heads |= {"First_Name", "Last_Name"}
    return replace(module, fields=tuple(f for f in module.fields if f.api_name in heads))


def _check_joins(paths: Iterable[str], most: int) -> None:
    joins = set()
    for path in paths:
        names = path.split(".")
        joins |= {tuple(names[:length]) for length in range(1, len(names))}
    if len(joins) > most:
        raise LimitExceeded("join limit exceeded", {"limit": most})


def _as_coql(error: InvalidQuery) -> InvalidQuery:
    """Returns an error of the binder in the words of COQL."""
    details = dict(error.details)
    column = {"column_name": details.pop("api_name", "")}
    if details.get("reason") == NOT_AVAILABLE:
        return InvalidQuery(_WRONG_COLUMN, column)
    expected = {k: v for k, v in details.items() if k not in ("reason", "value")}
    return InvalidQuery(_WRONG_VALUE, expected | column)
