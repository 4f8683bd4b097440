"""Blocks of records: cut at record ends, read without losing a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.formats.csvs import by_csv, count, data_of, is_well_formed, read, rows_of, stream
from tests.support.effort import tries

from bulkwright.domain import limits
from bulkwright.formats.csv import (
    BAD_BYTE,
    Dialect,
    blocks,
    inspect,
    parse_slowly,
    records,
    sniff,
)
from bulkwright.formats.csv.rows import row_blocks
from bulkwright.formats.stream import ByteStream


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Records of at most 64 bytes, examined in pieces of 16."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 64)
    monkeypatch.setattr(records, "PIECE_BYTES", 16)
    yield


HEADER = b"a,b,c\n"
THREE = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]]


@pytest.mark.parametrize(
    "body",
    [
        b"1,2,3\n4,5,6\n7,8,9\n",
        b"1,2,3\r\n4,5,6\r\n7,8,9\r\n",
        b"1,2,3\r4,5,6\n7,8,9\r\n",
        b"1,2,3\n4,5,6\r7,8,9\r",
        b"1,2,3\n4,5,6\n7,8,9",
        b"\n\n1,2,3\n\r\n\n4,5,6\n\n\n7,8,9\n\r\n\n",
        b'"1",2,3\n\n4,"5",6\n\r\n7,8,"9"',
        b'"1",2,3\r4,"5",6\r7,8,"9"\r',
        b'"1","2","3"\r\n"4","5","6"\r\n"7","8","9"\r\n',
    ],
)
@pytest.mark.parametrize("target", [1, 5, 1000])
def test_line_ends_of_any_kind_end_a_record(body: bytes, target: int) -> None:
    """LF, CRLF, lone CR, mixed, none at the end; blank lines are not rows."""
    assert read(HEADER + body, target=target) == THREE


def test_a_file_without_any_lf_has_cr_for_line_ends() -> None:
    """Old Macintosh files; a CR within quotes becomes LF as well."""
    assert read(b'a,b\r1,2\r3,"x\ry"\r') == [["1", "2"], ["3", "x\ny"]]
    (block,) = blocks(stream(b"a,b\r1,2\r3,4"), Dialect("UTF-8", ",", ("a", "b")))
    assert is_well_formed(block) and data_of(block) == b"1,2\n3,4\n"


@pytest.mark.parametrize(
    "cell",
    [
        "two\nlines",
        "two\r\nlines",
        "cr\ronly",
        'say "hi"',
        '"',
        ",",
        "\n",
        "\u2028\x0b\x0c\x85",
        "\x1a",
        "\0",
        "\\",
        "",
        " ",
        '","',
        '"\n"',
        "a,",
        ",a",
        "\n\n",
        "\x01",
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", [1, 1000])
def test_quoted_text_is_one_cell_verbatim(cell: str, target: int) -> None:
    """Every character between quotes is text; the block stays well-formed."""
    quoted = '"' + cell.replace('"', '""') + '"'
    data = f"a,b,c\nx,{quoted},y\n{quoted},{quoted},z\n".encode()
    found = list(blocks(stream(data), sniff(stream(data), None), target=target))
    assert rows_of(found) == [["x", cell, "y"], [cell, cell, "z"]]
    assert all(is_well_formed(block) for block in found)
    assert any(block.has_nul for block in found) == ("\0" in cell)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b'5" disk,b,c', ['5" disk', "b", "c"]),
        (b'x"",b,c', ['x""', "b", "c"]),
        (b'"a"b,b,c', ['"a"b', "b", "c"]),
        (b'""a,b,c', ['""a', "b", "c"]),
        (b'"a" ,b,c', ['"a" ', "b", "c"]),
        (b'"say "hello" now",b,c', ['"say "hello" now"', "b", "c"]),
        (b'p,"q,r', ["p", '"q', "r"]),
        (b'a, "b",c', ["a", ' "b"', "c"]),
        (b'x",b,"y"', ['x"', "b", "y"]),
    ],
)
def test_stray_quotes_change_no_other_row(line: bytes, cells: list[str]) -> None:
    """A quote that does not open a cell is text; if text follows a closing quote, all are text."""
    good = b'"p","q\nr","s"\n'
    data = HEADER + good * 40 + line + b"\n" + good * 40
    for target in (1, 50, 300, 100_000):
        found = list(blocks(stream(data), sniff(stream(data), None), target=target))
        assert rows_of(found) == [["p", "q\nr", "s"]] * 40 + [cells] + [["p", "q\nr", "s"]] * 40
        assert not all(is_well_formed(block) for block in found)


@pytest.mark.parametrize("target", [1, 30, 100_000])
def test_no_row_is_lost_in_an_unclosed_quote(target: int) -> None:
    """From the line of the unclosed quote on, quotes are text and every line is a row."""
    data = HEADER + b'1,2,3\n4,"5,6\n7,8,9\n10,11,12'
    expected = [["1", "2", "3"], ["4", '"5', "6"], ["7", "8", "9"], ["10", "11", "12"]]
    assert read(data, target=target) == expected


def test_an_unclosed_quote_in_a_large_file_affects_only_the_record_limit(
    small_limits: None,
) -> None:
    """After the record limit, quotes open cells again."""
    data = HEADER + b'1,"2,3\n' + b"4,5,6\n" * 20 + b'7,"8\n8",9\n'
    expected = [["1", '"2', "3"], *[["4", "5", "6"]] * 20, ["7", "8\n8", "9"]]
    for target in (1, 20, 64, 1000):
        assert read(data, target=target) == expected


@pytest.mark.parametrize("target", [1, 50, 100_000])
def test_a_line_that_is_too_long_is_cut_and_the_next_row_is_read(
    small_limits: None, target: int
) -> None:
    """The cut cell and those behind it are marked; the cells before it are kept."""
    for long in (
        b"x" * 500,
        b'"' + b"x," * 250 + b'"',
        "ü".encode() * 250,
        b'"' + b"x" * 61 + b'"',
    ):
        data = HEADER + b"1,2,3\n4," + long + b",6\n7,8,9\n"
        first, cut, last = read(data, "UTF-8", target)
        assert (first, last) == (["1", "2", "3"], ["7", "8", "9"])
        assert cut[0] == "4" and BAD_BYTE in cut[1] and cut[2] == BAD_BYTE and len(cut) == 3


@pytest.mark.parametrize(
    ("line", "cell"),
    [
        (b"4," + b"x" * 500, "x" * 61),
        (b'4,"' + b"x," * 250 + b'"', "x," * 30),
        (b"4," + "é".encode() * 250, "é" * 30),
        (b"4,y" + "é".encode() * 250, "y" + "é" * 30),
    ],
)
def test_a_cut_cell_is_the_beginning_of_the_line(
    small_limits: None, line: bytes, cell: str
) -> None:
    """It ends with a whole character and the mark, at the end of a file too."""
    assert read(HEADER + line, "UTF-8") == [["4", cell + BAD_BYTE, BAD_BYTE]]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("length", range(55, 70))
def test_the_end_of_a_line_of_any_length_belongs_to_it(
    small_limits: None, end: bytes, length: int
) -> None:
    """It is in no cell, and the next block begins behind it."""
    line = b"1,2," + b"x" * length + end
    data = HEADER + line + b"7,8,9\r4,5,6\n"
    found = list(blocks(stream(data), sniff(stream(data), "UTF-8"), target=1))
    first, *others = rows_of(found)
    assert others == [["7", "8", "9"], ["4", "5", "6"]]
    assert first[2].rstrip(BAD_BYTE) == "x" * len(first[2].rstrip(BAD_BYTE))
    assert found[1].start == len(line)
    located = row_blocks(stream(data), sniff(stream(data), "UTF-8"), target=1)
    assert [row.line for block in located for row in block] == [2, 3, 4]


def test_memory_is_bounded_by_the_record_limit() -> None:
    """A line of 40 MB is read with a piece of it; its neighbours are rows."""
    pieces = [HEADER + b"1,2,3\nx,", *[b"y" * limits.MiB] * 40, b",z\n7,8,9\n"]
    found = list(
        blocks(ByteStream(pieces), Dialect("UTF-8", ",", ("a", "b", "c")), target=limits.MiB)
    )
    assert [count(block) for block in found] == [1, 1, 1]
    assert max(len(data_of(block)) for block in found) < limits.RECORD_BYTES + 100
    assert found[1].end - found[1].start == 40 * limits.MiB + 5


def test_cells_of_many_kilobytes_are_read() -> None:
    """The csv module's own limit of 131,072 characters does not end a job."""
    cell = "x" * 200_000
    assert read(f'a,b\n1,{cell}\n5" x,"{cell}"\n2,3\n'.encode()) == [
        ["1", cell],
        ['5" x', cell],
        ["2", "3"],
    ]


