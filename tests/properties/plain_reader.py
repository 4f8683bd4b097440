"""A reader of CSV for the tests: plain and slow, one character after the other.

It follows the rules of docs/reading-files.md and shares no code with the product. It knows the
encoding and the delimiter.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlainRow:
    """One row, and what its quotes say."""

    cells: list[str]
    edge: bool
    """A quote stands at the edge of a cell and is a character."""

    def fits(self, width: int) -> bool:
        """Whether each cell belongs to its column."""
        if not self.edge:
            return all(cell == "" for cell in self.cells[width:])
        return len(self.cells) == width and not self._encloses()

    def _encloses(self) -> bool:
        for at, first in enumerate(self.cells):
            text = first.strip()
            opens = text.startswith('"') and (len(text) == 1 or not text.endswith('"'))
            if opens and any(c.strip().endswith('"') for c in self.cells[at + 1 :]):
                return True
        return False


def read_plainly(text: str, delimiter: str) -> tuple[list[str], list[PlainRow]]:
    """The header and the rows of a text."""
    text = text.lstrip("\ufeff")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = _lines(text)
    header: list[str] | None = None
    rows: list[PlainRow] = []
    at = 0
    while at < len(lines):
        found = _record(lines, at, delimiter)
        if found is None:
            alone = _record(lines[at : at + 1], 0, delimiter)
            row = alone[0] if alone else PlainRow(_bare(lines[at]).split(delimiter), edge=True)
            after = at + 1
        else:
            row, after = found
        if any(_bare(line) for line in lines[at:after]):
            if header is None:
                header = row.cells
                # A Ctrl-Z at the end of the data is no data.
                lines = lines[:after] + _lines("".join(lines[after:]).rstrip("\x1a"))
            else:
                rows.append(row)
        at = after
    return header or [], rows


def _lines(text: str) -> list[str]:
    """The lines with their ends: LF, CRLF or CR."""
    lines, line = [], ""
    for at, sign in enumerate(text):
        line += sign
        if sign == "\n" or (sign == "\r" and text[at + 1 : at + 2] != "\n"):
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _record(lines: list[str], at: int, delimiter: str) -> tuple[PlainRow, int] | None:
    """The record that begins with a line, and the number of the next; None if it is damaged."""
    cells: list[str] = []
    cell, quoted, closed, bare_cell, edge = "", False, False, "", False
    for number in range(at, len(lines)):
        line = lines[number]
        place = 0
        while place < len(line):
            sign = line[place]
            if quoted:
                if sign == '"' and line[place + 1 : place + 2] == '"':
                    cell += '"'
                    place += 1
                elif sign == '"':
                    quoted, closed = False, True
                else:
                    cell += sign
            elif sign in "\r\n" or sign == delimiter:
                edge = edge or bare_cell.startswith('"') or bare_cell.endswith('"')
                cells.append(cell)
                cell, closed, bare_cell = "", False, ""
                if sign != delimiter:
                    return PlainRow(cells, edge), number + 1
            elif closed:
                return None
            elif sign == '"' and not cell:
                quoted = True
            else:
                cell += sign
                bare_cell += sign
            place += 1
        if not quoted:
            edge = edge or bare_cell.startswith('"') or bare_cell.endswith('"')
            return PlainRow([*cells, cell], edge), number + 1
    return None
