"""Odd files, end to end: no row is lost, and a bad row does not change the others."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.bench import Bench, Done

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.job import FieldMapping

THREE = [FieldMapping("Last_Name", 0), FieldMapping("City", 1), FieldMapping("State", 2)]
chunked = pytest.mark.parametrize("chunk_rows", [1, 1000])


def run(bench: Bench, content: str | bytes, **more: Any) -> Done:
    """Insert three columns."""
    return bench.run(content, mappings=THREE, **more)


def stored(bench: Bench) -> list[tuple[object, ...]]:
    """The three fields of each record."""
    return [(r["Last_Name"], r["City"], r["State"]) for r in bench.records()]


# Encodings


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        ("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-16-be", "UTF-16BE"),
        ("utf-16-le", "UTF-16LE"), ("utf-32", None), ("cp1252", "windows-1252"),
        ("cp1252", "cp1252"), ("latin-1", "ISO-8859-1"),
    ],
)  # fmt: skip
def test_a_text_is_the_same_in_every_encoding(
    bench: Bench, codec: str, declared: str | None
) -> None:
    """A byte order mark is not part of the header; a declared encoding is used unchecked."""
    text = "Näme,Ört,x\nMüller,Köln,É\n"
    done = run(bench, text.encode(codec), encoding=declared)
    assert done.header[:3] == ["Näme", "Ört", "x"] and done.outcome == ["ADDED"]
    assert stored(bench) == [("Müller", "Köln", "É")]


def test_a_job_says_which_encoding_it_used(bench: Bench) -> None:
    """The job shows the encoding, detected or declared, under its name on the wire."""
    assert run(bench, "a,b,c\n1,2,3\n").job.character_encoding == "UTF-8"
    done = run(bench, "a,b,c\nä,2,3\n".encode("cp1252"), encoding="CP1252")
    assert done.job.character_encoding == "windows-1252"


@chunked
@pytest.mark.parametrize(
    "broken", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"]
)
def test_a_row_with_a_byte_that_is_no_utf8_is_skipped(
    bench: Bench, broken: bytes, chunk_rows: int
) -> None:
    """So are overlong forms and surrogates. The other rows are stored, the result is written."""
    content = "a,b,c\nÄ,2,3\n4,".encode() + broken + ",6\n7,é,9\n8,ü,9\n".encode()
    done = run(bench, content, encoding="UTF-8", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "INVALID_DATA-b", "ADDED", "ADDED"]


def test_bad_bytes_in_a_column_without_a_mapping_are_ignored(bench: Bench) -> None:
    """A column that is not mapped is not read, so its bytes are not checked."""
    done = bench.run(
        b"a,b\n1,\xff\n2,x\n", mappings=[FieldMapping("Last_Name", 0)], encoding="UTF-8"
    )
    assert done.outcome == ["ADDED", "ADDED"]


# Line ends and delimiters


@chunked
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_kind(bench: Bench, eol: str, last: bool, chunk_rows: int) -> None:
    """The file may end with or without a line end."""
    text = eol.join(["a,b,c", "1,2,3", "4,5,6"]) + eol * last
    assert run(bench, text, chunk_rows=chunk_rows).outcome == ["ADDED", "ADDED"]
    assert stored(bench) == [("1", "2", "3"), ("4", "5", "6")]


@pytest.mark.parametrize("delimiter", [",", ";", "|", ":"])
def test_four_delimiters(bench: Bench, delimiter: str) -> None:
    """The delimiter is recognised by the header; the result is comma separated."""
    text = 'a,b,c\nx y,"1,2",z\n'.replace(",", delimiter)
    done = run(bench, text)
    assert done.outcome == ["ADDED"]
    assert stored(bench) == [("x y", f"1{delimiter}2", "z")]


def test_blank_lines_are_no_rows(bench: Bench) -> None:
    """A line of delimiters is a row, though; its mandatory field is missing."""
    done = run(bench, "\n\na,b,c\n\n1,2,3\n\r\n\n4,5,6\n,,\n\n")
    assert done.outcome == ["ADDED", "ADDED", "MANDATORY_NOT_FOUND-a"]


# Quotes


@chunked
def test_quoted_line_ends_and_quotes_are_text(bench: Bench, chunk_rows: int) -> None:
    """Each becomes one record with the same text."""
    text = 'a,b,c\n"x\ny","say ""hi""","1,2"\n"","\r\n",z\nlast,\u2028,\x0b\x1c\x85\n'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "MANDATORY_NOT_FOUND-a", "ADDED"]
    expected = [("x\ny", 'say "hi"', "1,2"), ("last", "\u2028", "\x0b\x1c\x85")]
    assert stored(bench) == expected


