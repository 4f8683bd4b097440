"""The text of one CSV: its format, and its records in blocks.

In:   the bytes of a CSV as they come out of the zip (archive.py).
Out:  blocks of whole records in UTF-8, without the header, cut where they were cut last time:
      a block depends on nothing but the text from its start on, so a run can go on at any block.

What a record is, and how damaged quoting is read, is told in records.py. A record's line that is
longer than `limits.RECORD_BYTES` is cut there; BAD_BYTE stands at the cut and in every cell behind
it, so that the row can be refused, and the rest of the line is dropped. In a file without any LF
at its beginning every CR is read as LF, also inside of quoted cells.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from bulkwright.csvzip.charsets import (
    BAD_BYTE,
    ENCODINGS,
    canonical_encoding,
    detect,
    settle,
    to_utf8,
)
from bulkwright.csvzip.records import (
    Stretch,
    abandoned,
    first_record_end,
    measure,
    parse_slowly,
)
from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported

__all__ = [
    "BAD_BYTE",
    "ENCODINGS",
    "HEAD_BYTES",
    "Block",
    "Format",
    "Inspection",
    "Stretch",
    "blocks",
    "canonical_encoding",
    "inspect",
    "parse_slowly",
    "sniff",
    "take_head",
]

HEAD_BYTES = 1 * limits.MiB
"""What a format is recognised by."""

_LONG_HEADER_CELLS = 500_000
"""Cells that a header may have when its line is longer than HEAD_BYTES: each costs memory."""

_BOM = "\ufeff".encode()
_BAD = BAD_BYTE.encode()
_DELIMITERS = ",;|:"
"""In a tie the first wins; a colon is last, since it also stands in times."""
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip (or a spreadsheet)"),
    (b"\x1f\x8b", "a gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or another Office document"),
)


@dataclass(frozen=True, slots=True)
class Format:
    """How the bytes of one CSV are to be read."""

    encoding: str
    """In the wire's spelling, with its byte order where that matters."""
    delimiter: str
    header: tuple[str, ...]
    """The cells of the first record, verbatim but for a byte order mark."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive whole records."""

    stretches: tuple[Stretch, ...]
    """The records in UTF-8; at least one."""
    start: int
    """Where it begins in the text behind the header, counted in bytes of UTF-8."""
    end: int
    """Where the next one begins. The data may be shorter (blank lines) or longer (a last LF)."""
    has_bad_bytes: bool
    """Some cell holds BAD_BYTE."""
    has_nul: bool
    """Some cell holds U+0000."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What reading a whole CSV once has shown."""

    format: Format
    rows: int | None
    """Records behind the header; more than was asked for is only known to be more."""


