"""A part is followed by the CRC-32 of its bytes: so it shows by itself that it is whole."""

from __future__ import annotations

import zlib

from bulkwright.files import Damaged


def seal(data: bytes) -> bytes:
    """What follows a part."""
    return zlib.crc32(data).to_bytes(4, "little")


def unsealed(name: str, sealed: bytes, size: int) -> bytes:
    """The part of that size; raises Damaged when it is not what was sealed.

    Parts from before there were seals have none.
    """
    data = sealed[:size]
    if len(data) < size or sealed[size:] not in (seal(data), b""):
        raise Damaged(f"part {name} is not what was kept")
    return data
