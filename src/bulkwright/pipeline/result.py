"""Step 4 of 4, result: one line for each row, in file order, in a zip.

In:   a chunk's cells, and the outcome, record id and errors of its rows.
Out:  a part: the lines of the chunk, deflated on their own. At the end, all parts are joined into
      one zip.

A deflate stream that ends at a byte boundary can be followed by another. So a part is compressed
once, when its chunk is processed, and only copied when the job ends.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from isal import isal_zlib

from bulkwright.domain.job import Part
from bulkwright.domain.outcome import Outcome
from bulkwright.files import Incoming
from bulkwright.pipeline.csv_lines import write_line, write_lines
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk

STATUS, RECORD_ID, ERRORS = "STATUS", "RECORD_ID", "ERRORS"
_LEVEL = 1
"""The compression level: the fastest that compresses well."""


@dataclass(frozen=True, slots=True)
class RowResults:
    """What the result reports of the rows of a chunk."""

    outcome: pl.Series
    ids: pl.Series
    """The record of each row, null where it has none."""
    errors: pl.Series
    """The ERRORS cells."""

    @classmethod
    def unprocessed(cls, rows: int) -> RowResults:
        """The results of rows that the job did not reach."""
        return cls(
            pl.repeat(Outcome.UNPROCESSED.value, n=rows, eager=True),
            pl.repeat(None, n=rows, dtype=pl.Int64, eager=True),
            pl.repeat("", n=rows, eager=True),
        )

    def count(self, outcome: Outcome) -> int:
        """The number of rows with this outcome."""
        return int((self.outcome == outcome.value).sum())


def render_lines(
    chunk: Chunk, plan: Plan, results: RowResults, *, quote_formulas: bool = False
) -> bytes:
    """Return the result lines of a chunk as CSV (`csv_lines.write_lines`).

    The lines of the first chunk follow the header: the echoed columns' header texts, then STATUS,
    RECORD_ID, ERRORS.
    """
    echoed = [chunk.cells[str(i)] for i in plan.resource.echoed_columns]
    reported = [
        results.outcome.alias(STATUS),
        results.ids.cast(pl.String).alias(RECORD_ID),
        results.errors.alias(ERRORS),
    ]
    text = io.BytesIO()  # a str would be copied twice
    if chunk.number == 0:
        names = [*(plan.header[i] for i in plan.resource.echoed_columns), STATUS, RECORD_ID, ERRORS]
        write_line(names, text, quote_formulas=quote_formulas)
    write_lines(pl.DataFrame([*echoed, *reported]), text, quote_formulas=quote_formulas)
    return text.getvalue()


def deflate(name: str, text: bytes) -> tuple[Part, bytes]:
    """Compress the text of a part so that another part can follow it."""
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)
    return Part(name, len(packed), len(text), isal_zlib.crc32(text)), packed


def part_name(resource: int, chunk: int, fence: int) -> str:
    """Return the name of a chunk's part under a lease with this fence.

    A worker that has lost its lease and does not know it may still write a part. The fence keeps it
    from overwriting the part of the worker that has the lease now. The ledger names the part that
    counts; the others are deleted with the job.
    """
    return f"{resource}-{chunk:08d}-{fence}"


@dataclass(frozen=True, slots=True)
class ResultMember:
    """One CSV of the result: its name in the zip and its parts in order."""

    name: str
    parts: tuple[Part, ...]


def member_name(module: str, file_name: str) -> str:
    """Return `<module>-<file name>` (facts 5.1), always with the ending .csv."""
    stem = file_name[:-4] if file_name.lower().endswith(".csv") else file_name
    return f"{module}-{stem}.csv"


def write_zip(out: Incoming, members: Iterable[tuple[ResultMember, Iterable[bytes]]]) -> None:
    """Write a zip of members, each given with the bytes of its deflated parts in order.

    Sizes above 4 GiB use the zip64 form. Nothing is compressed again.
    """
    directory = b""
    count = 0
    offset = 0
    for member, parts in members:
        count += 1
        crc, plain, packed = 0, 0, len(_END)
        for part in member.parts:
            crc = isal_zlib.crc32_combine(crc, part.crc32, part.plain_bytes)
            plain += part.plain_bytes
            packed += part.deflated_bytes
        name = member.name.encode()
        local, central = _headers(name, crc, packed, plain, offset)
        out.write(local)
        for data in parts:
            out.write(data)
        out.write(_END)
        directory += central
        offset += len(local) + packed
    out.write(directory)
    out.write(_end_of_directory(count, len(directory), offset))


# An empty last block. It ends a deflate stream, which no part ends.
_END = b"\x03\x00"
_UTF8_NAME = 0x800
_DEFLATED = 8
_1980 = 0x21  # the earliest date of a zip, so that results do not depend on the time of the job
_FULL = 0xFFFFFFFF


def _headers(name: bytes, crc: int, packed: int, plain: int, offset: int) -> tuple[bytes, bytes]:
    large = max(packed, plain, offset) >= _FULL
    version = 45 if large else 20
    sizes = (_FULL, _FULL) if large else (packed, plain)
    fixed = struct.pack("<HHHHHIII", version, _UTF8_NAME, _DEFLATED, 0, _1980, crc, *sizes)
    local_extra = struct.pack("<HHQQ", 1, 16, plain, packed) if large else b""
    local = b"PK\x03\x04" + fixed + struct.pack("<HH", len(name), len(local_extra))
    extra = struct.pack("<HHQQQ", 1, 24, plain, packed, offset) if large else b""
    rest = struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, _FULL if large else offset)
    central = b"PK\x01\x02" + struct.pack("<H", version) + fixed + rest
    return local + name + local_extra, central + name + extra


def _end_of_directory(count: int, size: int, offset: int) -> bytes:
    tail = struct.pack("<HHHHIIH", 0, 0, count, count, size, min(offset, _FULL), 0)
    if offset < _FULL:
        return b"PK\x05\x06" + tail
    record = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<IQI", 0, offset + size, 1)
    return b"PK\x06\x06" + record + b"PK\x06\x07" + locator + b"PK\x05\x06" + tail
