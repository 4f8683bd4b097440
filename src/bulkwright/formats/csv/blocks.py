"""A CSV as blocks of whole records.

In:   the bytes of a CSV, as they are inflated from the zip (`formats/zip.py`).
Out:  blocks of whole records in UTF-8, without the header. A block depends on nothing but the text
      from its start on, so that a job can be continued from any block.

A line that is longer than `limits.RECORD_BYTES` is cut there. BAD_BYTE stands at the cut and in
every cell behind it, so that the row is rejected; the rest of the line is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bulkwright.domain import limits
from bulkwright.domain.reading import FoundBy
from bulkwright.domain.value_rules import BAD_BYTE
from bulkwright.formats.csv.charset import EncodingScan, to_utf8
from bulkwright.formats.csv.dialect import (
    END_OF_FILE,
    HEAD_BYTES,
    Dialect,
    HeadFacts,
    declared_or_proven,
    decode_head,
    first_bytes,
    head_facts,
)
from bulkwright.formats.csv.grammar import cell_counts, unclosed_record_end, whole_records_end
from bulkwright.formats.csv.records import Segment, find_whole_records
from bulkwright.formats.stream import ByteStream

_BAD = BAD_BYTE.encode()


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive whole records."""

    segments: tuple[Segment, ...]
    """The records in UTF-8; at least one."""
    start: int
    """Where the block begins in the text after the header, in bytes of UTF-8."""
    end: int
    """Where the next block begins. The segments may be shorter (blank lines) or longer (a last
    LF)."""
    has_bad_bytes: bool
    """Some cell holds BAD_BYTE."""
    has_nul: bool
    """Some cell holds U+0000."""
    text: bytes = b""
    """The records as they stand in the file, with blank lines, if they are asked for; else empty. A
    line that is too long is cut, as in the segments."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The facts that are found by reading a whole CSV once."""

    head: HeadFacts
    encoding_by: FoundBy
    rows: int | None
    """Records after the header; above `max_rows` only a lower bound; None if not counted."""

    @property
    def dialect(self) -> Dialect:
        """The most likely dialect."""
        return self.head.dialect


def blocks(
    file: ByteStream,
    dialect: Dialect,
    *,
    target: int = limits.CHUNK_TEXT_BYTES,
    start: int = 0,
    with_text: bool = False,
) -> Iterator[Block]:
    """Cut a CSV into blocks of at most `target` bytes; more only if not one record ends there.

    `file` is the whole file. With `start`, the `end` of an earlier block, the same blocks follow
    that followed that one. `with_text` gives each block its `text`. Memory: a few
    times `target` and RECORD_BYTES, whatever the text. Raises FileNotSupported if the header is
    longer than RECORD_BYTES, and what `file` raises.
    """
    text = _text_after_header(file, dialect)
    text.skip(start)
    size = target
    verbatim = b""
    while True:
        data = text.peek(size + 1)
        final = len(data) <= size
        if final:
            data = data.rstrip(END_OF_FILE)
        if not data:
            return
        limit = min(size, len(data))
        if final and not data.endswith(b"\n"):
            data += b"\n"
            limit += 1
        found = find_whole_records(data, limit, dialect.delimiter)
        end, segments = min(found.end, limit), found.segments
        if not end:
            if not final and size < limits.RECORD_BYTES:
                size = min(2 * size, limits.RECORD_BYTES)
                continue
            data = data[: min(limit, limits.RECORD_BYTES)]
            end = unclosed_record_end(data)
            lines = data[: end - 1] + b"\n" if end else _cut_record(data, dialect)
            segments = (Segment(lines, well_formed=False),)
            data = lines
        if with_text:
            verbatim += data[:end] if end else data
        del data, found
        length = text.skip(end) if end else _skip_line(text)
        if segments:
            bad = any(not s.data.isascii() and _BAD in s.data for s in segments)
            nul = any(b"\0" in s.data for s in segments)
            yield Block(segments, start, start + length, bad, nul, verbatim)
            verbatim = b""
        start += length
        size = target


def inspect(
    file: ByteStream, declared: str | None, max_rows: int | None, delimiter: str | None = None
) -> Inspection:
    """Read a whole CSV once: its encoding, its delimiters, and its rows if `max_rows` is given.

    What is given is not doubted. Counting stops above `max_rows`. Reading continues to the end,
    because only then the stream has checked itself, and the encoding is known. Raises what `sniff`,
    `blocks` and the stream raise.
    """
    first = first_bytes(file)
    found = declared_or_proven(first, declared)
    scan = EncodingScan()
    if found is None:
        file = ByteStream(scan.watch(file))
    # Quotes and line ends are the same bytes in all encodings that a scan can find. So rows can be
    # counted before the encoding is known.
    facts = head_facts(first, found[0] if found else "UTF-8", delimiter)
    rows: int | None = None
    if max_rows is not None:
        rows = 0
        dialect = facts.dialect
        for block in blocks(file, dialect, target=limits.MiB):
            rows += sum(segment.count(dialect.delimiter) for segment in block.segments)
            if rows > max_rows:
                break
    for _ in file:
        pass
    encoding, found_by = found or scan.result()
    if encoding != facts.encoding:
        facts = head_facts(first, encoding, delimiter)
    return Inspection(facts, found_by, rows)


def text_before_rows(file: ByteStream, dialect: Dialect) -> str:
    """Returns what stands before the first row: byte order mark, `sep=` line and header.

    Consumes nothing. Raises FileNotSupported if the header is longer than RECORD_BYTES.
    """
    first = first_bytes(file)
    head = decode_head(first, dialect.encoding)
    text = b"".join(to_utf8([first], dialect.encoding))
    text = text[: head.skipped + head.header_end(dialect.delimiter)]
    return (text.replace(b"\r", b"\n") if head.only_cr else text).decode()


def _text_after_header(file: ByteStream, dialect: Dialect) -> ByteStream:
    """The text of a file as UTF-8, from the first byte after the header."""
    head = decode_head(first_bytes(file), dialect.encoding)
    pieces = to_utf8(file, dialect.encoding)
    if head.only_cr:
        pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
    text = ByteStream(pieces)
    text.skip(head.skipped + head.header_end(dialect.delimiter))
    return text


def _skip_line(text: ByteStream) -> int:
    """Consume the rest of a line and its end; returns the number of bytes."""
    skipped = 0
    while True:
        data = text.peek(HEAD_BYTES + 1)
        final = len(data) <= HEAD_BYTES
        ends = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
        if ends:
            end = min(ends) + 1
            # A CRLF is one line end. Both bytes are in `data` unless CR is its last byte: then the
            # LF that is left is a blank line.
            end += data[end - 1 : end + 1] == b"\r\n"
            return skipped + text.skip(end)
        skipped += text.skip(len(data))
        if final:
            return skipped


def _cut_record(data: bytes, dialect: Dialect) -> bytes:
    """A record made of the beginning of a line that is too long."""
    # The last character goes, or a part of one (its later bytes are 0b10xxxxxx), or half a CRLF.
    while data[-1] & 0xC0 == 0x80:
        data = data[:-1]
    data = data[:-1] + _BAD
    if not whole_records_end(data + b"\n", dialect.delimiter):
        data += b'"'
    cells = next(cell_counts(data + b"\n", dialect.delimiter))
    return data + (dialect.delimiter.encode() + _BAD) * (len(dialect.header) - cells) + b"\n"
