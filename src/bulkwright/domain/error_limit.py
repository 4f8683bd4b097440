"""How many rows a job may skip before it ends.

The rule is judged in the transaction of each chunk, on all rows that the job has done then, and
once more when all rows are done:

- a number: the job stops when more rows than that are skipped;
- a percentage: it stops when more than that share of the rows is skipped. A share of few rows means
  nothing, so it is not judged before PERCENT_LEAST_ROWS rows or the end of the file.

What is stored stays. Rows that were not reached are UNPROCESSED, and the job is FAILED with the
code TOO_MANY_ERRORS. Because the last chunk is judged too, the size of chunks does not decide
whether the number is passed.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.limits import PERCENT_LEAST_ROWS
from bulkwright.domain.outcome import Counts


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """The skipped rows that a job may have; one of the two is given."""

    rows: int | None = None
    percent: float | None = None

    def is_passed(self, done: Counts, *, ended: bool = False) -> bool:
        """Returns whether a job with these rows stops; `ended` if no row is left."""
        if self.rows is not None:
            return done.skipped > self.rows
        assert self.percent is not None
        if done.total < PERCENT_LEAST_ROWS and not ended:
            return False
        return done.skipped * 100 > self.percent * done.total

    def __str__(self) -> str:
        return f"{self.rows:,}" if self.rows is not None else f"{self.percent:g}%"
