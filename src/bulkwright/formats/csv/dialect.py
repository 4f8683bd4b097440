"""Encoding, delimiter and header of a CSV, by its first bytes.

In a file without any LF at its beginning every CR is read as LF, also inside of quoted cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.formats.csv.charset import (
    canonical_encoding,
    detect,
    resolve_byte_order,
    to_utf8,
)
from bulkwright.formats.csv.grammar import first_record_end, parse_slowly
from bulkwright.formats.stream import ByteStream

HEAD_BYTES = 1 * limits.MiB
"""The first bytes of a file, by which its dialect is recognised."""

_LONG_HEADER_CELLS = 500_000
"""Cells that a header may have when its line is longer than HEAD_BYTES: each costs memory."""
_COUNTED_BYTES = 256 * 1024
"""Bytes of a header in which delimiters are counted at a time."""

_BOM = "\ufeff".encode()
_DELIMITERS = ",;|:"
"""In a tie the first wins; a colon is last, since it also stands in times."""
_FIRST_LINE = re.compile(rb'(?:[^"\r\n]++|"[^"]*+")*+(?=[\r\n]|\Z)')
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip (or a spreadsheet)"),
    (b"\x1f\x8b", "a gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or another Office document"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes of one CSV are read."""

    encoding: str
    """In the wire's spelling, with its byte order where that matters."""
    delimiter: str
    header: tuple[str, ...]
    """The cells of the first record, verbatim except for a byte order mark."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file as UTF-8, without its byte order marks."""

    text: bytes
    bom_bytes: int
    """Bytes of the byte order marks, in UTF-8."""
    only_cr: bool
    """Lines end with CR alone; in `text` they already end with LF."""

    def header_end(self, delimiter: str) -> int:
        """Returns where the header ends in `text`. Raises FileNotSupported if it is too long."""
        end = first_record_end(self.text, delimiter)
        if end > limits.RECORD_BYTES:
            raise FileNotSupported("The CSV's header line is too long")
        return end


def sniff(file: ByteStream, declared: str | None) -> Dialect:
    """Recognise encoding, delimiter and header of a CSV; consumes nothing of `file`.

    A declared encoding is not doubted. Raises InvalidData if it is unknown, FileNotSupported if
    there is no header or the file is no text.
    """
    first = first_bytes(file)
    for magic, name in _OTHER_FORMATS:
        if first.startswith(magic):
            raise FileNotSupported(f"The CSV is no text file but {name}")
    if declared:
        encoding = resolve_byte_order(canonical_encoding(declared), first)
    else:
        encoding = detect(first[:HEAD_BYTES])
    head = decode_head(first, encoding)
    if not head.text.strip(b"\r\n"):
        raise FileNotSupported("The CSV is empty; it needs a header line")
    delimiter = _delimiter(head.text)
    if len(first) > HEAD_BYTES and head.text.count(delimiter.encode()) > _LONG_HEADER_CELLS:
        raise FileNotSupported("The CSV's header line is too long")
    record = head.text[: head.header_end(delimiter)]
    if b"\0" in record:
        raise FileNotSupported("The CSV is no text file")
    header = next(parse_slowly(record, delimiter), None)
    if header is None:
        raise FileNotSupported("The CSV has no header line")
    return Dialect(encoding, delimiter, tuple(header))


def first_bytes(file: ByteStream) -> bytes:
    """Returns the first bytes of a file, as many as its header needs; consumes none.

    These are HEAD_BYTES, or more if not even the first line ends there. They are never more than
    needed to see that a first line is longer than RECORD_BYTES.
    """
    first = file.peek(HEAD_BYTES)[:HEAD_BYTES]
    if len(first) < HEAD_BYTES or b"\n" in first or b"\r" in first:
        return first
    # Four bytes a character, so that the text is too long in any encoding.
    longest = 4 * limits.RECORD_BYTES + 4
    return file.peek(longest)[:longest]


def decode_head(first: bytes, encoding: str) -> Head:
    """Decode the first bytes of a file. The byte order of `encoding` is resolved."""
    text = _decoded(first, encoding)
    bom_bytes = 0
    while text.startswith(_BOM, bom_bytes):
        bom_bytes += len(_BOM)
    only_cr = b"\r" in text and b"\n" not in text
    text = text[bom_bytes:]
    return Head(text.replace(b"\r", b"\n") if only_cr else text, bom_bytes, only_cr)


def _decoded(first: bytes, encoding: str) -> bytes:
    """The first bytes as UTF-8, but no more than shows that the first line is too long."""
    slices = (first[at : at + HEAD_BYTES] for at in range(0, len(first), HEAD_BYTES))
    pieces: list[bytes] = []
    size = 0
    for piece in to_utf8(slices, encoding, whole=False):
        pieces.append(piece)
        size += len(piece)
        if size > limits.RECORD_BYTES + HEAD_BYTES:
            break
    return b"".join(pieces)


def _delimiter(text: bytes) -> str:
    """The delimiter that the header has most of, outside of quotes; a comma if it has none."""
    text = text.lstrip(b"\r\n")
    # Without a match a quote is unclosed; then the first line is the header as it stands.
    match = _FIRST_LINE.match(text)
    line = match[0] if match else re.split(rb"[\r\n]", text, maxsplit=1)[0]
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for at in range(0, len(line), _COUNTED_BYTES):
        # Piece by piece: a line of nothing but quotes is split into as many parts as it has bytes.
        parts = line[at : at + _COUNTED_BYTES].split(b'"')
        outside = b"".join(parts[quoted::2])
        for delimiter in _DELIMITERS:
            counts[delimiter] += outside.count(delimiter.encode())
        quoted ^= len(parts) % 2 == 0
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])
