"""The checksum of a stored piece: the CRC-32 of its bytes follows them in the file."""

from __future__ import annotations

import zlib

from bulkwright.files import DamagedFile


def checksum(data: bytes) -> bytes:
    """Returns the four bytes that follow a piece in its file."""
    return zlib.crc32(data).to_bytes(4, "little")


def verified(name: str, stored: bytes, size: int) -> bytes:
    """Returns the first `size` bytes of a stored piece, without its checksum.

    Raises DamagedFile if they are fewer or do not match the checksum. A piece that was stored by a
    version without checksums has none and is returned as it is.
    """
    data = stored[:size]
    if len(data) < size or stored[size:] not in (checksum(data), b""):
        raise DamagedFile(f"piece {name} is not what was stored")
    return data
