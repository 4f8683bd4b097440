"""Odd files, end to end: no row vanishes, and a bad one does its neighbours no harm."""

from __future__ import annotations

import pytest
from tests.engine.bench import Bench, Done

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.job import Mapping

THREE = [Mapping("Last_Name", 0), Mapping("City", 1), Mapping("State", 2)]
chunked = pytest.mark.parametrize("chunk_rows", [1, 1000])


def run(bench: Bench, content: str | bytes, **more: object) -> Done:
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
    """A byte order mark is no part of the header; a declared encoding is taken at its word."""
    text = "Näme,Ört,x\nMüller,Köln,É\n"
    done = run(bench, text.encode(codec), encoding=declared)
    assert done.header[:3] == ["Näme", "Ört", "x"] and done.outcome == ["ADDED"]
    assert stored(bench) == [("Müller", "Köln", "É")]


def test_a_job_says_which_encoding_it_used(bench: Bench) -> None:
    """Detected or declared, in the wire's spelling."""
    assert run(bench, "a,b,c\n1,2,3\n").job.character_encoding == "UTF-8"
    done = run(bench, "a,b,c\nä,2,3\n".encode("cp1252"), encoding="CP1252")
    assert done.job.character_encoding == "windows-1252"


@chunked
@pytest.mark.parametrize(
    "broken", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"]
)
def test_a_byte_that_is_no_utf8_costs_its_row(bench: Bench, broken: bytes, chunk_rows: int) -> None:
    """Overlong forms and surrogates too; the other rows are stored, the result is written."""
    content = "a,b,c\nÄ,2,3\n4,".encode() + broken + ",6\n7,é,9\n8,ü,9\n".encode()
    done = run(bench, content, encoding="UTF-8", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "INVALID_DATA-b", "ADDED", "ADDED"]


def test_bad_bytes_in_a_column_that_is_not_mapped_do_no_harm(bench: Bench) -> None:
    """What is not read cannot be wrong."""
    done = bench.run(b"a,b\n1,\xff\n2,x\n", mappings=[Mapping("Last_Name", 0)], encoding="UTF-8")
    assert done.outcome == ["ADDED", "ADDED"]


# Line ends and delimiters


@chunked
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_of_every_kind(bench: Bench, eol: str, last: bool, chunk_rows: int) -> None:
    """With and without one at the end of the file."""
    text = eol.join(["a,b,c", "1,2,3", "4,5,6"]) + eol * last
    assert run(bench, text, chunk_rows=chunk_rows).outcome == ["ADDED", "ADDED"]
    assert stored(bench) == [("1", "2", "3"), ("4", "5", "6")]


@pytest.mark.parametrize("delimiter", [",", ";", "|", ":"])
def test_four_delimiters(bench: Bench, delimiter: str) -> None:
    """Recognised by the header; the result is comma separated."""
    text = 'a,b,c\nx y,"1,2",z\n'.replace(",", delimiter)
    done = run(bench, text)
    assert done.outcome == ["ADDED"]
    assert stored(bench) == [("x y", f"1{delimiter}2", "z")]


def test_blank_lines_are_no_rows(bench: Bench) -> None:
    """A line of delimiters is one, though: it lacks what is mandatory."""
    done = run(bench, "\n\na,b,c\n\n1,2,3\n\r\n\n4,5,6\n,,\n\n")
    assert done.outcome == ["ADDED", "ADDED", "MANDATORY_NOT_FOUND-a"]


# Quotes


@chunked
def test_quoted_line_ends_and_quotes_are_text(bench: Bench, chunk_rows: int) -> None:
    """One record each, verbatim."""
    text = 'a,b,c\n"x\ny","say ""hi""","1,2"\n"","\r\n",z\nlast,\u2028,\x0b\x1c\x85\n'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "MANDATORY_NOT_FOUND-a", "ADDED"]
    expected = [("x\ny", 'say "hi"', "1,2"), ("last", "\u2028", "\x0b\x1c\x85")]
    assert stored(bench) == expected


@chunked
def test_stray_quotes_are_text(bench: Bench, chunk_rows: int) -> None:
    """A quote that does not open a cell is a character like any other."""
    text = 'a,b,c\n5" disk,x"y,z\n"q"r,2,3\nlast,5,6\n'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 3
    assert stored(bench) == [('5" disk', 'x"y', "z"), ("qr", "2", "3"), ("last", "5", "6")]


