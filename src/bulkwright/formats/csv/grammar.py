"""What a CSV record is, where it ends, and what its quotes mean.

One grammar, that of RFC 4180:
- A quote opens a quoted cell only where the cell begins. Anywhere else it is an ordinary character.
- Inside a quoted cell, a doubled quote is a quote and a line end is text. The quote that closes the
  cell stands before a delimiter, a line end or the end of the text.
- LF, CRLF and a lone CR end a record outside of quoted cells. A blank line is not a record.

A record is damaged if text follows a closing quote, or if it has not ended after
`limits.RECORD_BYTES` or at the end of the text. Its first line is then a record alone, and reading
continues with the next line. If the quotes of a line alone do not follow the grammar, they are
ordinary characters. So no quote takes other lines into its cell, and no character is lost.

Everything here is exact and slow. `records.py` finds the same ends fast where it can.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

# The csv module's limit of a cell, for the whole process. Our limit of a record is RECORD_BYTES.
csv.field_size_limit(2**31 - 1)


class Quoting(Enum):
    """What the quotes of a record say about its cells."""

    GOOD = "good"
    """All quotes stand where RFC 4180 wants them."""
    INNER = "inner"
    """Others stand between other characters of an unquoted cell: `5" disk`."""
    STRAY = "stray"
    """Others stand at the edge of a cell, and are read as characters. The cells are right if the
    row has all its columns."""
    BROKEN = "broken"
    """Two such quotes enclose a delimiter, so that the cells may be wrong."""


class TextRow(NamedTuple):
    """The cells of one record, and how sure they are."""

    cells: list[str]
    quoting: Quoting

    def fits(self, width: int) -> bool:
        """Returns whether each cell belongs to its column in a table of `width` columns.

        Missing cells are empty, and so may be those behind the last column. A row with stray quotes
        must have exactly `width` cells, because a part of a damaged record may have fewer.
        """
        if self.quoting in (Quoting.GOOD, Quoting.INNER):
            return not any(self.cells[width:])
        return self.quoting is Quoting.STRAY and len(self.cells) == width


def parse_slowly(data: bytes, delimiter: str) -> Iterator[TextRow]:
    """Returns every record, by the grammar above; blank lines are left out.

    `data` are whole records in UTF-8. No content of them raises an error.
    """
    return (row for _, _, row in located_rows(data.decode(), delimiter))


def located_rows(text: str, delimiter: str) -> Iterator[tuple[int, int, TextRow]]:
    """Yields every record of `parse_slowly`, with where it begins and ends in the text."""
    for start, end, cells in _records(text, delimiter):
        yield start, end, TextRow(cells, _quoting(cells, text[start:end], delimiter))


def cell_counts(data: bytes, delimiter: str) -> Iterator[int]:
    """Yields the number of cells of every record that `parse_slowly` yields."""
    return (len(cells) for _, _, cells in _records(data.decode(), delimiter))


def whole_records_end(data: bytes, delimiter: str) -> int:
    """Returns where the last record ends that ends in `data`; 0 if none does."""
    last = 0
    for _, end, _ in _ended_records(_byte_lines(data[: last_line_end(data)]), delimiter):
        last = end
    return last


def first_record_end(text: bytes, delimiter: str) -> int:
    """Returns where the first record ends, blank lines before it included.

    `text` is taken for the whole text: if the record does not end, its first line is a record.
    """
    lines = _byte_lines(text)
    for _, end, cells in _ended_records(lines, delimiter):
        if cells:
            return end
    return _line_alone(lines, delimiter)[1] if lines.end < len(text) else len(text)


def unclosed_record_end(text: bytes) -> int:
    """Returns where the lines end into which a record that does not end is split.

    `text` begins with the record. Returns 0 if there is no line end in `text`: then the line itself
    is too long.
    """
    end = text.rfind(b"\n") + 1
    # A lone CR ends a line too; at the very end it may be half of a CRLF.
    return end or text[:-1].rfind(b"\r") + 1


def last_line_end(data: bytes) -> int:
    """Returns where the last line ends; a final CR does not count, it may be half of a CRLF."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


class _Lines:
    """The lines of a text with their ends, and where the last one was."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text, newline="")
        self.start = self.end = 0
        self.exhausted = False

    def seek(self, position: int) -> None:
        """Continue with the line at a position."""
        self._text.seek(position)
        self.start = self.end = position
        self.exhausted = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline()
        if not line:
            self.exhausted = True
            raise StopIteration
        self.start, self.end = self.end, self.end + len(line)
        return line


def _records(text: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yields where each record begins and ends, and its cells; blank lines are left out."""
    lines = _Lines(text)
    for start, end, cells in _ended_records(lines, delimiter):
        if cells:
            yield start, end, cells
    # Only a record that does not end is left.
    while lines.end < len(text):
        start, end, cells = _line_alone(lines, delimiter)
        if cells:
            yield start, end, cells


def _ended_records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yields where each record begins and ends, and its cells; nothing of one that does not end.

    After the last one, `lines` stand where it ends.
    """
    end = 0
    while True:
        try:
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                yield end, lines.end, cells
                end = lines.end
            return
        except csv.Error:
            if lines.exhausted:
                lines.seek(end)
                return
        # Text follows a closing quote in the last line that was read. From each line before it, the
        # same place would be reached. They are passed at once, so that reading stays linear.
        stop = lines.start if lines.start > end else lines.end
        lines.seek(end)
        while lines.end < stop:
            yield _line_alone(lines, delimiter)
        end = stop


def _line_alone(lines: _Lines, delimiter: str) -> tuple[int, int, list[str]]:
    """The next line as a record; quotes that do not follow the grammar are characters."""
    line = next(lines)
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        cells = next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE))
    return lines.start, lines.end, cells


def _quoting(cells: list[str], record: str, delimiter: str) -> Quoting:
    if '"' not in record:
        return Quoting.GOOD
    quoted_cell, at_an_edge = _patterns(delimiter)
    rest = quoted_cell.sub("", record)
    if '"' not in rest:
        return Quoting.GOOD
    if not at_an_edge.search(rest):
        return Quoting.INNER
    return Quoting.BROKEN if _enclose_a_delimiter(cells) else Quoting.STRAY


@lru_cache(maxsize=16)
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a quoted cell of RFC 4180, and of a quote at the edge of another cell.

    The memory that they take does not grow with the number of cells.
    """
    sign = re.escape(delimiter)
    begins, ends = rf"(?:(?<={sign})|\A)", rf"(?={sign}|\r|\n|\Z)"
    return (
        re.compile(rf'{begins}"(?:[^"]++|"")*+"{ends}'),
        re.compile(rf'{begins}"|"{ends}'),
    )


def _enclose_a_delimiter(cells: list[str]) -> bool:
    """Whether a cell begins with a quote and a later one ends with the quote that closes it."""
    opened = False
    for cell in cells:
        if '"' not in cell:
            continue
        cell = cell.strip()
        if opened and cell.endswith('"'):
            return True
        opened = opened or (cell.startswith('"') and (cell == '"' or not cell.endswith('"')))
    return False


def _byte_lines(data: bytes) -> _Lines:
    """The lines of a text in which positions are those of the bytes."""
    return _Lines(data.decode("latin-1"))
