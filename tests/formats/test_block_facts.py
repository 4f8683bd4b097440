"""What a block says of itself: its text, where it ends, and the damage in it."""

from __future__ import annotations

import pytest
from tests.formats.csvs import count, data_of, rows_of, stream

from bulkwright.domain import limits
from bulkwright.formats.csv import BAD_BYTE, Block, Dialect, blocks, inspect, sniff
from bulkwright.formats.stream import ByteStream

HEADER = b"a,b\n"
DIALECT = Dialect("UTF-8", ",", ("a", "b"))


def found(body: bytes, target: int = 1000, *, with_text: bool = False) -> list[Block]:
    """The blocks of a file with two columns."""
    return list(blocks(stream(HEADER + body), DIALECT, target=target, with_text=with_text))


@pytest.mark.parametrize("target", [1, 5, 1000])
@pytest.mark.parametrize(
    "body",
    [
        b"1,2\n3,4\n",
        b'"1","2"\n\n"3\r",4\n',
        b'1,2\r\n3,"x" \r\n\r\n',
        b'1,2\n3,"4\n5,6\n',
        b"1,\xc3\xa4\n3,4",
    ],
)
def test_the_texts_of_blocks_are_the_file(body: bytes, target: int) -> None:
    """If they are asked for; the last line gets a line end."""
    texts = [block.text for block in found(body, target, with_text=True)]
    assert b"".join(texts).rstrip() == body.rstrip()
    assert texts[-1].endswith(b"\n") and not texts[-1].endswith(b"\n\n")
    assert {block.text for block in blocks(stream(HEADER + body), DIALECT)} == {b""}


@pytest.mark.parametrize(
    ("target", "ends"), [(1, [4, 7]), (4, [4, 7]), (6, [4, 7]), (7, [7]), (8, [7])]
)
def test_a_block_ends_with_the_last_record_within_its_target(target: int, ends: list[int]) -> None:
    """A last line without a line end included."""
    blocks = found(b"1,2\n3,4", target)
    assert [block.end for block in blocks] == ends
    assert [block.start for block in blocks] == [0, *ends[:-1]]


def test_a_record_may_be_in_two_pieces_of_a_file() -> None:
    """Of which the first ends where the target does."""
    rows = limits.MiB // 4
    file = ByteStream([HEADER + b"1,2\n" * rows + b"3,", b"4\n"])
    found = list(blocks(file, DIALECT, target=limits.MiB // 4 + 2))
    assert sum(count(block) for block in found) == rows + 1
    assert data_of(found[-1]) == b"3,4\n"


def test_a_block_says_whether_a_cell_is_damaged() -> None:
    """A letter beyond ASCII is no damage."""
    for text, bad, nul in (
        ("1,\u00e4\n", False, False),
        (f"1,{BAD_BYTE}\n", True, False),
        ("1,\0\n", False, True),
    ):
        (block,) = found(text.encode())
        assert (block.has_bad_bytes, block.has_nul) == (bad, nul)


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\x1a", b"\x1a", b"\x1a\x1a"])
def test_the_end_of_a_file_of_dos_is_no_data(end: bytes) -> None:
    """All else in its last line is, and so is such a character in front."""
    assert rows_of(found(b"1,2\n\x1a3, x \t " + end)) == [["1", "2"], ["\x1a3", " x \t "]]


def test_rows_are_counted_until_there_are_too_many() -> None:
    """If a number is given from which on they are too many."""
    data = b"a,b\n1,2\n3,4\n"
    assert [inspect(stream(data), None, most).rows for most in (None, 1, 2)] == [None, 2, 2]


def test_what_is_given_is_not_doubted() -> None:
    """An encoding and a delimiter, by which rows are counted too."""
    text = 'a,b;c\n1,"2;3" x\n4,5;6" y\n'
    given = inspect(stream(text.encode("cp850")), "cp850", 10, ";")
    assert (given.dialect, given.head.named, given.rows) == (
        Dialect("IBM850", ";", ("a,b", "c")), True, 2,
    )  # fmt: skip
    undeclared = inspect(stream(text.encode()), None, 10, ";")
    assert (undeclared.dialect.delimiter, undeclared.head.named) == (";", True)
    assert sniff(stream(text.encode()), None, ";").header == ("a,b", "c")
    guessed = inspect(stream("Stück;b,c\n1;2\n".encode("cp1252")), None, None, ",")
    assert guessed.dialect == Dialect("windows-1252", ",", ("Stück;b", "c"))
