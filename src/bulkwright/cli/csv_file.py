"""The CSVs that commands save for people."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Sequence
from typing import IO, BinaryIO

import bulkwright.formats.csv  # noqa: F401 - it raises the csv module's limit of a cell
from bulkwright.domain.formula import as_text


class CsvWriter:
    """Writes lines of a CSV to a text file: comma separated, `\\n` at line ends."""

    def __init__(self, file: IO[str], *, quote_formulas: bool) -> None:
        """With `quote_formulas`, no cell is a formula (domain/formula.py)."""
        self._plain = csv.writer(file, lineterminator="\n")
        self._quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._quote_formulas = quote_formulas

    def write(self, cells: Sequence[object]) -> None:
        """Writes one line."""
        if self._quote_formulas:
            cells = [as_text(cell) if isinstance(cell, str) else cell for cell in cells]
        # A lone CR also ends a row, but the writer quotes only its own line terminator.
        has_cr = any("\r" in cell for cell in cells if isinstance(cell, str))
        (self._quoting if has_cr else self._plain).writerow(cells)


def copy_result(result: BinaryIO, out: IO[bytes], *, quote_formulas: bool) -> None:
    """Copies a result zip; with `quote_formulas`, no cell of its CSVs is a formula then.

    A result whose formulas are quoted already stays as it is, apart from its compression.
    """
    if not quote_formulas:
        shutil.copyfileobj(result, out)
        return
    with (
        zipfile.ZipFile(result) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            with (
                io.TextIOWrapper(source.open(name), "utf-8", newline="") as lines,
                target.open(name, "w", force_zip64=True) as member,
                io.TextIOWrapper(member, "utf-8", newline="") as written,
            ):
                writer = CsvWriter(written, quote_formulas=True)
                for line in csv.reader(lines):
                    writer.write(line)
