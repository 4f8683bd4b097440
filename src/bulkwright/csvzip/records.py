"""Where CSV records end, and what their cells are.

One grammar, that of Python's csv module, read leniently:
- a quote opens a quoted cell only where the cell begins; anywhere else it is an ordinary character;
- inside, a doubled quote is a quote, a line end is text, and after the closing quote the rest of
  the cell is text as it stands;
- LF, CRLF and a lone CR end a record outside of quoted cells; a blank line is no record;
- a record that has not ended after `limits.RECORD_BYTES`, or at the end of the text, has lost a
  closing quote: from its first line on quotes are ordinary characters and every line is a record,
  up to the last line end within RECORD_BYTES. No row vanishes into an open quote.

`measure` finds record ends by the parity of the quotes before a line end, proves that quoting is
sound, and asks the csv module where it is not, so both always agree on what a record is.

NumPy is imported by the first CSV that is read, not by the server's start.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from bulkwright.domain import limits

PIECE_BYTES = 256 * 1024
"""Text looked at in one go: what is copied on the way stays in the processor's cache."""

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

_LF, _CR, _QUOTE = b'\n\r"'
_BLANK_LINE = re.compile(rb"\n[\r\n]")


def allow_long_cells() -> None:
    """Lift the csv module's own limit of a cell, for the whole process; ours is RECORD_BYTES."""
    csv.field_size_limit(2**31 - 1)


allow_long_cells()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive whole records that are read in one way."""

    data: bytes
    """The records, ending with LF; near no quote, blank lines are gone and lone CRs are LFs."""
    sound: bool
    """Quotes are where RFC 4180 wants them, every record ends with LF, no line is blank: any
    parser reads it alike. Otherwise only `parse_slowly` reads it right."""

    def count(self, delimiter: str) -> int:
        """How many records these are: as many as `parse_slowly` yields, sooner where sound."""
        if self.sound:
            return _count_sound(self.data)
        return sum(1 for _ in parse_slowly(self.data, delimiter))


@dataclass(frozen=True, slots=True)
class Measured:
    """The whole records at the beginning of a text."""

    end: int
    """Where the last of them ends; 0 when not even one ends as it should."""
    stretches: tuple[Stretch, ...]
    """The records, cut where soundness changes."""


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
    parts: list[tuple[bool, bytes]] = []
    size = PIECE_BYTES
    while end < limit:
        stop = min(end + size, limit)
        piece = _sound_piece(text, end, stop, delimiter)
        sure = piece is not None
        taken, data = piece or _exact_piece(text[end:stop], delimiter)
        if taken:
            parts.append((sure, data))
            end += taken
            size = PIECE_BYTES
        elif stop < limit and size < limits.RECORD_BYTES:
            size = min(4 * size, limits.RECORD_BYTES)
        else:
            break
    return Measured(end, tuple(_stretches(parts)))


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


def _stretches(parts: list[tuple[bool, bytes]]) -> Iterator[Stretch]:
    for sound, same in groupby(parts, key=itemgetter(0)):
        data = b"".join(data for _, data in same)
        if data:
            yield Stretch(data[:-1] + b"\n" if data.endswith(b"\r") else data, sound)


def _count_sound(data: bytes) -> int:
    import numpy as np

    text = np.frombuffer(data, np.uint8)
    return len(_record_ends(np.flatnonzero(text == _LF), np.flatnonzero(text == _QUOTE)))


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
    """The length and the text of a piece's whole records; None where csv must be asked.

    Quotes open and close in turn. Quoting is sound where each opening one stands behind a
    delimiter, a line end or a closing quote (the two are a doubled quote), and each closing one
    before such.
    """
    import numpy as np

    piece = np.frombuffer(text, np.uint8, stop - start, start)
    quotes = np.flatnonzero(piece == _QUOTE)
    if not quotes.size:
        data = text[start:stop]
        data = data[: _last_line_end(data)]
        return len(data), _without_blank_lines(data)
    ends = _record_ends(np.flatnonzero(piece == _LF), quotes)
    if not ends.size:
        return None
    end = int(ends[-1]) + 1
    quotes = quotes[: np.searchsorted(quotes, end)]
    opening, closing = quotes[::2], quotes[1::2]
    left, right = piece[np.maximum(opening - 1, 0)], piece[closing + 1]
    opens = (left == ord(delimiter)) | (left == _LF) | (left == _QUOTE) | (opening == 0)
    closes = (right == ord(delimiter)) | (right == _LF) | (right == _QUOTE) | (right == _CR)
    if not (opens.all() and closes.all()) or _has_lone_return(piece[:end], quotes):
        return None
    lengths = np.diff(ends, prepend=-1)
    blank = (lengths == 1) | ((lengths == 2) & (piece[ends - 1] == _CR))
    kept = len(ends) - int(blank.sum())
    if not kept or blank[:kept].any():
        return None
    return end, text[start : start + int(ends[kept - 1]) + 1]


def _record_ends(line_ends: Places, quotes: Places) -> Places:
    """The line ends outside of quotes: those that an even number of quotes precedes."""
    import numpy as np

    return line_ends[np.searchsorted(quotes, line_ends) % 2 == 0] if quotes.size else line_ends


def _has_lone_return(piece: NDArray[np.uint8], quotes: Places) -> bool:
    """Whether a CR outside of quotes is not followed by LF; the piece ends with LF."""
    import numpy as np

    returns = np.flatnonzero(piece == _CR)
    lone = returns[piece[returns + 1] != _LF]
    return bool((np.searchsorted(quotes, lone) % 2 == 0).any())


def _last_line_end(piece: bytes) -> int:
    """Where the last line ends; a CR as the last byte does not count, it may be half of a CRLF."""
    return max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, len(piece) - 1)) + 1


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
