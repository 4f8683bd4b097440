"""A gzip, inflated under a limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from isal import isal_zlib

from bulkwright.domain.errors import FileTooLarge, InvalidFileFormat
from bulkwright.domain.limits import MiB

GZIP_MAGIC = b"\x1f\x8b"
_WITH_HEADER = 31
"""The window bits that let the inflater read and check the header and the end of a gzip."""
_PACKED_BYTES = 128 * 1024
_ERRORS = (zlib.error, cast(type[Exception], isal_zlib.IsalError), ValueError)


def inflated(file: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    """Yields the text of a gzip in pieces of at most a MiB; several gzips in a row are one text.

    Raises FileTooLarge as soon as more than `max_bytes` are inflated, InvalidFileFormat if the gzip
    is damaged or cut off.
    """
    size = 0
    for piece in _inflated(file):
        size += len(piece)
        if size > max_bytes:
            raise FileTooLarge(details={"limit": max_bytes})
        yield piece


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflater = isal_zlib.decompressobj(_WITH_HEADER)
    begun = False
    packed = file.read(_PACKED_BYTES)
    while packed:
        if not begun:
            # Tapes and discs pad a gzip with zeros.
            packed = packed.lstrip(b"\0")
        while packed and not inflater.eof:
            begun = True
            if piece := _inflate(inflater, packed):
                yield piece
            packed = inflater.unconsumed_tail
        while begun and not inflater.eof and (piece := _inflate(inflater, packed)):
            yield piece
            packed = inflater.unconsumed_tail
        if inflater.eof:
            packed = inflater.unused_data + packed * (not inflater.unused_data)
            inflater, begun = isal_zlib.decompressobj(_WITH_HEADER), False
        packed = packed or file.read(_PACKED_BYTES)
    if begun:
        raise InvalidFileFormat("The gzip is cut off")


def _inflate(inflater: isal_zlib.Decompress, packed: bytes) -> bytes:
    try:
        return inflater.decompress(packed, MiB)
    except _ERRORS as error:
        raise InvalidFileFormat("The gzip is damaged") from error
