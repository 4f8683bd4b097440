"""A CSV row by row: the same rows as in blocks, with their lines and their text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.formats.csvs import rows_of, stream
from tests.formats.test_blocks import RAGGED, tables
from tests.support.effort import tries

from bulkwright.domain import limits
from bulkwright.formats.csv import (
    Dialect,
    FileRow,
    Quoting,
    blocks,
    row_blocks,
    sniff,
    text_before_rows,
)


def rows(data: bytes, target: int = 1000) -> list[FileRow]:
    """The rows of a whole file, with its dialect recognised."""
    file = stream(data)
    found = list(row_blocks(file, sniff(file, None), target=target))
    assert [block.count for block in found] == [len(list(block)) for block in found]
    return [row for block in found for row in block]


@pytest.mark.parametrize("target", [1, 9, 1000])
@pytest.mark.parametrize(
    "data, lines",
    [
        (b"a,b\n1,2\n3,4\n", [2, 3]),
        (b"a,b\r\n1,2\r\n\r\n\r\n3,4", [2, 5]),
        (b"a,b\r1,2\r3,4\r", [2, 3]),
        (b"\n\na,b\n\n1,2\n3,4\n", [5, 6]),
        (b"sep=;\na;b\n1;2\n3;4\n", [3, 4]),
        (b'"a\nx",b\n"1\n\n1",2\n\n3,4\n', [3, 7]),
        (b'a,b\n1,"x"y\n3,4\n', [2, 3]),
        (b'a,b\n\n1,"x"y\n\n3,4\n5,6\n', [3, 5, 6]),
        (b"\xef\xbb\xbfa,b\n1,2\n\n3,4\x1a", [2, 4]),
        ("a,b\n1,ü\n3,4\n".encode("utf-16"), [2, 3]),
    ],
)
def test_a_row_has_the_line_in_which_it_begins(data: bytes, lines: list[int], target: int) -> None:
    """Whatever ends lines, and wherever blocks are cut."""
    assert [row.line for row in rows(data, target)] == lines


def test_a_row_has_its_text_and_its_quoting() -> None:
    found = rows(b'a,b\r\n"1","2"\r\n3 ,"4\n4"\r\n5,"6" \n7,8')
    assert [row.text for row in found] == [
        '"1","2"\r\n', '3 ,"4\n4"\r\n', '5,"6" \n', "7,8\n",
    ]  # fmt: skip
    good, stray = Quoting.GOOD, Quoting.STRAY
    assert [row.quoting for row in found] == [good, good, stray, good]
    found = rows(b'a,b\r\n"1\n1",2\r\n\r\n3,"4\r4"\r\n')
    assert [row.text for row in found] == ['"1\n1",2\r\n', '3,"4\r4"\r\n']
    assert rows(b"sep=;\na;b\n1,2;3\n4;5\n") == [
        FileRow(3, ["1,2", "3"], good, "1,2;3\n"), FileRow(4, ["4", "5"], good, "4;5\n"),
    ]  # fmt: skip


def test_a_line_that_is_too_long_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut, and the row after it has its own line."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 64)
    found = rows(b"a,b\n1," + b"x" * 500 + b"\n3,4\n", 16)
    assert [(row.line, len(row.text) < 100) for row in found] == [(2, True), (3, True)]


def test_the_text_before_the_first_row() -> None:
    """Byte order mark, `sep=` line and header: with it, rows of the file are a file again."""
    data = b'\xef\xbb\xbfsep=;\r\na;"b\nc"\r\n1;2\r\n'
    file = stream(data)
    assert text_before_rows(file, sniff(file, None)).encode() == data[:-5]


def test_the_text_before_the_first_row_of_an_old_macintosh() -> None:
    """Its line ends are LF, as those of the rows are."""
    file = stream(b"a,b\r1,2\r3,4\r")
    dialect = sniff(file, None)
    before = text_before_rows(file, dialect)
    (block,) = row_blocks(file, dialect)
    assert before + block.text == "a,b\n1,2\n3,4\n"


@tries(300)
@given(RAGGED | tables().map(lambda table: table[0]), st.integers(1, 80))
@example('"a\r\n""\n\n\r"b",\n', 1)
def test_rows_are_those_of_the_job(content: str, target: int) -> None:
    """And their texts are those of the file, in lines that follow each other."""
    data, dialect = b"a,b\n" + content.encode(), Dialect("UTF-8", ",", ("a", "b"))
    found = [row for block in row_blocks(stream(data), dialect, target=target) for row in block]
    assert [row.cells for row in found] == rows_of(blocks(stream(data), dialect))
    text, begun = data.decode(), 4
    for row in found:
        record = row.text.rstrip("\r\n")
        at = text.index(record, begun)
        assert not text[begun:at].strip("\r\n")
        before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
        assert row.line == 1 + before.count("\n")
        begun = at + len(record)
