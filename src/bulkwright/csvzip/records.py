"""Where CSV records end, and what their cells are.

One grammar, that of Python's csv module, read leniently:
- a quote opens a quoted cell only where the cell begins; anywhere else it is an ordinary character;
- inside, a doubled quote is a quote, a line end is text, and after the closing quote the rest of
  the cell is text as it stands;
- LF, CRLF and a lone CR end a record outside of quoted cells; a blank line is no record;
- a record that has not ended after `limits.RECORD_BYTES`, or at the end of the text, has lost a
  closing quote: from its first line on quotes are ordinary characters and every line is a record,
  up to the last line end within RECORD_BYTES. No row vanishes into an open quote.

`measure` finds record ends at the speed of bytes.count where quoting is sound, proves that it is,
and asks the csv module where it is not, so both always agree on what a record is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bulkwright.domain import limits

PIECE_BYTES = 256 * 1024
"""Text looked at in one go: what is copied on the way stays in the processor's cache."""

_BLANK_LINE = re.compile(rb"\n[\r\n]")

# A safeguard of the csv module against endless cells; ours is RECORD_BYTES, in `measure`.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Measured:
    """The whole records at the beginning of a text."""

    end: int
    """Where the last of them ends; 0 when not even one ends as it should."""
    data: bytes
    """The records, ending with LF; near no quote, blank lines are gone and lone CRs are LFs."""
    sound: bool
    """Quotes are where RFC 4180 wants them, every record ends with LF, no line is blank."""


def parse_slowly(data: bytes, delimiter: str) -> Iterator[list[str]]:
    """The cells of every record, by the grammar above; blank lines are left out.

    `data` are whole records in UTF-8. Raises nothing for what they hold.
    """
    text = io.StringIO(data.decode(), newline="")
    closed = 0
    for end, row in _closed_rows(text, delimiter):
        closed = end
        if row:
            yield row
    text.seek(closed)
    # Something is left only behind a quote that nobody closed.
    yield from filter(None, csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE))


def measure(text: bytes, limit: int, delimiter: str) -> Measured:
    """Find the whole records within the first `limit` bytes of `text`.

    The result depends on nothing but these bytes. It ends before the first record that does not
    end there or is longer than RECORD_BYTES. The last line of a file must have got its LF.
    """
    end = 0
    parts: list[bytes] = []
    sound = True
    size = PIECE_BYTES
    while end < limit:
        stop = min(end + size, limit)
        piece = _sound_piece(text, end, stop, delimiter)
        sure = piece is not None
        taken, data = piece or _exact_piece(text[end:stop], delimiter)
        if taken:
            parts.append(data)
            end += taken
            sound = sound and sure
            size = PIECE_BYTES
        elif stop < limit and size < limits.RECORD_BYTES:
            size = min(4 * size, limits.RECORD_BYTES)
        else:
            break
    data = b"".join(parts)
    return Measured(end, data[:-1] + b"\n" if data.endswith(b"\r") else data, sound)


def count_sound(data: bytes, delimiter: str) -> int:
    """How many records sound data hold."""
    outside = _outside_of_quotes(data, delimiter) if b'"' in data else data
    return outside.count(b"\n") if outside else 0


def first_record_end(text: bytes, delimiter: str) -> int:
    """Where the first record ends, blank lines before it included, if `text` is all there is."""
    buffer = io.StringIO(text.decode("latin-1"), newline="")
    before = 0
    for end, row in _closed_rows(buffer, delimiter):
        if row:
            return end
        before = end
    buffer.seek(before)
    return before + len(buffer.readline())


def abandoned(text: bytes) -> int:
    """Where the lines end that a never-ending record at the beginning of `text` falls into.

    0 when there is no line end in `text`: then the line itself is too long.
    """
    end = text.rfind(b"\n") + 1
    # A lone CR ends a line too; at the very end it may be half of a CRLF.
    return end or text.rfind(b"\r", 0, len(text) - 1) + 1


