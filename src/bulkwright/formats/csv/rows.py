"""A CSV row by row: the cells of each row, its text, and the line in which it begins.

Rows are those of the blocks that a job reads. This is for reports about single rows: it holds few
rows at a time, and costs Python's time for each of them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bulkwright.formats.csv.blocks import Block, blocks, text_before_rows
from bulkwright.formats.csv.dialect import Dialect
from bulkwright.formats.csv.grammar import Quoting, TextRow, located_rows
from bulkwright.formats.stream import ByteStream

_BLOCK_BYTES = 64 * 1024


class FileRow(NamedTuple):
    """One row as it stands in the file."""

    line: int
    """The line of the file in which it begins; the first line is 1."""
    cells: list[str]
    quoting: Quoting
    text: str
    """With its line end."""

    def fits(self, width: int) -> bool:
        """Returns what `TextRow.fits` returns."""
        return TextRow(self.cells, self.quoting).fits(width)


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Consecutive rows of a file."""

    line: int
    """The line of the file in which the text begins."""
    text: str
    block: Block
    delimiter: str

    @property
    def count(self) -> int:
        """How many rows these are; fast if they are well-formed."""
        return sum(segment.count(self.delimiter) for segment in self.block.segments)

    def __iter__(self) -> Iterator[FileRow]:
        """Yields the rows; blank lines between them are left out."""
        well_formed = all(segment.well_formed for segment in self.block.segments)
        return self._rows_of_lines() if well_formed else self._rows_by_grammar()

    def _rows_of_lines(self) -> Iterator[FileRow]:
        lines = list(io.StringIO(self.text, newline=""))
        reader = csv.reader(lines, delimiter=self.delimiter)
        begun = 0
        for cells in reader:
            ended = reader.line_num
            if cells:
                yield FileRow(self.line + begun, cells, Quoting.GOOD, "".join(lines[begun:ended]))
            begun = ended

    def _rows_by_grammar(self) -> Iterator[FileRow]:
        line, counted = self.line, 0
        for start, end, row in located_rows(self.text, self.delimiter):
            line += _line_ends(self.text[counted:start])
            counted = start
            yield FileRow(line, *row, self.text[start:end])


def row_blocks(
    file: ByteStream, dialect: Dialect, *, target: int = _BLOCK_BYTES
) -> Iterator[RowBlock]:
    """Yields all rows of a file, about `target` bytes at a time. Raises what `blocks` raises."""
    line = 1 + _line_ends(text_before_rows(file, dialect))
    for block in blocks(file, dialect, target=target, with_text=True):
        text = block.text.decode()
        yield RowBlock(line, text, block, dialect.delimiter)
        line += _line_ends(text)


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