def take_head(stream: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, as `sniff` wants them, and the whole stream again.

    HEAD_BYTES, or more where not even the first line ends there; never more than needed to see
    that a first line is longer than RECORD_BYTES.
    """
    pieces = iter(stream)
    taken: list[bytes] = []
    size = 0
    wanted = HEAD_BYTES
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size >= wanted:
            head = b"".join(taken)
            if wanted > HEAD_BYTES or b"\n" in head[:wanted] or b"\r" in head[:wanted]:
                break
            # Four bytes a character, so that the text is too long in any encoding.
            wanted = 4 * limits.RECORD_BYTES + 4
            taken = [head]
    return b"".join(taken)[:wanted], chain(taken, pieces)


def sniff(head: bytes, declared: str | None) -> Format:
    """Recognise encoding, delimiter and header by a CSV's first bytes (see `take_head`).

    A declared encoding is taken at its word. Raises InvalidData when it is not a known one,
    FileNotSupported when there is no header, or what is there is no text.
    """
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic):
            raise FileNotSupported(f"The CSV is no text file but {what}")
    encoding = settle(canonical_encoding(declared), head) if declared else detect(head[:HEAD_BYTES])
    text = _read_head(head, encoding).text
    if not text.strip(b"\r\n"):
        raise FileNotSupported("The CSV is empty; it needs a header line")
    delimiter = _delimiter(text)
    if len(head) > HEAD_BYTES and text.count(delimiter.encode()) > _LONG_HEADER_CELLS:
        raise FileNotSupported("The CSV's header line is too long")
    record = text[: _header_end(text, delimiter)]
    if b"\0" in record:
        raise FileNotSupported("The CSV is no text file")
    header = next(parse_slowly(record, delimiter), None)
    if header is None:
        raise FileNotSupported("The CSV has no header line")
    return Format(encoding, delimiter, tuple(header))


def blocks(
    stream: Iterable[bytes],
    fmt: Format,
    *,
    target: int = limits.CHUNK_TEXT_BYTES,
    start: int = 0,
) -> Iterator[Block]:
    """Cut a CSV into blocks of at most `target` bytes; more only where not one record ends there.

    `stream` is the whole file. With `start`, the `end` of an earlier block, exactly those blocks
    follow that followed then. Memory: a few times `target` and RECORD_BYTES, whatever the text.
    Raises FileNotSupported when the header is longer than RECORD_BYTES, and what `stream` raises.
    """
    head, whole = take_head(stream)
    encoding = settle(fmt.encoding, head)
    first = _read_head(head, encoding)
    pieces = to_utf8(whole, encoding)
    if first.only_cr:
        pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
    ahead = _Ahead(pieces)
    ahead.skip(first.mark_bytes + _header_end(first.text, fmt.delimiter))
    ahead.skip(start)
    size = target
    while True:
        text, final = ahead.look(size)
        if not text:
            return
        limit = min(size, len(text))
        if final and not text.endswith(b"\n"):
            text += b"\n"
            limit += 1
        found = measure(text, limit, fmt.delimiter)
        end, stretches = min(found.end, limit), found.stretches
        if not end:
            if not final and size < limits.RECORD_BYTES:
                size = min(2 * size, limits.RECORD_BYTES)
                continue
            text = text[: min(limit, limits.RECORD_BYTES)]
            end = abandoned(text)
            data = text[: end - 1] + b"\n" if end else _cut_line(text, fmt)
            stretches = (Stretch(data, sound=False),)
        del text, found
        moved = ahead.skip(end) if end else ahead.skip_line()
        if stretches:
            marked = any(not s.data.isascii() and _BAD in s.data for s in stretches)
            nul = any(b"\0" in s.data for s in stretches)
            yield Block(stretches, start, start + moved, marked, nul)
        start += moved
        size = target


def inspect(stream: Iterable[bytes], declared: str | None, max_rows: int | None) -> Inspection:
    """Read a whole CSV once: its format, and its rows if `max_rows` is given.

    Counting stops somewhere above `max_rows`; reading goes on to the end, since only then the
    stream has checked itself. Raises as `sniff`, `blocks` and the stream do.
    """
    head, whole = take_head(stream)
    fmt = sniff(head, declared)
    rows: int | None = None
    if max_rows is not None:
        rows = 0
        for block in blocks(whole, fmt, target=limits.MiB):
            rows += sum(stretch.count(fmt.delimiter) for stretch in block.stretches)
            if rows > max_rows:
                break
    for _ in whole:
        pass
    return Inspection(fmt, rows)


class _Ahead:
    """Text that can be looked at before it is taken."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._text = b""
        self._ended = False

    def look(self, size: int) -> tuple[bytes, bool]:
        """At least the next `size` bytes, or all there are; whether `size` reaches the end."""
        if len(self._text) <= size and not self._ended:
            taken, length = [self._text], len(self._text)
            self._text = b""
            while length <= size and (piece := next(self._pieces, None)) is not None:
                taken.append(piece)
                length += len(piece)
            self._ended = length <= size
            self._text = b"".join(taken)
        return self._text, len(self._text) <= size

    def skip(self, size: int) -> int:
        """Drop the next `size` bytes; how many there were."""
        left = size
        while left:
            if not self._text:
                piece = next(self._pieces, None)
                if piece is None:
                    self._ended = True
                    break
                self._text = piece
            dropped = min(left, len(self._text))
            self._text = self._text[dropped:]
            left -= dropped
        return size - left

    def skip_line(self) -> int:
        """Drop what is left of a line, its end included; how many bytes that were."""
        skipped = 0
        while True:
            text, final = self.look(HEAD_BYTES)
            ends = [at for at in (text.find(b"\n"), text.find(b"\r")) if at >= 0]
            if ends:
                end = min(ends) + 1
                # Two bytes of one line end; `look` sees past HEAD_BYTES, so both are in sight
                # unless the text is longer: then the LF left over is a blank line.
                end += text[end - 1 : end + 1] == b"\r\n"
                return skipped + self.skip(end)
            skipped += self.skip(len(text))
            if final:
                return skipped


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a file as UTF-8, without its byte order marks."""

    text: bytes
    mark_bytes: int
    only_cr: bool
    """Lines end with CR alone; in `text` they already end with LF."""


def _read_head(head: bytes, encoding: str) -> _Head:
    text = _beginning(head, encoding)
    mark = 0
    while text.startswith(_BOM, mark):
        mark += len(_BOM)
    only_cr = b"\r" in text and b"\n" not in text
    text = text[mark:]
    return _Head(text.replace(b"\r", b"\n") if only_cr else text, mark, only_cr)


def _beginning(head: bytes, encoding: str) -> bytes:
    """The head as UTF-8; of a long one no more than shows that its first line is too long."""
    slices = (head[at : at + HEAD_BYTES] for at in range(0, len(head), HEAD_BYTES))
    taken: list[bytes] = []
    size = 0
    for piece in to_utf8(slices, encoding, whole=False):
        taken.append(piece)
        size += len(piece)
        if size > limits.RECORD_BYTES + HEAD_BYTES:
            break
    return b"".join(taken)


def _header_end(text: bytes, delimiter: str) -> int:
    end = first_record_end(text, delimiter)
    if end > limits.RECORD_BYTES:
        raise FileNotSupported("The CSV's header line is too long")
    return end


_LOOK_BYTES = 256 * 1024
_FIRST_LINE = re.compile(rb'(?:[^"\r\n]++|"[^"]*+")*+(?=[\r\n]|\Z)')


def _delimiter(text: bytes) -> str:
    """What the header has most of, outside of quotes; a comma where it has none."""
    text = text.lstrip(b"\r\n")
    # Without a match a quote stays open; then the first line is the header as it stands.
    match = _FIRST_LINE.match(text)
    line = match[0] if match else re.split(rb"[\r\n]", text, maxsplit=1)[0]
    counts = dict.fromkeys(_DELIMITERS, 0)
    inside = False
    for at in range(0, len(line), _LOOK_BYTES):
        # Piece by piece: a line of nothing but quotes falls into as many parts as it has bytes.
        parts = line[at : at + _LOOK_BYTES].split(b'"')
        outside = b"".join(parts[inside::2])
        for delimiter in _DELIMITERS:
            counts[delimiter] += outside.count(delimiter.encode())
        inside ^= len(parts) % 2 == 0
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _cut_line(text: bytes, fmt: Format) -> bytes:
    """A record made of the beginning of a line that is too long."""
    # Without half a CRLF, and not within a character: its bytes behind the first are 0b10......
    text = text.rstrip(b"\r")
    while text[-1] & 0xC0 == 0x80:
        text = text[:-1]
    text = text[:-1] + _BAD
    if not measure(text + b"\n", len(text) + 1, fmt.delimiter).end:
        text += b'"'
    cells = len(next(csv.reader([text.decode()], delimiter=fmt.delimiter)))
    return text + (fmt.delimiter.encode() + _BAD) * (len(fmt.header) - cells) + b"\n"
