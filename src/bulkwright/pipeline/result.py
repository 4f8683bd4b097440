"""Step 4 of 4, result: one line for each row, in file order, in a zip.

In:   a chunk's cells, and the outcome, record id and errors of its rows.
Out:  a piece: the lines of the chunk, deflated on their own. At the end, all pieces are joined into
      one zip.

A deflate stream that ends at a byte boundary can be followed by another. So a piece is compressed
once, when its chunk is processed, and only copied when the job ends.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from isal import isal_zlib

from bulkwright.domain.job import PartLease, Piece
from bulkwright.domain.outcome import Outcome
from bulkwright.domain.result_file import ERRORS, RECORD_ID, STATUS
from bulkwright.files import DamagedFile, Incoming
from bulkwright.pipeline.csv_lines import write_line, write_lines
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk

_AT = "$at"
_LENGTH = struct.Struct("<I")
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


def header_line(plan: Plan, *, quote_formulas: bool) -> bytes:
    """Return the result's header: the echoed columns' header texts, STATUS, RECORD_ID, ERRORS."""
    names = [*(plan.header[i] for i in plan.resource.echoed_columns), STATUS, RECORD_ID, ERRORS]
    text = io.BytesIO()
    write_line(names, text, quote_formulas=quote_formulas)
    return text.getvalue()


def result_lines(chunk: Chunk, plan: Plan, results: RowResults) -> pl.DataFrame:
    """Return the cells of the result lines of a chunk."""
    echoed = [chunk.cells[str(i)] for i in plan.resource.echoed_columns]
    reported = [
        results.outcome.alias(STATUS),
        results.ids.cast(pl.String).alias(RECORD_ID),
        results.errors.alias(ERRORS),
    ]
    return pl.DataFrame([*echoed, *reported])


def render_lines(lines: pl.DataFrame, header: bytes, *, quote_formulas: bool) -> bytes:
    """Return the header and these lines as CSV (`csv_lines.write_lines`)."""
    text = io.BytesIO()  # a str would be copied twice
    text.write(header)
    write_lines(lines, text, quote_formulas=quote_formulas)
    return text.getvalue()


def pack_lines(name: str, lines: pl.DataFrame, at: pl.Series, header: bytes) -> tuple[Piece, bytes]:
    """Return the lines of one part of a chunk, with their positions in it, as a piece.

    It holds the header too, so that the lines can be merged without the upload.
    """
    out = io.BytesIO()
    out.write(_LENGTH.pack(len(header)) + header)
    lines.with_columns(at.alias(_AT)).write_ipc(out, compression="lz4")
    packed = out.getvalue()
    return Piece(name, len(packed), len(packed), isal_zlib.crc32(packed)), packed


def unpack_lines(packed: bytes) -> tuple[bytes, pl.DataFrame, pl.Series]:
    """Return the header, the lines, and their positions of a piece that `pack_lines` made."""
    (size,) = _LENGTH.unpack_from(packed)
    header = packed[_LENGTH.size :][:size]
    lines = pl.read_ipc(io.BytesIO(packed[_LENGTH.size + size :]))
    return header, lines.drop(_AT), lines[_AT]


def read_lines(packed: bytes, piece: Piece, *, header: bool) -> tuple[bytes, pl.DataFrame]:
    """Return the header and the lines of a piece that `deflate` made.

    Without a `header` in the piece, that is empty. Raises DamagedFile.
    """
    text = isal_zlib.decompressobj(-15).decompress(packed, piece.plain_bytes + 1)
    if isal_zlib.crc32(text) != piece.crc32:
        raise DamagedFile("the lines of a chunk are not those that were stored")
    lines = pl.read_csv(io.BytesIO(text), has_header=False, infer_schema=False)
    head = io.BytesIO()
    if header:
        write_lines(lines.head(1), head, quote_formulas=False)
        lines = lines.slice(1)
    return head.getvalue(), lines


def merge_lines(pieces: Iterable[bytes], rows: int, *, whole: bool) -> tuple[bytes, pl.DataFrame]:
    """Return the header and the lines of a chunk of that many rows, in file order.

    Raises DamagedFile if a row has several lines or, of the `whole` chunk, none.
    """
    header, frames = b"", []
    for piece in pieces:
        header, of_part, at = unpack_lines(piece)
        frames.append(of_part.with_columns(at))
    lines = pl.concat(frames).sort(_AT)
    at = lines[_AT]
    known = at.len() == rows if whole else at.len() <= rows
    if not known or at.is_duplicated().any() or (at >= rows).any():
        raise DamagedFile("the pieces of a chunk do not have one line for each row")
    return header, lines.drop(_AT)


def deflate(name: str, text: bytes) -> tuple[Piece, bytes]:
    """Compress the text of a piece so that another piece can follow it."""
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush(isal_zlib.Z_FULL_FLUSH)
    return Piece(name, len(packed), len(text), isal_zlib.crc32(text)), packed


def piece_name(lease: PartLease, chunk: int) -> str:
    """Return the name of the piece of a chunk of a part.

    A worker that has lost its lease and does not know it may still write a piece. The fence keeps
    it from overwriting the piece of the worker that has the lease now. The ledger names the piece
    that counts; the others are deleted with the job.
    """
    return f"{lease.resource}-{chunk:08d}-{lease.part}-{lease.fence}"


@dataclass(frozen=True, slots=True)
class ResultMember:
    """One CSV of the result: its name in the zip and its pieces in order."""

    name: str
    pieces: tuple[Piece, ...]


def write_zip(out: Incoming, members: Iterable[tuple[ResultMember, Iterable[bytes]]]) -> None:
    """Write a zip of members, each given with the bytes of its deflated pieces in order.

    Sizes above 4 GiB use the zip64 form. Nothing is compressed again.
    """
    directory = b""
    count = 0
    offset = 0
    for member, pieces in members:
        count += 1
        crc, plain, packed = 0, 0, len(_END)
        for piece in member.pieces:
            crc = isal_zlib.crc32_combine(crc, piece.crc32, piece.plain_bytes)
            plain += piece.plain_bytes
            packed += piece.deflated_bytes
        name = member.name.encode()
        local, central = _headers(name, crc, packed, plain, offset)
        out.write(local)
        for data in pieces:
            out.write(data)
        out.write(_END)
        directory += central
        offset += len(local) + packed
    out.write(directory)
    out.write(_end_of_directory(count, len(directory), offset))


# An empty last block. It ends a deflate stream, which no piece ends.
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
