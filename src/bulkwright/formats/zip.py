"""An uploaded zip: its CSVs, inflated under a limit.

In:   a seekable file of bytes (only `read` and `seek` are used).
Out:  the CSVs in it, and the bytes of one of them as a stream.

The directory has been checked against the file (`zip_directory.py`). The declared size and checksum
of a member are compared with its bytes while they are inflated.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from isal import isal_zlib

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported, FileTooLarge, InvalidFileFormat
from bulkwright.formats.zip_directory import STORED, ArchiveMember, Directory, read_directory

_INPUT_BYTES = 128 * 1024
"""Packed bytes that the inflater gets at a time."""

_OFFICE_MEMBER = "[Content_Types].xml"
_INFLATE_ERRORS = (zlib.error, cast(type[Exception], isal_zlib.IsalError), ValueError)


class Archive:
    """An uploaded zip whose directory has been checked. Made by `open_archive`."""

    def __init__(self, source: BinaryIO, directory: Directory) -> None:
        self._source = source
        self.csvs = directory.csvs
        """The members whose name ends with .csv, in any folder and any case."""
        self.other_names = directory.other_names
        """Names of the other files; folders and the files that file managers add are left out."""

    def single_csv(self) -> ArchiveMember:
        """Returns the one CSV of the zip; other files in it do not matter.

        Raises FileNotSupported if there is none, or more than one.
        """
        if not self.csvs:
            if _OFFICE_MEMBER in self.other_names:
                raise FileNotSupported(
                    "The file is a spreadsheet or another Office document; save its sheet as CSV"
                )
            others = len(self.other_names)
            beside = f"; it holds {others} other file(s)" if others else ""
            raise FileNotSupported(f"The zip holds no CSV file{beside}")
        if len(self.csvs) > 1:
            first = ", ".join(member.name for member in self.csvs[:2])
            raise FileNotSupported(
                f"The zip holds {len(self.csvs)} CSV files, such as {first}; "
                "a bulk write takes exactly one"
            )
        return self.csvs[0]

    def csv_named(self, name: str) -> ArchiveMember:
        """Returns the one CSV of that name. Raises FileNotSupported if there is not exactly one."""
        found = [member for member in self.csvs if member.name == name]
        if len(found) != 1:
            raise FileNotSupported(f"The zip holds {len(found) or 'no'} CSV files named {name}")
        return found[0]

    def stream(
        self, member: ArchiveMember, max_bytes: int, block: int = limits.MiB
    ) -> Iterator[bytes]:
        """Yields the member's bytes in pieces of at most `block` bytes; memory does not grow.

        Reading to the end checks the whole member. Raises FileTooLarge as soon as more than
        `max_bytes` are declared or inflated, InvalidFileFormat if the packed data are damaged or
        cut off, or if size or checksum differ from those that the directory declares.
        """
        if member.size > max_bytes:
            raise FileTooLarge(details={"limit": max_bytes})
        size = crc = 0
        for piece in self._inflated(member, block):
            size += len(piece)
            if size > max_bytes:
                raise FileTooLarge(details={"limit": max_bytes})
            if size > member.size:
                break
            crc = isal_zlib.crc32(piece, crc)
            yield piece
        if size != member.size:
            raise InvalidFileFormat("The CSV's real size differs from the one the zip declares")
        if crc != member.crc:
            raise InvalidFileFormat("The CSV's checksum differs from the one the zip declares")

    def _packed(self, member: ArchiveMember, size: int) -> Iterator[bytes]:
        """The member's packed bytes, in pieces of at most `size` bytes."""
        position, left = member.data_start, member.packed_size
        while left:
            # Each read seeks first: two streams of one archive may be read in turns.
            self._source.seek(position)
            piece = self._source.read(min(size, left))
            if not piece:
                raise InvalidFileFormat("The zip is cut off")
            position += len(piece)
            left -= len(piece)
            yield piece

    def _inflated(self, member: ArchiveMember, block: int) -> Iterator[bytes]:
        if member.method == STORED:
            yield from self._packed(member, block)
            return
        inflater = isal_zlib.decompressobj(-15)
        for packed in self._packed(member, _INPUT_BYTES):
            while packed and not inflater.eof:
                piece = _inflate(inflater, packed, block)
                packed = inflater.unconsumed_tail
                if piece:
                    yield piece
            if inflater.eof and (packed or inflater.unused_data):
                raise InvalidFileFormat("The zip's compressed data end before their declared size")
        # The output that the last input has left in the inflater, because `block` was full.
        while not inflater.eof and (piece := _inflate(inflater, inflater.unconsumed_tail, block)):
            yield piece
        if not inflater.eof:
            raise InvalidFileFormat("The zip's compressed data are cut off")


def open_archive(source: BinaryIO) -> Archive:
    """Read the directory of a zip. Raises as `read_directory` does."""
    return Archive(source, read_directory(source))


def _inflate(inflater: isal_zlib.Decompress, packed: bytes, block: int) -> bytes:
    try:
        return inflater.decompress(packed, block)
    except _INFLATE_ERRORS as error:
        raise InvalidFileFormat("The zip's compressed data are damaged") from error
