"""Which rows of a chunk have changed nothing, because their records held the values already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnchangedRows:
    """The unchanged rows of a chunk, or of one part of it."""

    chunk: int
    first_row: int
    """Number of the first row of the chunk in its file, from 0."""
    runs: str
    """Lengths of runs of rows of the chunk, separated by commas: of rows that are not unchanged, of
    rows that are, of rows that are not ..."""
    part: int = 0

    def ranges(self) -> Iterator[range]:
        """Yields the numbers of these rows in the file, as ranges in order."""
        at = self.first_row
        for number, length in enumerate(map(int, self.runs.split(","))):
            if number % 2:
                yield range(at, at + length)
            at += length
