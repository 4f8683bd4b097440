"""Binds criteria to a module: which fields, which comparators, and values of their types.

The errors are those of Zoho's search (facts 10.9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bulkwright.domain.account import User, email_key
from bulkwright.domain.criteria import (
    BoundCondition,
    BoundCriteria,
    BoundPath,
    Comparator,
    Condition,
    Criteria,
    CriteriaGroup,
    Junction,
)
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import CRITERIA_VALUES
from bulkwright.domain.module import UNWRITABLE, Field, Module, StorageType
from bulkwright.domain.record_errors import InvalidQuery
from bulkwright.domain.record_write import NotStored
from bulkwright.domain.scalar import NotAValue, Stored, key_of, read_value
from bulkwright.store.modules import ModuleStore
from bulkwright.store.records import RecordStore

_C = Comparator
_ORDERED = frozenset(
    {
        _C.EQUALS, _C.NOT_EQUAL, _C.IN, _C.GREATER_THAN, _C.GREATER_EQUAL, _C.LESS_THAN,
        _C.LESS_EQUAL, _C.BETWEEN,
    }
)  # fmt: skip
_TEXT = frozenset({_C.EQUALS, _C.NOT_EQUAL, _C.STARTS_WITH, _C.IN})
_SAME = frozenset({_C.EQUALS, _C.NOT_EQUAL, _C.IN})
_BY_STORAGE: Mapping[StorageType, frozenset[Comparator]] = {
    StorageType.TEXT: _TEXT,
    StorageType.INTEGER: _ORDERED,
    StorageType.DECIMAL: _ORDERED,
    StorageType.DATE: _ORDERED,
    StorageType.DATETIME: _ORDERED,
    StorageType.BOOLEAN: frozenset({_C.EQUALS, _C.NOT_EQUAL}),
    StorageType.LIST: _TEXT,
    StorageType.REFERENCE: _SAME,
}
_BY_DATA_TYPE = {
    "textarea": _TEXT - {_C.IN},
    "mediumtext": _TEXT - {_C.IN},
    "picklist": _SAME,
}
_FOLDED = (_C.CONTAINS, _C.STARTS_WITH, _C.ENDS_WITH, _C.LIKE)
"""Comparators for which the case of ASCII letters does not matter."""
_CASELESS = ("email", "phone")
_PLAIN_TEXT = ("text", "textarea", "mediumtext", "email", "phone", "website")
_IN_EXISTING_TABLES = (StorageType.TEXT, StorageType.INTEGER, StorageType.REFERENCE)
NOT_AVAILABLE = "the field is not available for search"
WRONG_OPERATOR = "invalid operator found"
_NAME, _ID = ".name", ".id"
_MOST_NAMED = 1_000
"""Records of one name that a lookup is compared with."""
_NO_ID = 0
"""An id that no record and no user has."""


def is_computed(field: Field) -> bool:
    """Whether the values of a field are made of others, so that nothing can be found by them."""
    return field.api_name == "Full_Name" and field.read_only


def comparators(field: Field) -> frozenset[Comparator]:
    """Returns the comparators that a search has for a field (facts 10.9)."""
    return _BY_DATA_TYPE.get(field.data_type, _BY_STORAGE[field.storage_type])


@dataclass(frozen=True, slots=True)
class CriteriaBinder:
    """Binds the criteria of one call."""

    module: Module
    modules: ModuleStore
    records: RecordStore
    users: Sequence[User]
    zone: ZoneInfo
    contains: bool
    """Whether `equals` of a text that is no key means contains (facts 10.9)."""
    allowed: Callable[[Field], frozenset[Comparator]] = comparators
    most_values: int = CRITERIA_VALUES
    """Values of one condition at most."""
    other_module: Callable[[Field], Module] | None = None
    """Returns the module of a lookup, if names of fields may be paths through lookups."""

    def bind(self, criteria: Criteria) -> BoundCriteria:
        """Returns the bound tree.

        Raises InvalidQuery, and NotStored for a type that is not searched in an existing table.
        """
        if isinstance(criteria, CriteriaGroup):
            return CriteriaGroup(criteria.junction, tuple(map(self.bind, criteria.parts)))
        if "." in criteria.field and self.other_module is not None:
            return self._path(criteria, self.other_module)
        return self._condition(criteria)

    def emails(self, address: str) -> BoundCriteria | None:
        """Returns the criteria of the records with an e-mail address in any field."""
        return self._any_of(("email",), _C.EQUALS, address)

    def phones(self, number: str) -> BoundCriteria | None:
        """Returns the criteria of the records with a phone number in any field."""
        return self._any_of(("phone",), _C.EQUALS, number)

    def words(self, word: str) -> BoundCriteria | None:
        """Returns the criteria of the records with a word in any text."""
        return self._any_of((*_PLAIN_TEXT, "picklist"), _C.CONTAINS, word)

    def _any_of(
        self, data_types: Sequence[str], comparator: Comparator, text: str
    ) -> BoundCriteria | None:
        parts = [
            self._text(field, comparator, (text,))
            for field in self.module.fields
            if field.data_type in data_types
        ]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else CriteriaGroup(Junction.OR, tuple(parts))

    def _path(
        self, condition: Condition, other_module: Callable[[Field], Module]
    ) -> BoundCondition | BoundPath:
        """A condition on another record. Without one, a record has none of its values."""
        name, _, rest = condition.field.partition(".")
        field = self.module.field(name)
        if field is None or field.storage_type is not StorageType.REFERENCE:
            raise InvalidQuery(details=_not_available(condition))
        if rest == "id":
            return self._condition(replace(condition, field=name))
        module = other_module(field)
        binder = replace(self, module=module)
        empty = condition.comparator == _C.EMPTY
        bound = binder.bind(replace(condition, field=rest, negated=empty))
        assert not isinstance(bound, CriteriaGroup)
        return BoundPath(field, module, bound, negated=condition.negated != empty)

    def _condition(self, condition: Condition) -> BoundCondition:
        name = condition.field.removesuffix(_NAME).removesuffix(_ID)
        field = self.module.field(name)
        if field is None or field.data_type in UNWRITABLE:
            raise InvalidQuery(details=_not_available(condition))
        kind = field.storage_type
        if is_computed(field) or (field.in_existing_table and kind not in _IN_EXISTING_TABLES):
            raise NotStored(name)
        comparator, negated = self._comparator(condition, field), condition.negated
        if comparator is _C.NOT_EQUAL and field.data_type in _CASELESS:
            comparator, negated = _C.EQUALS, True
        return replace(self._compared(field, comparator, condition), negated=negated)

    def _comparator(self, condition: Condition, field: Field) -> Comparator:
        """Returns the comparator of a condition. Raises InvalidQuery if the field lacks it."""
        if condition.comparator not in self.allowed(field):
            raise InvalidQuery(
                details={
                    "reason": WRONG_OPERATOR,
                    "operator": condition.operator or condition.comparator,
                    "api_name": condition.field,
                }
            )
        comparator = Comparator(condition.comparator)
        many = len(condition.values)
        if many > self.most_values:
            raise InvalidQuery(f'Only {self.most_values} values are allowed in "IN" criteria')
        wrong = many != 2 if comparator is _C.BETWEEN else "" in condition.values
        if wrong:
            raise InvalidQuery(
                details={
                    "reason": "invalid value for search",
                    "api_name": condition.field,
                    "value": ",".join(condition.values),
                }
            )
        return comparator

    def _compared(
        self, field: Field, comparator: Comparator, condition: Condition
    ) -> BoundCondition:
        kind = field.storage_type
        if comparator is _C.EMPTY:
            return BoundCondition(field, comparator, ())
        if kind is StorageType.REFERENCE and field.data_type != "layout":
            return self._reference(field, comparator, condition)
        if kind is StorageType.TEXT:
            return self._text(field, comparator, condition.values)
        if kind is StorageType.LIST:
            folds = comparator in _FOLDED
            values: tuple[Stored, ...] = condition.values
            return BoundCondition(field, comparator, _folded(condition.values) if folds else values)
        values = tuple(self._value(field, text) for text in condition.values)
        by_key = field.is_key and not field.has_folded_key
        return BoundCondition(field, comparator, values, by_key=by_key)

    def _value(self, field: Field, text: str) -> Stored:
        try:
            return read_value(text, field, self.zone)
        except NotAValue as error:
            raise InvalidQuery(
                details={
                    **error.details,
                    "reason": "invalid value for search",
                    "api_name": field.api_name,
                    "value": text,
                }
            ) from None

    def _text(self, field: Field, comparator: Comparator, texts: Sequence[str]) -> BoundCondition:
        if field.has_folded_key and comparator not in (_C.CONTAINS, _C.ENDS_WITH, _C.LIKE):
            keys = tuple(key for text in texts if (key := key_of(text)) is not None)
            return BoundCondition(field, comparator, keys, by_key=True)
        exact = field.data_type not in _PLAIN_TEXT or field.in_existing_table
        if comparator is _C.EQUALS and not exact:
            if field.data_type in _CASELESS:
                return BoundCondition(field, comparator, _folded(texts), ignores_case=True)
            if self.contains:
                comparator = _C.CONTAINS
        ignores_case = comparator in _FOLDED
        values = _folded(texts) if ignores_case else tuple(texts)
        return BoundCondition(field, comparator, values, ignores_case=ignores_case)

    def _reference(
        self, field: Field, comparator: Comparator, condition: Condition
    ) -> BoundCondition:
        ids: list[int] = []
        for text in condition.values:
            number = None if condition.field.endswith(_NAME) else parse_id(text)
            ids += [number] if number is not None else self._named(field, text)
        if len(ids) != 1 and comparator is not _C.NOT_EQUAL:
            comparator = _C.IN
        return BoundCondition(field, comparator, tuple(ids or [_NO_ID]))

    def _named(self, field: Field, name: str) -> list[int]:
        """The users, or the records of the module of a lookup, that have this name."""
        if field.has_users:
            folded = email_key(name)
            return [u.id for u in self.users if folded in (email_key(u.name), email_key(u.email))]
        module = self.modules.module(self.module.org_id, field.lookup_module or "")
        shown_by = None if module is None else module.display_field
        if module is None or shown_by is None or shown_by.storage_type is not StorageType.TEXT:
            return []
        if shown_by.has_folded_key:
            self.records.ensure_index(module, shown_by)
        other = CriteriaBinder(module, self.modules, self.records, self.users, self.zone, False)
        bound = other._text(shown_by, _C.EQUALS, (name,))
        found = self.records.ids(module, bound, _MOST_NAMED + 1)
        if len(found) > _MOST_NAMED:
            raise InvalidQuery(
                details={"reason": "too many records have this name", "api_name": field.api_name}
            )
        return found


def searchable_keys(criteria: BoundCriteria) -> Iterable[Field]:
    """Returns the fields whose indexes find the records; none if all have to be read."""
    if isinstance(criteria, CriteriaGroup):
        found = [list(searchable_keys(part)) for part in criteria.parts]
        if criteria.junction is Junction.OR and not all(found):
            return []
        return [field for fields in found for field in fields]
    if isinstance(criteria, BoundPath) or criteria.negated:
        return []
    uses_index = criteria.by_key or criteria.field.api_name == "id"
    driven = criteria.comparator in (_C.EQUALS, _C.IN, _C.STARTS_WITH)
    folded = criteria.ignores_case and criteria.comparator is _C.EQUALS
    return [criteria.field] if driven and (uses_index or folded) else []


def _not_available(condition: Condition) -> dict[str, object]:
    return {"reason": NOT_AVAILABLE, "api_name": condition.field}


def _folded(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts with ASCII letters in lower case, as both stores fold texts that are no keys."""
    return tuple("".join(c.lower() if c.isascii() else c for c in text) for text in texts)