def test_a_million_blank_lines_are_not_rows() -> None:
    """There is no block, and the count of rows is 0."""
    assert (
        list(blocks(stream(b"a,b\n" + b"\n" * 1_000_000), Dialect("UTF-8", ",", ("a", "b")))) == []
    )
    assert inspect(stream(b"a,b\n" + b"\n" * 1_000_000), None, 10).rows == 0


def test_an_inspection_reads_to_the_end_and_counts_if_asked() -> None:
    """Rows are counted only with `max_rows`; the stream is read to its end in any case."""
    pieces = [b"a,b\n" + b"1,2\n" * 300_000] * 3
    for most, expected in (
        (None, [None]), (10_000_000, [900_002]), (10, range(11, 900_003)),
        (limits.MiB // 4, range(limits.MiB // 4 + 1, 900_003)),
    ):  # fmt: skip
        rest = (piece for piece in pieces)
        found = inspect(ByteStream(rest), None, most)
        assert found.rows in expected and next(rest, None) is None
        assert found.dialect == Dialect("UTF-8", ",", ("a", "b"))


# Properties

CELLS = st.text(st.sampled_from('ab ü"\n\r,;|:é\u2028\0'), max_size=6) | st.text(max_size=4).filter(
    lambda cell: cell.isascii() or cell.encode("utf-8", "ignore").decode() == cell
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str]:
    """A well-formed CSV as csv.writer makes it, and its delimiter."""
    delimiter = draw(st.sampled_from(",;|:"))
    columns = draw(st.integers(2, 4))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow([f"c{i}" for i in range(columns)])
    writer.writerows(
        draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=12))
    )
    content = out.getvalue()
    return content.rstrip("\r\n") if draw(st.booleans()) else content, delimiter