@chunked
def test_no_row_vanishes_into_an_open_quote(bench: Bench, chunk_rows: int) -> None:
    """From the line of the open quote on every line is a row."""
    text = 'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n10,11,12'
    done = run(bench, text, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 4
    assert stored(bench)[1] == ("4", '"5', "6")


# Ragged rows


@chunked
def test_short_rows_have_empty_cells(bench: Bench, chunk_rows: int) -> None:
    """What is missing is empty: a mandatory field is then missing too."""
    done = run(bench, "a,b,c\n1\n2,x\n,y\n3,x,y\n", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "ADDED", "MANDATORY_NOT_FOUND-a", "ADDED"]
    assert stored(bench) == [("1", None, None), ("2", "x", None), ("3", "x", "y")]


@chunked
def test_long_rows_are_refused(bench: Bench, chunk_rows: int) -> None:
    """A cell too many has probably pushed others out of place; empty ones have not."""
    done = run(
        bench, 'a,b,c\n1,2,3,4\n1,2,3,\n1,2,3,,,\n"1",2,3,"4"\n5,6,7\n', chunk_rows=chunk_rows
    )
    bad = "INVALID_DATA-c"
    assert done.outcome == [bad, "ADDED", "ADDED", bad, "ADDED"]


@chunked
def test_a_long_row_is_refused_however_it_is_quoted(bench: Bench, chunk_rows: int) -> None:
    """The slow reader and the fast one agree, wherever behind the header a cell stands."""
    bad = "INVALID_DATA-c"
    for first in ("1", '"1"', '5" disk'):
        rows = f"{first},2,3,,,x\n{first},2,3,,,\n{first},2,3,,\n{first},2,3,,x\n{first}\n"
        done = run(bench, f"a,b,c\n{rows}", chunk_rows=chunk_rows)
        assert done.outcome == [bad, "ADDED", "ADDED", bad, "ADDED"]


# Characters that stores do not take


@chunked
def test_nul_costs_its_row(bench: Bench, chunk_rows: int) -> None:
    """PostgreSQL has no U+0000, so no store gets one; quoted or not."""
    done = run(bench, 'a,b,c\n1,2,3\n4,x\0y,6\n"7","\0",9\n10,11,12\n', chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "INVALID_DATA-b", "INVALID_DATA-b", "ADDED"]


def test_control_characters_are_kept(bench: Bench) -> None:
    """Everything else below U+0020 is text."""
    text = "".join(chr(c) for c in range(1, 32) if chr(c) not in "\r\n")
    assert run(bench, f"a,b,c\nx,{text},z\n").outcome == ["ADDED"]
    assert stored(bench)[0][1] == text


# Size


def test_a_cell_of_200_kilobytes_is_only_too_long(bench: Bench) -> None:
    """The csv module's own limit is none here."""
    text = f'a,b,c\n1,{"x" * 200_000},3\n4,"{"y" * 200_000}",6\n7,8,9\n'
    assert run(bench, text).outcome == ["INVALID_DATA-b", "INVALID_DATA-b", "ADDED"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_10_megabytes_costs_its_row_alone(bench: Bench, quote: str) -> None:
    """The row before and the row behind are stored."""
    text = f"a,b,c\n1,2,3\n4,{quote}{'x' * 10_000_000}{quote},6\n7,8,9\n"
    done = run(bench, text)
    assert done.statuses == ["ADDED", "SKIPPED", "ADDED"]
    assert done.errors[1].startswith("INVALID_DATA-b")


def test_two_hundred_columns(bench: Bench) -> None:
    """Mappings pick what they need by index, headers may be doubled or empty."""
    header = ",".join(["x"] * 198 + ["", "City"])
    row = ",".join(str(i) for i in range(200))
    mappings = [Mapping("Last_Name", 198), Mapping("City", 199)]
    assert bench.run(f"{header}\n{row}\n", mappings=mappings).outcome == ["ADDED"]
    record = bench.records()[0]
    assert (record["Last_Name"], record["City"]) == ("198", "199")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\0" * 100, b"PK\x03\x04xx"])
def test_what_is_no_csv_is_refused_when_the_job_is_asked_for(bench: Bench, content: bytes) -> None:
    """Not when rows are read."""
    with pytest.raises(FileNotSupported):
        run(bench, content)
