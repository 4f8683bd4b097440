"""A stream of bytes that can be read ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class ByteStream:
    """An iterator of bytes whose next bytes can be read without consuming them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""
        self._ended = False

    def peek(self, size: int) -> bytes:
        """Returns at least the next `size` bytes, or all that are left; consumes none."""
        if len(self._buffer) < size and not self._ended:
            read, length = [self._buffer], len(self._buffer)
            # Not held twice while the pieces are joined.
            self._buffer = b""
            while length < size and (piece := next(self._pieces, None)) is not None:
                read.append(piece)
                length += len(piece)
            self._ended = length < size
            self._buffer = b"".join(read)
        return self._buffer

    def skip(self, size: int) -> int:
        """Consume the next `size` bytes; returns how many there were."""
        left = size
        while left:
            if not self._buffer:
                piece = next(self._pieces, None)
                if piece is None:
                    self._ended = True
                    break
                self._buffer = piece
            dropped = min(left, len(self._buffer))
            self._buffer = self._buffer[dropped:]
            left -= dropped
        return size - left

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        # Not a generator: closing one would close `pieces` too, whose rest may still be wanted.
        if self._buffer:
            piece, self._buffer = self._buffer, b""
            return piece
        return next(self._pieces)
