"""Binds the criteria of a bulk read (facts 12).

The comparators have other names than those of a search, and there are more of them. What a
condition means is decided by `service/criteria.py`, for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bulkwright.domain.criteria import (
    BoundCriteria,
    Comparator,
    Condition,
    Criteria,
    CriteriaGroup,
    conditions,
)
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import READ_CRITERIA, READ_VALUE_CHARACTERS, READ_VALUES
from bulkwright.domain.module import UNWRITABLE, Field, Module, StorageType
from bulkwright.domain.read_errors import (
    ComparatorAndValueNotCompatible,
    ComparatorNotCompatible,
    FieldInCriteriaNotAvailable,
    ValueLimitExceeded,
    ValueNotCompatible,
)
from bulkwright.domain.record_errors import CriteriaLimitExceeded, InvalidQuery
from bulkwright.domain.record_write import NotStored
from bulkwright.service.criteria import CriteriaBinder
from bulkwright.service.mapping import shortened
from bulkwright.store.modules import ModuleStore
from bulkwright.store.records import RecordStore

EMPTY = "${EMPTY}"
"""The value that stands for no value."""
LISTED = frozenset({"in", "not_in", "between", "not_between"})
"""The comparators that take several values."""

ELSEWHERE = frozenset({"$converted", "Converted__s"})
"""Fields that Zoho documents for bulk reads beside those of a module; this service lacks them."""

_C = Comparator
_MEANING: Mapping[str, tuple[Comparator, bool]] = {
    "equal": (_C.EQUALS, False),
    "not_equal": (_C.EQUALS, True),
    "in": (_C.IN, False),
    "not_in": (_C.IN, True),
    "contains": (_C.CONTAINS, False),
    "not_contains": (_C.CONTAINS, True),
    "starts_with": (_C.STARTS_WITH, False),
    "ends_with": (_C.ENDS_WITH, False),
    "between": (_C.BETWEEN, False),
    "not_between": (_C.BETWEEN, True),
    "greater_than": (_C.GREATER_THAN, False),
    "greater_equal": (_C.GREATER_EQUAL, False),
    "less_than": (_C.LESS_THAN, False),
    "less_equal": (_C.LESS_EQUAL, False),
}
"""The comparator, and whether the records are wanted that do not meet it."""
_SAME = ("equal", "not_equal", "in", "not_in")
_ORDER = ("less_than", "less_equal", "greater_than", "greater_equal")
_PARTS = ("contains", "not_contains", "starts_with", "ends_with")
_RANGE = ("between", "not_between")
_SUPPORTED: Mapping[StorageType, tuple[str, ...]] = {
    StorageType.TEXT: (*_SAME, *_PARTS),
    StorageType.LIST: (*_SAME, *_PARTS),
    StorageType.INTEGER: (*_SAME, *_ORDER),
    StorageType.DECIMAL: (*_SAME, *_ORDER),
    StorageType.DATE: (*_SAME, *_RANGE, *_ORDER),
    StorageType.DATETIME: (*_SAME, *_RANGE, *_ORDER),
    StorageType.BOOLEAN: ("equal",),
    StorageType.REFERENCE: _SAME,
}


@dataclass(frozen=True, slots=True)
class ReadCriteria:
    """Binds the criteria of one request."""

    module: Module
    modules: ModuleStore
    records: RecordStore
    zone: ZoneInfo

    def bind(self, criteria: Criteria) -> BoundCriteria:
        """Returns the bound tree.

        Raises the CriteriaError of the first mistake, and NotStored for a field of a related record
        and for one without stored values.
        """
        if sum(1 for _ in conditions(criteria)) > READ_CRITERIA:
            raise CriteriaLimitExceeded(
                f"Number of criteria exceeded the maximum limit of {READ_CRITERIA}",
                {"max_limit": READ_CRITERIA},
            )
        return self._binder().bind(self._meant(criteria))

    def _binder(self) -> CriteriaBinder:
        # Lookups are compared by id here, so no users are needed.
        return CriteriaBinder(
            self.module,
            self.modules,
            self.records,
            (),
            self.zone,
            contains=False,
            allowed=lambda _field: frozenset(_C),
            most_values=READ_VALUES,
        )

    def _meant(self, criteria: Criteria) -> Criteria:
        """The same tree with the comparators of `domain/criteria.py`, each condition checked."""
        if isinstance(criteria, CriteriaGroup):
            return CriteriaGroup(criteria.junction, tuple(map(self._meant, criteria.parts)))
        field = self._field(criteria)
        self._check(field, criteria)
        comparator, negated = _MEANING[criteria.comparator]
        values = criteria.values
        if values == (EMPTY,):
            comparator, values = _C.EMPTY, ()
        meant = Condition(field.api_name, comparator, values, negated=negated)
        try:
            self._binder().bind(meant)
        except InvalidQuery as error:
            raise self._wrong_value(criteria, error.details) from None
        return meant

    def _field(self, condition: Condition) -> Field:
        name = condition.field
        if is_elsewhere(self.module, name):
            raise NotStored(f"query.criteria {shortened(name)}")
        field = self.module.field(name)
        if field is None:
            raise FieldInCriteriaNotAvailable(
                f"Field api name '{shortened(name)}' is not available for criteria "
                f"{_shown(condition)}. Check visibility and permission for the field",
                {"api_name": shortened(name)},
            )
        return field

    def _check(self, field: Field, condition: Condition) -> None:
        supported = _SUPPORTED[field.storage_type]
        if condition.comparator not in supported:
            raise ComparatorNotCompatible(
                f"Field api name '{field.api_name}' doesn't support this comparator "
                f"'{shortened(condition.comparator)}' for criteria {_shown(condition)}.",
                {
                    "comparator": shortened(condition.comparator),
                    "api_name": field.api_name,
                    "supported": supported,
                },
            )
        values = condition.values
        if len(values) > READ_VALUES:
            raise ValueLimitExceeded(
                f"Number of values in criteria exceeded the maximum limit of {READ_VALUES}",
                {"max_limit": READ_VALUES},
            )
        several = condition.comparator in LISTED
        wanted = 2 if condition.comparator in _RANGE else None if several else 1
        has_empty = EMPTY in values
        misplaced = has_empty and (len(values) > 1 or condition.comparator not in _SAME)
        if not values or misplaced or (wanted is not None and len(values) != wanted):
            raise ComparatorAndValueNotCompatible(
                f"Comparator '{condition.comparator}' is not supported with value "
                f"'{_values(condition)}' for criteria {_shown(condition)}.",
                {"comparator": condition.comparator, "api_name": field.api_name},
            )
        if any(not value.strip() or len(value) > READ_VALUE_CHARACTERS for value in values):
            raise self._wrong_value(condition, {"maximum_length": READ_VALUE_CHARACTERS})
        is_lookup = field.storage_type is StorageType.REFERENCE
        if is_lookup and not has_empty and any(parse_id(value) is None for value in values):
            raise self._wrong_value(condition, {"expected_data_type": "bigint"})

    def _wrong_value(
        self, condition: Condition, details: Mapping[str, object]
    ) -> ValueNotCompatible:
        kept = {k: v for k, v in details.items() if k in ("expected_data_type", "maximum_length")}
        return ValueNotCompatible(
            f"Field '{condition.field}' is not supported with value '{_values(condition)}' for "
            f"criteria {_shown(condition)}.",
            {"api_name": condition.field, **kept},
        )


def is_elsewhere(module: Module, name: str) -> bool:
    """Whether a name is a field that Zoho has and this service cannot read.

    These are fields of a related record, such as `Account_Name.Phone`, fields without stored
    values, and `ELSEWHERE`.
    """
    first, dot, _ = name.partition(".")
    field = module.field(first)
    if field is None:
        return name in ELSEWHERE
    return field.data_type in UNWRITABLE or (
        bool(dot) and bool(field.lookup_module or field.has_users)
    )


def _values(condition: Condition) -> str:
    return shortened(",".join(condition.values))


def _shown(condition: Condition) -> str:
    return shortened(f"{condition.field} {condition.comparator} {','.join(condition.values)}")
