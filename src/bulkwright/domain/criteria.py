"""Criteria: which records are wanted, as a tree. Pure values.

A face parses its own grammar into `Condition` and `CriteriaGroup`; `service/criteria.py` binds them
to the fields of a module; `store/criteria_sql.py` makes SQL of the bound tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from bulkwright.domain.module import Field
from bulkwright.domain.scalar import Stored


class Comparator(StrEnum):
    """How a field is compared with the values of a condition."""

    EQUALS = "equals"
    NOT_EQUAL = "not_equal"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IN = "in"
    GREATER_THAN = "greater_than"
    GREATER_EQUAL = "greater_equal"
    LESS_THAN = "less_than"
    LESS_EQUAL = "less_equal"
    BETWEEN = "between"


class Junction(StrEnum):
    """How the parts of a group are joined."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as a caller writes it."""

    field: str
    comparator: str
    values: tuple[str, ...]


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


ConditionT = TypeVar("ConditionT", Condition, BoundCondition)


@dataclass(frozen=True, slots=True)
class CriteriaGroup(Generic[ConditionT]):
    """Conditions and groups, joined by one word."""

    junction: Junction
    parts: tuple[ConditionT | CriteriaGroup[ConditionT], ...]


Criteria = Condition | CriteriaGroup[Condition]
BoundCriteria = BoundCondition | CriteriaGroup[BoundCondition]


def conditions(criteria: ConditionT | CriteriaGroup[ConditionT]) -> Iterator[ConditionT]:
    """Yields the conditions of a tree, in the order in which they are written."""
    if isinstance(criteria, CriteriaGroup):
        for part in criteria.parts:
            yield from conditions(part)
    else:
        yield criteria
