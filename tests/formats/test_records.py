"""Whole records at the beginning of a text: where they end, and how they are parsed."""

from __future__ import annotations

import pytest

from bulkwright.domain import limits
from bulkwright.formats.csv import Segment, parse_slowly, records
from bulkwright.formats.csv.grammar import (
    cell_counts,
    first_record_end,
    last_line_end,
    located_rows,
    whole_records_end,
)
from bulkwright.formats.csv.records import WholeRecords, find_whole_records


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"1,2\n3,4\n", b"1,2\n3,4\n"),
        (b"1,2\r\n3,4\r\n", b"1,2\r\n3,4\r\n"),
        # Without quotes, lone CRs become LFs and blank lines go.
        (b"1,2\r3,4\r5\n", b"1,2\n3,4\n5\n"),
        (b"1,2\r3,4\r\n5\n", b"1,2\n3,4\n5\n"),
        (b"\n\n1,2\n\r\n\n3,4\n", b"1,2\n3,4\n"),
        (b"\r\n1,2\r\n\r\n3,4\r\n\r\n", b"1,2\r\n3,4\r\n"),
        (b"\r1,2\n", b"1,2\n"),
        (b"1,2\n\n", b"1,2\n"),
        (b"\nX,2\nX\n", b"X,2\nX\n"),
        (b"\n \t1,2\n", b" \t1,2\n"),
        (b"\n\n", b""),
        # Quotes that open where a cell begins and close where it ends.
        (b'"1",2\n', b'"1",2\n'),
        (b'1,"2"\r\n"3",4\n', b'1,"2"\r\n"3",4\n'),
        (b'"1\n2","3\r4"\n', b'"1\n2","3\r4"\n'),
        (b'"a""b",""\n""\n', b'"a""b",""\n""\n'),
        (b'"1,2","\n\n"\n', b'"1,2","\n\n"\n'),
        # Blank lines behind them are left out.
        (b'"1",2\n\n\r\n\n', b'"1",2\n'),
    ],
)
def test_well_formed_records_are_found_and_made_plain(text: bytes, kept: bytes) -> None:
    segments = (Segment(kept, well_formed=True),) if kept else ()
    assert find_whole_records(text, len(text), ",") == WholeRecords(len(text), segments)
    for segment in segments:
        assert segment.count(",") == len(list(parse_slowly(text, ",")))


@pytest.mark.parametrize(
    "text",
    [
        b'5" disk,2\n',
        b'1,2"\n',
        b'"1"x,2\n',
        b'x"1",2\n',
        b'1, "2"\n',
        b'"1" ,2\n',
        b'"1";"2"\n',
        # Blank lines and lone CRs near quotes.
        b'\n"1",2\n',
        b'"1",2\n\n3,4\n',
        b'"1",2\r\n\r\n3,4\n',
        b'"1",2\r3,4\n',
        b'1,2\r"3",4\n',
        b'"1\r\n",2\r3\n',
    ],
)
def test_other_records_are_found_by_the_grammar(text: bytes) -> None:
    """They stand as they are."""
    found = find_whole_records(text, len(text), ",")
    assert found == WholeRecords(len(text), (Segment(text, well_formed=False),))
    assert found.segments[0].count(",") == len(list(parse_slowly(text, ",")))


@pytest.mark.parametrize(
    ("text", "limit", "end"),
    [
        (b"1,2\n3,4\n5", 9, 8),
        (b"1,2\n3,4\n5", 8, 8),
        (b"1,2\n3,4\n5", 7, 4),
        (b"1,2\n3,4\n5", 3, 0),
        # A final CR may be half of a CRLF.
        (b"1,2\r3,4\r\n", 8, 4),
        (b"1,2\r3,4\r\n", 4, 0),
        (b"1,2\r3,4\r\n", 5, 4),
        (b'"1",2\n"3\n4"\n', 9, 6),
        (b'"1",2\n"3\n4"\n', 12, 12),
        (b'"1\n2\n', 5, 0),
        (b'"1" x\n"2\n3', 9, 6),
    ],
)
def test_records_end_within_the_limit(text: bytes, limit: int, end: int) -> None:
    """What begins before it and does not end before it is left."""
    found = find_whole_records(text, limit, ",")
    assert found.end == end
    rows = [row.cells for segment in found.segments for row in parse_slowly(segment.data, ",")]
    assert rows == [row.cells for row in parse_slowly(text[:end], ",")]


