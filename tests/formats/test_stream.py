"""A stream of bytes that is read ahead, and consumed later."""

from __future__ import annotations

from collections.abc import Iterator

from bulkwright.formats.stream import ByteStream


def test_peeking_consumes_nothing() -> None:
    """`peek` returns at least `size` bytes, or all that are left; iterating returns all."""
    file = ByteStream([b"ab", b"", b"cde", b"f"])
    assert file.peek(1) == b"ab"
    assert file.peek(3) == file.peek(2) == b"abcde"
    assert file.peek(100) == file.peek(7) == b"abcdef"
    assert b"".join(file) == b"abcdef"
    assert (file.peek(1), file.skip(1), list(file)) == (b"", 0, [])


def test_skipping_counts_the_bytes_that_there_were() -> None:
    """Skipped bytes may be in the buffer, in the pieces, or missing."""
    file = ByteStream([b"abc", b"def", b"ghi"])
    file.peek(2)
    assert (file.skip(1), file.skip(3), file.peek(1)) == (1, 3, b"ef")
    assert (file.skip(10), file.skip(1)) == (5, 0)


def test_a_reader_that_stops_leaves_the_rest() -> None:
    """The source is not closed with an iteration over it, so another reader can continue."""

    def source() -> Iterator[bytes]:
        yield from (b"a", b"b", b"c")

    file = ByteStream(source())
    for piece in (piece for piece in file):
        assert piece == b"a"
        break
    assert list(file) == [b"b", b"c"]
