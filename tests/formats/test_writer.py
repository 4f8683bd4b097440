"""Lines of CSVs as they are written, and rows that fit a table."""

from __future__ import annotations

import io

import pytest

from bulkwright.formats.csv.grammar import Quoting, TextRow
from bulkwright.formats.csv.rows import FileRow
from bulkwright.formats.csv.writer import CsvWriter


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["a", "b;c", 1], "a,b;c,1\n"),
        (['a"b', "c,d", "e\nf"], '"a""b","c,d","e\nf"\n'),
        (["a", 2, "b\rc"], '"a","2","b\rc"\n'),
        (["=1", -1], "=1,-1\n"),
    ],
)
def test_a_line_is_quoted_where_it_must_be(cells: list[object], line: str) -> None:
    """A lone CR ends a row too."""
    out = io.StringIO(newline="")
    CsvWriter(out, quote_formulas=False).write(cells)
    assert out.getvalue() == line


def test_formulas_and_delimiters() -> None:
    """Texts that are formulas become texts; a number stays what it is."""
    out = io.StringIO(newline="")
    writer = CsvWriter(out, quote_formulas=True, delimiter=";")
    writer.write(["=1", -1, "a;b", "c"])
    writer.write(["=1", "d\re"])
    assert out.getvalue() == '\'=1;-1;"a;b";c\n' + '"\'=1";"d\re"\n'


@pytest.mark.parametrize(
    ("cells", "quoting", "fits"),
    [
        (["a"], Quoting.GOOD, True),
        (["a", "b"], Quoting.INNER, True),
        (["a", "b", "", ""], Quoting.GOOD, True),
        (["a", "b", "", "c"], Quoting.GOOD, False),
        (["a", "b"], Quoting.STRAY, True),
        (["a"], Quoting.STRAY, False),
        (["a", "b", ""], Quoting.STRAY, False),
        (["a", "b"], Quoting.BROKEN, False),
    ],
)
def test_a_row_fits_a_table_of_two_columns(
    cells: list[str], quoting: Quoting, *, fits: bool
) -> None:
    """As text and as a row of a file."""
    assert TextRow(cells, quoting).fits(2) is fits
    assert FileRow(1, cells, quoting, "").fits(2) is fits
