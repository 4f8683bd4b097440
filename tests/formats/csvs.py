"""CSVs for the tests of `formats/csv`: bytes as a stream, and blocks as rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from bulkwright.domain import limits
from bulkwright.formats.csv import Block, blocks, parse_slowly, sniff
from bulkwright.formats.stream import ByteStream

Rows = list[list[str]]


def stream(data: bytes) -> ByteStream:
    """A file that holds these bytes."""
    return ByteStream([data])


def rows_of(found: Iterable[Block], delimiter: str = ",") -> Rows:
    """The rows of blocks."""
    segments = (segment for block in found for segment in block.segments)
    return [r.cells for segment in segments for r in parse_slowly(segment.data, delimiter)]


def data_of(block: Block) -> bytes:
    """The text of a block."""
    return b"".join(segment.data for segment in block.segments)


def is_well_formed(block: Block) -> bool:
    """Whether every parser reads a block alike."""
    return all(segment.well_formed for segment in block.segments)


def count(block: Block) -> int:
    """The number of records in a block."""
    return sum(segment.count(",") for segment in block.segments)


def read(data: bytes, declared: str | None = None, target: int = limits.CHUNK_TEXT_BYTES) -> Rows:
    """The data rows of a whole file, with its dialect recognised."""
    file = stream(data)
    dialect = sniff(file, declared)
    return rows_of(blocks(file, dialect, target=target), dialect.delimiter)


def by_csv(content: str, delimiter: str = ",") -> Rows:
    """The rows that Python's csv module reads, without blank lines."""
    return [row for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter) if row]
