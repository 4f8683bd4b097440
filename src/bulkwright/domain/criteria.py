"""Criteria: which records are wanted, as a tree. Pure values.

A face parses its own grammar into `Condition` and `CriteriaGroup`; `service/criteria.py` binds them
to the fields of a module; `store/criteria_sql.py` makes SQL of the bound tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from bulkwright.domain.module import Field, Module
from bulkwright.domain.scalar import Stored


class Comparator(StrEnum):
    """How a field is compared with the values of a condition."""

    EQUALS = "equals"
    NOT_EQUAL = "not_equal"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    LIKE = "like"
    """The whole text, whatever the case of its letters."""
    IN = "in"
    GREATER_THAN = "greater_than"
    GREATER_EQUAL = "greater_equal"
    LESS_THAN = "less_than"
    LESS_EQUAL = "less_equal"
    BETWEEN = "between"
    EMPTY = "empty"


class Junction(StrEnum):
    """How the parts of a group are joined."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as a caller writes it."""

    field: str
    """An api_name; in COQL also a path through lookups."""
    comparator: str
    values: tuple[str, ...]
    negated: bool = False
    """Whether the records are wanted that do not meet it; among them are those without a value."""
    operator: str = ""
    """The comparator in the caller's grammar, if it has another word for it."""


@dataclass(frozen=True, slots=True)
class BoundCondition:
    """One condition on a field of a module, with values of its type."""

    field: Field
    comparator: Comparator
    values: tuple[Stored, ...]
    by_key: bool = False
    """Whether the keys of the field are compared, through its index."""
    ignores_case: bool = False
    """Whether the ASCII letters of texts are compared without case."""
    negated: bool = False
    """Whether the records are wanted that do not meet it, or have no value."""


@dataclass(frozen=True, slots=True)
class BoundPath:
    """A condition on the record to which a lookup leads."""

    field: Field
    module: Module
    condition: BoundCondition | BoundPath
    negated: bool = False
    """Whether the records are wanted whose lookup leads to no such record, or to none at all."""


ConditionT = TypeVar("ConditionT", bound=Condition | BoundCondition | BoundPath)


@dataclass(frozen=True, slots=True)
class CriteriaGroup(Generic[ConditionT]):
    """Conditions and groups, joined by one word."""

    junction: Junction
    parts: tuple[ConditionT | CriteriaGroup[ConditionT], ...]


Criteria = Condition | CriteriaGroup[Condition]
BoundCriteria = BoundCondition | BoundPath | CriteriaGroup[BoundCondition | BoundPath]


def conditions(criteria: ConditionT | CriteriaGroup[ConditionT]) -> Iterator[ConditionT]:
    """Yields the conditions of a tree, in the order in which they are written."""
    if isinstance(criteria, CriteriaGroup):
        for part in criteria.parts:
            yield from conditions(part)
    else:
        yield criteria
