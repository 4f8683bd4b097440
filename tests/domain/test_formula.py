"""Which cells of a CSV a spreadsheet program would run as a formula."""

from __future__ import annotations

import polars as pl
import pytest

from bulkwright.domain.formula import NEGATIVE_NUMBER, as_text

FORMULAS = (
    "=1+1", "=", "==", "+1+1", "+49 30 123", "-2+3", "-", "--1", "-A1", "-1-1", "-1.", "-.5",
    "-1e5", "-1\n", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "\0=1", "\uff1d1+1", "\uff0b1",
    "\uff0d1", "\uff20x", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.example";"y")',
)  # fmt: skip
TEXTS = (
    "", "Boyle", "a=1", " =1", "'=1", "1+1", "0", "-1", "-12.50", "-007", "p@x.example", '"=1"',
    "\u2212 1", "1-1",
)  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    """Once: then it is a text."""
    assert as_text(cell) == f"'{cell}"
    assert as_text(f"'{cell}") == f"'{cell}"


@pytest.mark.parametrize("cell", TEXTS)
def test_a_text_stays(cell: str) -> None:
    """A negative number is none, so that its column can be added up."""
    assert as_text(cell) == cell


def test_polars_reads_the_expression_alike() -> None:
    """The lines of a result are made by Polars."""
    cells = [cell for cell in (*FORMULAS, *TEXTS) if cell.startswith("-")]
    numbers = pl.Series(cells).str.contains(NEGATIVE_NUMBER).to_list()
    assert numbers == [as_text(cell) == cell for cell in cells]
