"""Which delimiter a file has: the one under which its header and its first rows agree.

A count of signs in the header does not decide, because a name may hold a delimiter too:
`Start (HH:MM:SS)`. What speaks for a delimiter, the strongest first:

1. The mapped columns exist under it.
2. Its header names known fields.
3. The first rows have as many cells as the header, and their quotes are well-formed.
4. It is not a colon, which stands in times.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import Splitting
from bulkwright.formats.csv.grammar import Quoting, TextRow, first_record_end, parse_slowly

DELIMITERS = ",;\t|:"
"""Those that are read; in a tie of a file without rows the first wins."""
DELIMITER_NAMES = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", ":": "colon",
}  # fmt: skip

_SAMPLE_BYTES = 64 * 1024
"""Text after the header in which rows are examined."""
_SAMPLE_ROWS = 1_000
_LONG_HEADER_CELLS = 500_000
"""Cells that a header may have when its line is longer than a head: each costs memory."""

_TOO_LONG = "The CSV's header line is too long"

_QUOTED = re.compile(rb'"[^"]*+"')
_SEP_LINE = re.compile(rb'"?sep=([^\r\n"])"?[;,\t|: ]*(?:\r\n|\r|\n)', re.IGNORECASE)


def named_delimiter(text: bytes) -> tuple[str, int] | None:
    """Returns the delimiter of a first line `sep=;`, as Excel writes it, and where the line ends.

    Returns None if there is no such line. Raises FileNotSupported if it names another character.
    """
    match = _SEP_LINE.match(text)
    if match is None:
        return None
    sign = match[1].decode("latin-1")
    if sign not in DELIMITERS:
        raise FileNotSupported(
            f"The first line, sep={sign}, names a delimiter that is not read; "
            "use one of , ; | : or a tab"
        )
    return sign, match.end()


def splittings(text: bytes, *, complete: bool, only: str | None = None) -> tuple[Splitting, ...]:
    """Returns what a text looks like under each delimiter, the most likely one first.

    `text` begins with the header; with `complete` it is the whole file. With `only`, no other
    delimiter is examined. Raises FileNotSupported if the header is too long.
    """
    found = []
    for delimiter in only or _candidates(text):
        if len(text) > limits.MiB and text.count(delimiter.encode()) > _LONG_HEADER_CELLS:
            raise FileNotSupported(_TOO_LONG)
        end = header_end(text, delimiter)
        header = next(parse_slowly(text[:end], delimiter))
        found.append(_splitting(header, text[end:][:_SAMPLE_BYTES], delimiter, complete=complete))
    best, *others = sorted(found, key=_rank, reverse=True)
    return (best, *(s for s in others if len(s.header) > 1 or (s.width or 1) > 1))


def header_end(text: bytes, delimiter: str) -> int:
    """Returns where the header ends that `text` begins with.

    Raises FileNotSupported if it is longer than RECORD_BYTES.
    """
    end = first_record_end(text, delimiter)
    if end > limits.RECORD_BYTES:
        raise FileNotSupported(_TOO_LONG)
    return end


def choose(
    found: Sequence[Splitting],
    known: Collection[str] = (),
    columns: Collection[int] = (),
) -> tuple[Splitting, tuple[str, ...]]:
    """Returns the splitting of a file, and the other delimiters that its first rows fit too.

    `known` are names of fields, `columns` the indexes of mapped columns. Raises FileNotSupported if
    two delimiters are equally likely, or if the header has one delimiter and the rows another.
    """
    names = frozenset(known)
    reach = max(columns, default=0)

    def rank(splitting: Splitting) -> _Rank:
        header = splitting.header
        named = sum(name.strip() in names for name in header)
        return (len(header) > reach, named, *_evidence(splitting))

    first, *others = sorted(found, key=lambda s: (*rank(s), *_rank(s)), reverse=True)
    rivals = [s for s in others if s.rows and s.fits]
    for rival in rivals:
        if rank(rival) == rank(first):
            raise FileNotSupported(
                f"The delimiter is in doubt: the header and the first rows fit both a "
                f"{DELIMITER_NAMES[first.delimiter]} and a {DELIMITER_NAMES[rival.delimiter]}. "
                "Give the columns the API names of their fields, or quote the cells that hold "
                "such a sign"
            )
    if first.width == 1 < len(first.header):
        for other in found:
            if other.width == len(first.header):
                raise FileNotSupported(
                    f"The header is separated by a {DELIMITER_NAMES[first.delimiter]}, the rows by "
                    f"a {DELIMITER_NAMES[other.delimiter]}; use one delimiter in the whole file"
                )
    return first, tuple(rival.delimiter for rival in rivals)


_Rank = tuple[float, ...]


def _evidence(splitting: Splitting) -> _Rank:
    """More than one column, well-formed quotes, the share of rows that agree, and no colon."""
    several = len(splitting.header) > 1
    share = splitting.agreeing / splitting.rows if several and splitting.rows else 0.0
    return several, splitting.clean, share, splitting.delimiter != ":" or not splitting.rows


def _rank(splitting: Splitting) -> _Rank:
    """The evidence; without any, the number of cells and the order of DELIMITERS."""
    place = DELIMITERS.index(splitting.delimiter)
    return (*_evidence(splitting), len(splitting.header), -place)


def _candidates(text: bytes) -> str:
    """The delimiters to examine; of a very long header, only the one that it has most of."""
    line = text.partition(b"\n")[0].partition(b"\r")[0]
    if len(line) <= _SAMPLE_BYTES:
        return DELIMITERS
    if len(line) > limits.RECORD_BYTES:
        raise FileNotSupported(_TOO_LONG)
    outside = _QUOTED.sub(b"", line)
    return max(DELIMITERS, key=lambda sign: outside.count(sign.encode()))


def _splitting(header: TextRow, rest: bytes, delimiter: str, *, complete: bool) -> Splitting:
    rows = list(islice(parse_slowly(rest, delimiter), _SAMPLE_ROWS + 1))
    if len(rows) > _SAMPLE_ROWS or not (complete and len(rest) < _SAMPLE_BYTES):
        rows = rows[:-1]  # the last one may be cut
    cells = len(header.cells)
    good = header.quoting is Quoting.GOOD
    agreeing = sum(len(r.cells) == cells and r.quoting is Quoting.GOOD for r in rows) if good else 0
    widths = {len(row.cells) for row in rows}
    width = widths.pop() if len(widths) == 1 else None
    return Splitting(delimiter, tuple(header.cells), len(rows), agreeing, good, width)
