"""What a resource's rows are written to, as the chunk loop sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.match import Matched


@dataclass(frozen=True, slots=True)
class Decided:
    """One chunk whose outcomes and record ids are final."""

    matched: Matched
    ids: pl.Series
    """The record of each row; null where the row was skipped."""


class Target(Protocol):
    """The table of one resource's module. Each method runs inside the chunk's transaction."""

    def lock(self, conformed: Conformed) -> None:
        """Lock what the rows may match: no other transaction can write it until this one ends."""
        ...

    def decide(self, conformed: Conformed) -> Decided:
        """Match the rows and decide their outcomes and record ids.

        After this call the result lines can be made, while `write` runs.
        """
        ...

    def write(self, decided: Decided) -> pl.Series | None:
        """Write what `decide` did not write.

        Return a mask of the rows whose records held their values already, None if there are none.
        Raises SomeUnchanged if the transaction must be rolled back and the chunk written again.
        """
        ...
