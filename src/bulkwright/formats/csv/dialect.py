"""Encoding, delimiter and header of a CSV.

In a file without any LF at its beginning every CR is read as LF, also inside of quoted cells.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.reading import FoundBy, Splitting
from bulkwright.formats.csv.charset import (
    EncodingScan,
    encoding_of_head,
    resolve_byte_order,
    to_utf8,
)
from bulkwright.formats.csv.delimiter import header_end, named_delimiter, splittings
from bulkwright.formats.csv.encodings import canonical_encoding
from bulkwright.formats.stream import ByteStream

HEAD_BYTES = 1 * limits.MiB
"""The first bytes of a file, by which its delimiter is recognised."""

END_OF_FILE = b"\x1a"
"""The Ctrl-Z with which programs of DOS end a file. At the end of the text it is no data."""
_BOM = "\ufeff".encode()
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip (or a spreadsheet)"),
    (b"\x1f\x8b", "a gzip"),
    (b"BZh", "a bzip2"),
    (b"\xfd7zXZ\0", "an xz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or another Office document"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
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
    """The beginning of a file as UTF-8, without its byte order marks and its `sep=` line."""

    text: bytes
    skipped: int
    """Bytes before the header, in UTF-8."""
    only_cr: bool
    """Lines end with CR alone; in `text` they already end with LF."""
    named: str | None
    """The delimiter that the `sep=` line names."""

    def header_end(self, delimiter: str) -> int:
        """Returns where the header ends in `text`. Raises FileNotSupported if it is too long."""
        return header_end(self.text, delimiter)


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What the first bytes of a file show of its delimiter."""

    encoding: str
    splittings: tuple[Splitting, ...]
    """The file under each delimiter that it may have, the most likely one first."""
    named: bool
    """Whether the caller or the file names the delimiter."""

    @property
    def dialect(self) -> Dialect:
        """The most likely dialect, as long as nothing is known of the columns."""
        best = self.splittings[0]
        return Dialect(self.encoding, best.delimiter, best.header)


def sniff(file: ByteStream, declared: str | None, delimiter: str | None = None) -> Dialect:
    """Recognise encoding, delimiter and header of a CSV by its first bytes; consumes nothing.

    What is given is not doubted. Raises InvalidData if the encoding is unknown, FileNotSupported if
    there is no header or the file is no text.
    """
    first = first_bytes(file)
    encoding, _ = declared_or_proven(first, declared) or _scanned(first)
    return head_facts(first, encoding, delimiter).dialect


def declared_or_proven(first: bytes, declared: str | None) -> tuple[str, FoundBy] | None:
    """Returns the encoding that the caller or the first bytes name, and how it was found.

    Returns None if the whole file has to be read to find it. Raises InvalidData if the declared one
    is unknown, FileNotSupported if these are the first bytes of another format.
    """
    for magic, name in _OTHER_FORMATS:
        if first.startswith(magic):
            raise FileNotSupported(f"The CSV is no text file but {name}")
    if declared:
        return resolve_byte_order(canonical_encoding(declared), first), FoundBy.NAMED
    return encoding_of_head(first)


def head_facts(first: bytes, encoding: str, delimiter: str | None = None) -> HeadFacts:
    """Examine the first bytes of a file under each delimiter, or under the given one.

    Raises FileNotSupported if there is no header, if it is too long or no text.
    """
    head = decode_head(first, encoding)
    complete = len(first) < HEAD_BYTES
    text = head.text.rstrip(END_OF_FILE)
    if not text.strip(b"\r\n"):
        raise FileNotSupported("The CSV is empty; it needs a header line")
    only = delimiter or head.named
    found = splittings(text, complete=complete, only=only)
    if any("\0" in cell for cell in found[0].header):
        raise FileNotSupported("The CSV is no text file")
    return HeadFacts(encoding, found, named=only is not None)


def _scanned(first: bytes) -> tuple[str, FoundBy]:
    scan = EncodingScan()
    for _ in scan.watch([first]):
        pass
    return scan.result(whole=len(first) < HEAD_BYTES)


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
    skipped = 0
    while text.startswith(_BOM, skipped):
        skipped += len(_BOM)
    only_cr = b"\r" in text and b"\n" not in text
    text = text[skipped:]
    sign, end = named_delimiter(text) or (None, 0)
    text = text[end:]
    return Head(text.replace(b"\r", b"\n") if only_cr else text, skipped + end, only_cr, sign)


def _decoded(first: bytes, encoding: str) -> bytes:
    """The first bytes as UTF-8, but no more than shows that the first line is too long."""
    slices = (first[at : at + HEAD_BYTES] for at in range(0, len(first), HEAD_BYTES))
    pieces: list[bytes] = []
    size = 0
    for piece in to_utf8(slices, encoding):
        pieces.append(piece)
        size += len(piece)
        if size > limits.RECORD_BYTES + HEAD_BYTES:
            break
    return b"".join(pieces)