RAGGED = st.text(st.sampled_from('ab"",\n\r\n'), max_size=60)


@pytest.mark.slow
@tries(200)
@given(tables(), st.integers(1, 80))
def test_blocks_together_hold_what_the_csv_module_reads(
    table: tuple[str, str], target: int
) -> None:
    """Tables that csv.writer writes are read back exactly, in blocks of any size."""
    content, delimiter = table
    dialect = Dialect("UTF-8", delimiter, ())
    found = list(blocks(stream(content.encode()), dialect, target=target))
    if "\n" in content:
        assert rows_of(found, delimiter) == by_csv(content, delimiter)[1:]


@tries(300)
@given(RAGGED, st.integers(1, 80), st.integers(1, 9))
@example('x","y\n' * 20, 7, 3)
@example('a\r"\n', 1, 1)
def test_rows_do_not_depend_on_cuts(content: str, target: int, cut: int) -> None:
    """The rows are the same for any target and any pieces, also if the quoting is damaged."""
    data = b"a,b\n" + content.encode()
    dialect = Dialect("UTF-8", ",", ("a", "b"))
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    expected = rows_of(blocks(stream(data), dialect, target=10_000))
    assert rows_of(blocks(ByteStream(pieces), dialect, target=target)) == expected


@tries(300)
@given(RAGGED, st.integers(1, 80))
def test_blocks_are_whole_and_counted(content: str, target: int) -> None:
    """Offsets join up, no block is empty, and counting agrees with reading."""
    data = b"a,b\n" + content.encode()
    end = 0
    for block in blocks(stream(data), Dialect("UTF-8", ",", ("a", "b")), target=target):
        assert block.start >= end and block.end > block.start
        assert data_of(block).endswith(b"\n")
        assert count(block) == len(rows_of([block]))
        end = block.end
    assert end <= len(data) - 4


@tries(300)
@given(RAGGED | tables().map(lambda table: table[0]), st.integers(1, 80))
def test_reading_continues_at_any_block(content: str, target: int) -> None:
    """From a block's end, the same blocks follow as in the first reading."""
    data = b"a,b\n" + content.encode()
    dialect = Dialect("UTF-8", ",", ("a", "b"))
    found = list(blocks(stream(data), dialect, target=target))
    for number, block in enumerate(found):
        rest = list(blocks(stream(data), dialect, target=target, start=block.end))
        assert rest == found[number + 1 :]


@tries(200)
@given(RAGGED, st.integers(1, 80))
def test_every_parser_reads_well_formed_text_alike(content: str, target: int) -> None:
    """Polars reads the same cells as the csv module."""
    polars = pytest.importorskip("polars")
    data = b"a,b\n" + content.encode()
    for block in blocks(stream(data), Dialect("UTF-8", ",", ("a", "b")), target=target):
        for segment in block.segments:
            if not segment.well_formed:
                continue
            rows = [row.cells for row in parse_slowly(segment.data, ",")]
            width = max(map(len, rows))
            frame = polars.read_csv(
                ",".join(map(str, range(width))).encode() + b"\n" + segment.data,
                infer_schema=False,
                empty_string_is_null=False,
                truncate_ragged_lines=True,
            )
            padded = [tuple(row + [""] * (width - len(row))) for row in rows]
            assert [tuple(cell or "" for cell in row) for row in frame.rows()] == padded


def test_rows_do_not_depend_on_cuts_if_records_are_too_long(
    small_limits: None,
) -> None:
    """The record limit is measured from a record's start, wherever a block begins."""

    @tries(300)
    @given(st.text(st.sampled_from('aaaaa,"\n\r'), max_size=400), st.integers(1, 200))
    def check(content: str, target: int) -> None:
        data = b"a,b\n" + content.encode()
        dialect = Dialect("UTF-8", ",", ("a", "b"))
        found = list(blocks(stream(data), dialect, target=target))
        assert rows_of(found) == rows_of(blocks(stream(data), dialect, target=10_000))
        assert all(len(data_of(block)) <= max(2 * target, 64) + 30 for block in found)
        assert all(data_of(block).endswith(b"\n") for block in found)
        assert all(count(block) == len(rows_of([block])) for block in found)

    check()