def _closed_rows(text: io.StringIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every record that ends, with the place where it ends. One with an open quote does not."""
    exhausted = False

    def lines() -> Iterator[str]:
        nonlocal exhausted
        yield from text
        exhausted = True
        yield "end"

    for row in csv.reader(lines(), delimiter=delimiter):
        if exhausted:
            return
        yield text.tell(), row


def _exact_piece(piece: bytes, delimiter: str) -> tuple[int, bytes]:
    """The length and the text of a piece's whole records, as the csv module sees them.

    One byte is read as one character, so that places in the one are places in the other.
    """
    whole = _last_line_end(piece)
    end = 0
    buffer = io.StringIO(piece[:whole].decode("latin-1"), newline="")
    for place, _ in _closed_rows(buffer, delimiter):
        end = place
    return end, piece[:end]


def _sound_piece(text: bytes, start: int, stop: int, delimiter: str) -> tuple[int, bytes] | None:
    """The length and the text of a piece's whole records; None where csv must be asked."""
    data = text[start:stop]
    data = data[: _last_line_end(data)]
    end = start + len(data)
    if b'"' not in data:
        return end - start, _without_blank_lines(data)
    outside = _outside_of_quotes(data, delimiter)
    if outside is None:
        data = data[: _even_line_end(data)]
        end = start + len(data)
        outside = _outside_of_quotes(data, delimiter)
    if not outside or not data.endswith(b"\n"):
        return None
    if outside.endswith((b"\n\n", b"\n\r\n")):
        data = data.rstrip(b"\r\n") + b"\n"
        outside = outside.rstrip(b"\r\n") + b"\n"
    cells = outside.count(b'"')
    mark = delimiter.encode()
    opened = outside.count(mark + b'"') + outside.count(b'\n"') + outside.startswith(b'"')
    closed = outside.count(b'"' + mark) + outside.count(b'"\n') + outside.count(b'"\r\n')
    if not opened == closed == cells or _has_blank_line(outside) or _has_lone_cr(outside):
        return None
    return end - start, data


def _last_line_end(piece: bytes) -> int:
    """Where the last line ends; a CR as the last byte does not count, it may be half of a CRLF."""
    return max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, len(piece) - 1)) + 1


def _even_line_end(data: bytes) -> int:
    """The end of the last line that an even number of quotes precedes; 0 if there is none.

    `data` hold an odd number. Where quoting is sound, that is the end of a record.
    """
    stop = data.rfind(b'"')
    while True:
        # Here an even number of quotes precedes `stop`.
        line_end = data.rfind(b"\n", 0, stop)
        if line_end < 0 or data.count(b'"', line_end, stop) % 2 == 0:
            return line_end + 1
        # Inside a quoted cell: on to the place where that opens.
        stop = data.rfind(b'"', 0, line_end)


def _outside_of_quotes(data: bytes, delimiter: str) -> bytes | None:
    """The text with one quote for every quoted cell, if quotes are paired as they come.

    None when one is left over. Exact for sound quoting. Anything else shows as a quote that does
    not stand between delimiters or line ends, for nothing outside of the pairs is dropped.
    """
    parts: list[bytes] = []
    if b"\1" not in data and b"\2" not in data:
        # Splitting is the slow part, so that most quotes are put out of the way at once: doubled
        # ones where there are some, then the pairs that close one cell and open the next.
        # A pair that opens and closes instead is seen outside.
        doubled = b'""' in data[:4096]
        fewer = data.replace(b'""', b"\2\2") if doubled else data
        parts = fewer.replace(f'"{delimiter}"'.encode(), b"\1\1\1").split(b'"')
    outside = b'"'.join(parts[::2])
    if not outside or b"\1" in outside:
        parts = data.split(b'"')
        outside = b'"'.join(parts[::2])
    if len(parts) % 2 == 0:
        return None
    if b"\2" in outside and b"\2" not in data:
        outside = outside.replace(b"\2\2", b'"')
    while b'""' in outside:
        outside = outside.replace(b'""', b'"')
    return outside


def _without_blank_lines(data: bytes) -> bytes:
    if _has_lone_cr(data):
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if _has_blank_line(data):
        data = re.sub(rb"\n[\r\n]+", b"\n", data).lstrip(b"\r\n")
    return data


def _has_lone_cr(text: bytes) -> bool:
    return b"\r" in text and text.count(b"\r") != text.count(b"\r\n")


def _has_blank_line(text: bytes) -> bool:
    return text.startswith((b"\n", b"\r")) or _BLANK_LINE.search(text) is not None
