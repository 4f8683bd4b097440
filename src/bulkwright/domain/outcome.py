"""The outcomes of rows, and their counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The STATUS of a result line (facts 5.1)."""

    ADDED = "ADDED"
    UPDATED = "UPDATED"
    SKIPPED = "SKIPPED"
    UNPROCESSED = "UNPROCESSED"


UNCHANGED = "UNCHANGED"
"""What the service's own faces report of an UPDATED row whose record held its values already, so
that nothing was written. The Zoho API has no such status."""


class SkipReason(StrEnum):
    """Why a row was skipped (facts 5.1). The order here is the order inside an ERRORS cell."""

    MANDATORY_NOT_FOUND = "MANDATORY_NOT_FOUND"
    INVALID_DATA = "INVALID_DATA"
    DUPLICATE_DATA = "DUPLICATE_DATA"
    CANNOT_PROCESS = "CANNOT_PROCESS"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by outcome. `total` counts the rows that have an outcome so far."""

    added: int = 0
    updated: int = 0
    """With the `unchanged` ones, as the Zoho API counts them."""
    skipped: int = 0
    unchanged: int = 0
    """Of the updated rows, those whose records held their values already."""

    @property
    def total(self) -> int:
        """added + updated + skipped, as `total_count` is defined (facts 4.1)."""
        return self.added + self.updated + self.skipped

    @property
    def changed(self) -> int:
        """Rows that have changed a record, as the service's own faces count updated ones."""
        return self.updated - self.unchanged

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.added + other.added,
            self.updated + other.updated,
            self.skipped + other.skipped,
            self.unchanged + other.unchanged,
        )
