"""Writes the lines of a CSV from Python's strings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import IO

from bulkwright.domain.formula import as_text


class CsvWriter:
    """Writes lines of a CSV to a text file, with `\\n` at line ends."""

    def __init__(self, file: IO[str], *, quote_formulas: bool, delimiter: str = ",") -> None:
        """With `quote_formulas`, no cell is a formula (domain/formula.py)."""
        self._plain = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        self._quoting = csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        self._quote_formulas = quote_formulas

    def write(self, cells: Sequence[object]) -> None:
        """Writes one line."""
        if self._quote_formulas:
            cells = [as_text(cell) if isinstance(cell, str) else cell for cell in cells]
        # A lone CR also ends a row, but the writer quotes only its own line terminator.
        has_cr = "\r" in "".join(map(str, cells))
        (self._quoting if has_cr else self._plain).writerow(cells)
