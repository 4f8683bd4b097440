"""Whole records at the beginning of a text, found fast.

A line end outside of quotes has an even number of quotes before it. This finds the record ends if
the quoting is well-formed, which is checked. Otherwise `grammar.py` finds them, so that both always
agree on what a record is.

NumPy is imported by the first CSV that is read, not by the server's start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from bulkwright.domain import limits
from bulkwright.formats.csv.grammar import cell_counts, last_line_end, whole_records_end

PIECE_BYTES = 256 * 1024
"""Text that is examined at a time: its copies stay in the processor's cache."""

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Positions = NDArray[np.intp]

_LF, _CR, _QUOTE = b'\n\r"'
_BLANK_LINE = re.compile(rb"\n[\r\n]")


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive whole records that are parsed in the same way."""

    data: bytes
    """The records, ending with LF. Where no quote is near, blank lines are removed and lone CRs are
    replaced by LFs."""
    well_formed: bool
    """Quotes are where RFC 4180 wants them, every record ends with LF, and no line is blank: every
    parser reads it alike. Otherwise only `parse_slowly` reads it right."""

    def count(self, delimiter: str) -> int:
        """Returns the number of records, that of `parse_slowly`; fast if they are well-formed."""
        if self.well_formed:
            return _count_well_formed(self.data)
        return sum(1 for _ in cell_counts(self.data, delimiter))


@dataclass(frozen=True, slots=True)
class WholeRecords:
    """The whole records at the beginning of a text."""

    end: int
    """Where the last of them ends; 0 if not even one ends."""
    segments: tuple[Segment, ...]
    """The records, cut where `well_formed` changes."""


def find_whole_records(text: bytes, limit: int, delimiter: str) -> WholeRecords:
    """Find the whole records within the first `limit` bytes of `text`.

    The result depends on nothing but these bytes. It ends before the first record that does not
    end there or is longer than RECORD_BYTES. The last line of a file must end with LF.
    """
    end = 0
    parts: list[tuple[bool, bytes]] = []
    size = PIECE_BYTES
    while end < limit:
        stop = min(end + size, limit)
        found = _well_formed_records(text, end, stop, delimiter)
        well_formed = found is not None
        length, data = found or _any_records(text[end:stop], delimiter)
        if length:
            parts.append((well_formed, data))
            end += length
            size = PIECE_BYTES
        elif stop < limit and size < limits.RECORD_BYTES:
            size = min(4 * size, limits.RECORD_BYTES)
        else:
            break
    return WholeRecords(end, tuple(_segments(parts)))


def _segments(parts: list[tuple[bool, bytes]]) -> Iterator[Segment]:
    for well_formed, group in groupby(parts, key=itemgetter(0)):
        data = b"".join(data for _, data in group)
        if data:
            yield Segment(data[:-1] + b"\n" if data.endswith(b"\r") else data, well_formed)


def _count_well_formed(data: bytes) -> int:
    import numpy as np

    text = np.frombuffer(data, np.uint8)
    return len(_record_ends(np.flatnonzero(text == _LF), np.flatnonzero(text == _QUOTE)))


def _any_records(piece: bytes, delimiter: str) -> tuple[int, bytes]:
    """Returns the length and the text of a piece's whole records, found by the csv module."""
    end = whole_records_end(piece, delimiter)
    return end, piece[:end]


def _well_formed_records(
    text: bytes, start: int, stop: int, delimiter: str
) -> tuple[int, bytes] | None:
    """Returns the length and the text of a piece's whole records; None if only csv can find them.

    Quotes open and close in turn. Quoting is well-formed if each opening quote stands behind a
    delimiter, a line end or a closing quote (the two are a doubled quote), and each closing one
    before such.
    """
    import numpy as np

    piece = np.frombuffer(text, np.uint8, stop - start, start)
    quotes = np.flatnonzero(piece == _QUOTE)
    if not quotes.size:
        data = text[start:stop]
        data = data[: last_line_end(data)]
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
    if not (opens.all() and closes.all()) or _has_unquoted_lone_cr(piece[:end], quotes):
        return None
    lengths = np.diff(ends, prepend=-1)
    blank = (lengths == 1) | ((lengths == 2) & (piece[ends - 1] == _CR))
    kept = len(ends) - int(blank.sum())
    if not kept or blank[:kept].any():
        return None
    return end, text[start : start + int(ends[kept - 1]) + 1]


def _record_ends(line_ends: Positions, quotes: Positions) -> Positions:
    """Returns the line ends outside of quotes: those that an even number of quotes precedes."""
    import numpy as np

    return line_ends[np.searchsorted(quotes, line_ends) % 2 == 0] if quotes.size else line_ends


def _has_unquoted_lone_cr(piece: NDArray[np.uint8], quotes: Positions) -> bool:
    """Whether a CR outside of quotes is not followed by LF; the piece ends with LF."""
    import numpy as np

    returns = np.flatnonzero(piece == _CR)
    lone = returns[piece[returns + 1] != _LF]
    return bool((np.searchsorted(quotes, lone) % 2 == 0).any())


def _without_blank_lines(data: bytes) -> bytes:
    """The data of a piece without quotes, its lone CRs replaced by LFs, its blank lines removed."""
    if _has_lone_cr(data):
        data = data.replace(b"\r", b"\n")  # what was CRLF now ends with a blank line
    if _has_blank_line(data):
        data = re.sub(rb"\n[\r\n]+", b"\n", data).lstrip(b"\r\n")
    return data


def _has_lone_cr(data: bytes) -> bool:
    return b"\r" in data and data.count(b"\r") != data.count(b"\r\n")


def _has_blank_line(data: bytes) -> bool:
    return data.startswith((b"\n", b"\r")) or _BLANK_LINE.search(data) is not None
