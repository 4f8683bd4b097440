"""What a CSV record is, and where it ends.

One grammar, that of Python's csv module, read leniently:
- A quote opens a quoted cell only where the cell begins. Anywhere else it is an ordinary character.
- Inside a quoted cell, a doubled quote is a quote and a line end is text. After the closing quote
  the rest of the cell is text as it stands.
- LF, CRLF and a lone CR end a record outside of quoted cells. A blank line is not a record.
- A record that has not ended after `limits.RECORD_BYTES`, or at the end of the text, has an
  unclosed quote. From its first line on, quotes are ordinary characters and every line is a record,
  up to the last line end within RECORD_BYTES. No row is lost in an unclosed quote.

Everything here is exact and slow. `records.py` finds the same ends fast where it can.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

# The csv module's limit of a cell, for the whole process. Our limit of a record is RECORD_BYTES.
csv.field_size_limit(2**31 - 1)


def parse_slowly(data: bytes, delimiter: str) -> Iterator[list[str]]:
    """Yields the cells of every record, by the grammar above; blank lines are left out.

    `data` are whole records in UTF-8. No content of them raises an error.
    """
    text = io.StringIO(data.decode(), newline="")
    end = 0
    for record_end, row in _closed_records(text, delimiter):
        end = record_end
        if row:
            yield row
    text.seek(end)
    # Only a record with an unclosed quote is left.
    yield from filter(None, csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE))


def whole_records_end(data: bytes, delimiter: str) -> int:
    """Returns where the last record ends that ends in `data`; 0 if none does."""
    end = 0
    lines = data[: last_line_end(data)]
    for record_end, _ in _closed_records(_one_character_per_byte(lines), delimiter):
        end = record_end
    return end


def first_record_end(text: bytes, delimiter: str) -> int:
    """Returns where the first record ends, blank lines before it included.

    `text` is taken for the whole text: an unclosed quote makes the first line a record.
    """
    characters = _one_character_per_byte(text)
    end = 0
    for record_end, row in _closed_records(characters, delimiter):
        if row:
            return record_end
        end = record_end
    characters.seek(end)
    return end + len(characters.readline())


def unclosed_record_end(text: bytes) -> int:
    """Returns where the lines end into which an unclosed record at the start of `text` is split.

    Returns 0 if there is no line end in `text`: then the line itself is too long.
    """
    end = text.rfind(b"\n") + 1
    # A lone CR ends a line too; at the very end it may be half of a CRLF.
    return end or text.rfind(b"\r", 0, len(text) - 1) + 1


def last_line_end(data: bytes) -> int:
    """Returns where the last line ends; a final CR does not count, it may be half of a CRLF."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


def _closed_records(text: io.StringIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yields every record that ends: where, and its cells. An unclosed record does not end."""
    exhausted = False

    def lines() -> Iterator[str]:
        nonlocal exhausted
        yield from text
        exhausted = True
        yield "end"

    for row in csv.reader(lines(), delimiter=delimiter):
        if exhausted:
            return
        yield text.tell(), row  # codespell:ignore tell


def _one_character_per_byte(data: bytes) -> io.StringIO:
    """The bytes as text in which positions are those of the bytes."""
    return io.StringIO(data.decode("latin-1"), newline="")
