"""Quotes: none takes other lines into its cell, and no character is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.csvs import read
from tests.support.effort import tries

from bulkwright.formats.csv import Quoting, TextRow, parse_slowly
from bulkwright.formats.csv.grammar import unclosed_record_end

GOOD, INNER, STRAY, BROKEN = Quoting.GOOD, Quoting.INNER, Quoting.STRAY, Quoting.BROKEN


def parse(text: str, delimiter: str = ",") -> list[TextRow]:
    """All records of a text."""
    return list(parse_slowly(text.encode(), delimiter))


@pytest.mark.parametrize(
    ("line", "cells", "quoting"),
    [
        ('a,"b ""c"" d",e', ["a", 'b "c" d', "e"], GOOD),
        ('"a","",""', ["a", "", ""], GOOD),
        ('5" disk,b,c', ['5" disk', "b", "c"], INNER),
        ('x""y,b,c', ['x""y', "b", "c"], INNER),
        ('"say "hello" now",b,c', ['"say "hello" now"', "b", "c"], STRAY),
        ('"a" ,b,c', ['"a" ', "b", "c"], STRAY),
        (' "a",b,c', [' "a"', "b", "c"], STRAY),
        ('a,"b,c', ["a", '"b', "c"], STRAY),
        ('a,b,c"', ["a", "b", 'c"'], STRAY),
        ('"',  ['"'], STRAY),
        ('a"b,c"', ['a"b', 'c"'], STRAY),
        ('"a" ,"b" ,c', ['"a" ', '"b" ', "c"], STRAY),
        (' ",x",b', [' "', 'x"', "b"], BROKEN),
        ('"Smith, "Bob" J.",x', ['"Smith', ' "Bob" J."', "x"], BROKEN),
        ('"a, b" c,"d",e', ['"a', ' b" c', '"d"', "e"], BROKEN),
        ('a, "b, c",d', ["a", ' "b', ' c"', "d"], BROKEN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_line_is_read_with_all_its_characters(
    line: str, cells: list[str], quoting: Quoting, end: str
) -> None:
    """If text follows a closing quote, all quotes of the line are characters."""
    assert parse(line + end) == [TextRow(cells, quoting)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # The quote before Ac would end before Beta.
        ('A,"Ac,x\nB,"Beta,y\nC,Go,z', [["A", '"Ac', "x"], ["B", '"Beta', "y"], ["C", "Go", "z"]]),
        # A good cell of two lines follows.
        ('A,"x,1\nB,y,2\nC,"d\ne",3', [["A", '"x', "1"], ["B", "y", "2"], ["C", "d\ne", "3"]]),
        # Good quotes follow on the lines that the open quote would take.
        ('A,"x,1\nB,"",2\nC,"",3', [["A", '"x', "1"], ["B", "", "2"], ["C", "", "3"]]),
        # Damage in each line.
        ('"A"x,1\n"B"y,2\n"C"z,3', [['"A"x', "1"], ['"B"y', "2"], ['"C"z', "3"]]),
        # A good cell of two lines behind damage in two.
        ('"A"x,1\n"B"y,2\n"C\nD",3', [['"A"x', "1"], ['"B"y', "2"], ["C\nD", "3"]]),
        # Lines of which each opens what the next one closes.
        ('a","b\na","b\nx "y"', [['a"', '"b'], ['a"', '"b'], ['x "y"']]),
    ],
)  # fmt: skip
def test_a_damaged_quote_takes_no_other_line(text: str, rows: list[list[str]]) -> None:
    """Only its line stands by itself; what follows is read as if it was not there."""
    assert [row.cells for row in parse(text)] == rows
    assert read(b"a,b,c\n" + text.encode()) == rows


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        (TextRow(["1", "2"], GOOD), True),
        (TextRow(["1", "2", "3", "", ""], GOOD), True),
        (TextRow(["1", "2", "3", "", "x"], GOOD), False),
        (TextRow(['5" x'], INNER), True),
        (TextRow(['1"', "2", "3"], STRAY), True),
        (TextRow(['and the rest"', "x"], STRAY), False),
        (TextRow(['1"', "2", "3", ""], STRAY), False),
        (TextRow(['"1', '2"', "3"], BROKEN), False),
    ],
)
def test_a_row_fits_if_each_cell_belongs_to_its_column(row: TextRow, fits: bool) -> None:
    """A part of a damaged record has fewer cells, and its quotes stand at the edge of a cell."""
    assert row.fits(3) is fits


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b'"a\nb\nc', 5),
        (b'"a\rb\nc', 5),
        (b'"a\nb\rc', 3),
        (b'"a\rb\rc', 5),
        (b'"a\rb\r', 3),
        (b'"a\r\n', 4),
        (b"\rab", 1),
        (b'"a\r', 0),
        (b'"ab', 0),
    ],
)
def test_a_record_that_does_not_end_is_split_into_its_lines(text: bytes, end: int) -> None:
    """At the last LF, or at the last CR if there is none; a final CR may be half of a CRLF."""
    assert unclosed_record_end(text) == end


@tries(300)
@given(st.text(st.sampled_from('ab"",;\n\r\n'), max_size=50), st.sampled_from(",;"))
def test_no_character_is_lost(text: str, delimiter: str) -> None:
    """What is missing in the cells are delimiters, line ends, and quotes of well-formed cells."""
    rows = parse(text, delimiter)
    kept = "".join("".join(row.cells) for row in rows)
    letters = str.maketrans("", "", '"\r\n' + delimiter)
    assert kept.translate(letters) == text.translate(letters)
    # A line without well-formed quotes keeps them all.
    for line in text.replace("\r", "\n").split("\n"):
        (found, *others) = parse(line, delimiter) or [TextRow([], GOOD)]
        assert not others
        if found.quoting is not GOOD and line.count('"') % 2:
            assert sum(cell.count('"') for cell in found.cells) <= line.count('"')


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", ['a","b\n', '"\n', '"a\n', '"a"b\n', 'x,"y\n', '"",""\n', '""a\n', '"a""\n', '","\n']
)  # fmt: skip
def test_reading_stays_linear(line: str) -> None:
    """Twice the text takes no more than a few times as many steps, whatever the quotes are."""
    import sys

    def steps(count: int) -> int:
        found = 0

        def trace(*_: object) -> None:
            nonlocal found
            found += 1

        sys.setprofile(trace)
        try:
            list(parse_slowly((line * count + '"x" y').encode(), ","))
        finally:
            sys.setprofile(None)
        return found

    assert steps(4000) < 3 * steps(2000) + 1000