def test_a_delimiter_decides_what_is_well_formed() -> None:
    text = b'1;"2,3"\n"4,5";6\n'
    for delimiter, well_formed in ((";", True), (",", False)):
        (segment,) = find_whole_records(text, len(text), delimiter).segments
        assert segment.well_formed is well_formed
        assert segment.count(delimiter) == 2


def test_pieces_are_joined_where_they_are_parsed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage is confined to its piece; a record may be longer than a piece."""
    monkeypatch.setattr(records, "PIECE_BYTES", 8)
    text = b'1,2\n3,4\n5,6\n7" x,8\n9,10\n"11",12\n13,14\n' + b"x" * 40 + b",15\n"
    found = find_whole_records(text, len(text), ",")
    assert found.end == len(text)
    assert [(s.data, s.well_formed) for s in found.segments] == [
        (b"1,2\n3,4\n5,6\n", True),
        (b'7" x,8\n', False),
        (b'9,10\n"11",12\n13,14\n' + b"x" * 40 + b",15\n", True),
    ]


@pytest.mark.parametrize(("length", "end"), [(63, 64), (64, 0), (65, 0)])
def test_a_record_is_no_longer_than_its_limit(
    monkeypatch: pytest.MonkeyPatch, length: int, end: int
) -> None:
    """Its line end is part of it."""
    monkeypatch.setattr(records, "PIECE_BYTES", 4)
    monkeypatch.setattr(limits, "RECORD_BYTES", 64)
    text = b"x" * length + b"\n1,2\n"
    assert find_whole_records(text, len(text), ",").end == (len(text) if end else 0)
    quoted = b'"' + text[2:length] + b'"\n1,2\n'
    assert find_whole_records(quoted, len(quoted), ",").end == (len(quoted) if end else 0)


@pytest.mark.parametrize(
    ("text", "ends", "counts"),
    [
        ("1,2\n3\n", [(0, 4), (4, 6)], [2, 1]),
        ("\n\n1,2\r\n\r3", [(2, 7), (8, 9)], [2, 1]),
        ('"1\n2",3\n4\n', [(0, 8), (8, 10)], [2, 1]),
        # Text behind a closing quote: each of its lines is a record.
        ('1\n"2" x,3\n4\n', [(0, 2), (2, 10), (10, 12)], [1, 2, 1]),
        ('"1\n2" x,3\n4\n', [(0, 3), (3, 10), (10, 12)], [1, 2, 1]),
        ('"1\n\n2" x\n4\n', [(0, 3), (4, 9), (9, 11)], [1, 1, 1]),
        # A record that does not end.
        ('1\n"2,3\n4,"5"\n', [(0, 2), (2, 7), (7, 13)], [1, 2, 2]),
        ('"1\n\n2', [(0, 3), (4, 5)], [1, 1]),
    ],
)
def test_each_record_has_its_place(
    text: str, ends: list[tuple[int, int]], counts: list[int]
) -> None:
    """Blank lines are in none."""
    assert [(start, end) for start, end, _ in located_rows(text, ",")] == ends
    assert list(cell_counts(text.encode(), ",")) == counts


@pytest.mark.parametrize(
    ("data", "first", "whole", "line"),
    [
        (b"1,2\n3\n4", 4, 6, 6),
        (b"\n\n1\n2", 4, 4, 4),
        (b"1\r2\r", 2, 2, 2),
        (b"1\r2\r\n", 2, 5, 5),
        (b"1\n2\r3", 2, 4, 4),
        (b"1\r2\n3", 2, 4, 4),
        (b'"1\n2"\n3', 6, 6, 6),
        (b'"1\n2\n', 3, 0, 5),
        (b'"1\n2" x\n3\n', 3, 10, 10),
        (b'3\n"1\n2\n', 2, 2, 7),
        (b"1\r2\r3", 2, 4, 4),
        (b"\r1", 2, 1, 1),
        (b"alone", 5, 0, 0),
        (b"\r\n", 2, 2, 2),
        (b"", 0, 0, 0),
    ],
)
def test_where_records_and_lines_end(data: bytes, first: int, whole: int, line: int) -> None:
    """The first record, the last whole one, and the last line."""
    assert first_record_end(data, ",") == first
    assert whole_records_end(data, ",") == whole
    assert last_line_end(data) == line