@chunked
def test_stray_quotes_are_text(bench: Bench, chunk_rows: int) -> None:
    """So is each quote of a cell in which text follows a closing quote."""
    text = 'a,b,c\n5" disk,x"y,z\n"q"r,2,3\nlast,5,6\n'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 3
    assert stored(bench) == [('5" disk', 'x"y', "z"), ('"q"r', "2", "3"), ("last", "5", "6")]


@chunked
def test_an_open_quote_loses_no_row(bench: Bench, chunk_rows: int) -> None:
    """Every line from the open quote on is a row."""
    text = 'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n10,11,12'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 4
    assert stored(bench)[1] == ("4", '"5', "6")


# Ragged rows


@chunked
def test_short_rows_have_empty_cells(bench: Bench, chunk_rows: int) -> None:
    """Missing cells are empty, so a mandatory field may be missing."""
    done = run(bench, "a,b,c\n1\n2,x\n,y\n3,x,y\n", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "ADDED", "MANDATORY_NOT_FOUND-a", "ADDED"]
    assert stored(bench) == [("1", None, None), ("2", "x", None), ("3", "x", "y")]


@chunked
def test_long_rows_are_skipped(bench: Bench, chunk_rows: int) -> None:
    """An extra cell has probably moved other cells; extra empty cells have not."""
    done = run(
        bench, 'a,b,c\n1,2,3,4\n1,2,3,\n1,2,3,,,\n"1",2,3,"4"\n5,6,7\n', chunk_rows=chunk_rows
    )
    bad = "INVALID_DATA-c"
    assert done.outcome == [bad, "ADDED", "ADDED", bad, "ADDED"]


@chunked
def test_a_long_row_is_skipped_with_any_quoting(bench: Bench, chunk_rows: int) -> None:
    """The slow reader and the fast one agree, however far behind the header the cell is."""
    bad = "INVALID_DATA-c"
    for first in ("1", '"1"', '5" disk'):
        rows = f"{first},2,3,,,x\n{first},2,3,,,\n{first},2,3,,\n{first},2,3,,x\n{first}\n"
        done = run(bench, f"a,b,c\n{rows}", chunk_rows=chunk_rows)
        assert done.outcome == [bad, "ADDED", "ADDED", bad, "ADDED"]


# Characters that stores reject


@chunked
def test_a_row_with_nul_is_skipped(bench: Bench, chunk_rows: int) -> None:
    """PostgreSQL cannot hold U+0000, so no store gets one, quoted or not."""
    done = run(bench, 'a,b,c\n1,2,3\n4,x\0y,6\n"7","\0",9\n10,11,12\n', chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "INVALID_DATA-b", "INVALID_DATA-b", "ADDED"]


def test_control_characters_are_kept(bench: Bench) -> None:
    """All other characters below U+0020 are text."""
    text = "".join(chr(c) for c in range(1, 32) if chr(c) not in "\r\n")
    assert run(bench, f"a,b,c\nx,{text},z\n").outcome == ["ADDED"]
    assert stored(bench)[0][1] == text


# Size


def test_a_cell_of_200_kilobytes_is_only_too_long(bench: Bench) -> None:
    """The limit of Python's csv module does not apply."""
    text = f'a,b,c\n1,{"x" * 200_000},3\n4,"{"y" * 200_000}",6\n7,8,9\n'
    assert run(bench, text).outcome == ["INVALID_DATA-b", "INVALID_DATA-b", "ADDED"]


@pytest.mark.slow
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_10_megabytes_skips_its_row_only(bench: Bench, quote: str) -> None:
    """The row before and the row after are stored."""
    text = f"a,b,c\n1,2,3\n4,{quote}{'x' * 10_000_000}{quote},6\n7,8,9\n"
    done = run(bench, text)
    assert done.statuses == ["ADDED", "SKIPPED", "ADDED"]
    assert done.errors[1].startswith("INVALID_DATA-b")


def test_two_hundred_columns(bench: Bench) -> None:
    """Mappings name their columns by index; headers may occur twice or be empty."""
    header = ",".join(["x"] * 198 + ["", "City"])
    row = ",".join(str(i) for i in range(200))
    mappings = [FieldMapping("Last_Name", 198), FieldMapping("City", 199)]
    assert bench.run(f"{header}\n{row}\n", mappings=mappings).outcome == ["ADDED"]
    record = bench.records()[0]
    assert (record["Last_Name"], record["City"]) == ("198", "199")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\0" * 100, b"PK\x03\x04xx"])
def test_a_file_that_is_no_csv_is_rejected_before_the_job(bench: Bench, content: bytes) -> None:
    """An error in the header is found at the upload, not when rows are read."""
    with pytest.raises(FileNotSupported):
        run(bench, content)
