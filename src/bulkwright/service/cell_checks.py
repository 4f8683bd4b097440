"""Judges single cells before a job exists, by the rules that its rows are read by.

What only the store knows is left to a dry run: which records exist, and whether a key is taken.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from zoneinfo import ZoneInfo

from bulkwright.domain import value_rules as rules
from bulkwright.domain.cell_errors import quoted, why_invalid
from bulkwright.domain.formatted import NotJudged, check_formatted
from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Field
from bulkwright.domain.scalar import NotAValue, key_of, read_value


class CellState(Enum):
    """What becomes of a cell."""

    GOOD = "good"
    EMPTY = "empty"
    """The field stays empty."""
    DEFAULT = "default"
    """The cell is empty; the default value replaces it."""
    BAD = "bad"
    """Its row is skipped."""
    LATER = "later"
    """Only a run finds out."""


@dataclass(frozen=True, slots=True)
class CellFinding:
    """The finding on one cell."""

    state: CellState
    message: str = ""


_GOOD, _EMPTY = CellFinding(CellState.GOOD), CellFinding(CellState.EMPTY)
_LATER = CellFinding(CellState.LATER, "A dry run checks this.")


@dataclass(frozen=True, slots=True)
class CellCheck:
    """Judges the cells of one mapping."""

    mapping: FieldMapping
    field: Field
    users: Collection[str]
    """The keys by which users of the org are found."""
    zone: ZoneInfo
    """Of date-times without an offset."""
    mandatory: bool = False
    """Whether an empty cell makes its row invalid."""

    def judge(self, cell: str) -> CellFinding:
        """Returns the finding on a cell."""
        text = cell or self.mapping.default or ""
        if self.mandatory and not text.strip(rules.BLANKS):
            return _bad("the cell is empty, and the field must have a value")
        if not text:
            return _EMPTY
        if not self._is_judged:
            return _LATER
        try:
            self._read(text)
        except NotJudged:
            return _LATER
        except NotAValue:
            return _bad(why_invalid(self.mapping, self.field, quoted(text)))
        return _GOOD if cell else CellFinding(CellState.DEFAULT, quoted(text))

    @property
    def _is_judged(self) -> bool:
        """Whether the value itself decides; existing tables and records have rules of their own."""
        by_id = self.mapping.find_by in (None, "id")
        return not self.field.in_existing_table and (self.field.data_type != "lookup" or by_id)

    def _read(self, text: str) -> None:
        if self.field.data_type == "layout":
            return
        if self.field.has_users:
            if key_of(text) not in self.users:
                raise NotAValue({})
            return
        if self.mapping.format is not None:
            check_formatted(text, self.field, self.mapping.format, self.zone)
            return
        read_value(text, self.field, self.zone)
        if self.field.data_type == "lookup":
            raise NotJudged


def _bad(message: str) -> CellFinding:
    return CellFinding(CellState.BAD, f"{message[:1].upper()}{message[1:]}.")
