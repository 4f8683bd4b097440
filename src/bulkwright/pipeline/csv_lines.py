"""Writes rows as lines of a CSV: UTF-8, comma separated, `\\n` at line ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import polars as pl

from bulkwright.domain.formula import FORMULA_SIGNS, NEGATIVE_NUMBER

_TEXTS = pl.col(pl.String)


def write_lines(rows: pl.DataFrame, out: IO[bytes], *, quote_formulas: bool) -> None:
    """Writes rows of texts and numbers. An empty text and a null are both written as nothing.

    With `quote_formulas`, no cell is a formula (domain/formula.py).
    """
    if quote_formulas:
        rows = rows.with_columns(_as_text(_TEXTS))
    # An empty text would be written as two quotes.
    rows.with_columns(pl.when(_TEXTS != "").then(_TEXTS)).write_csv(out, include_header=False)


def write_line(cells: Sequence[str], out: IO[bytes], *, quote_formulas: bool) -> None:
    """Writes one line in the same way."""
    row = pl.DataFrame([pl.Series(str(i), [cell]) for i, cell in enumerate(cells)])
    write_lines(row, out, quote_formulas=quote_formulas)


def _as_text(cell: pl.Expr) -> pl.Expr:
    """What `domain.formula.as_text` returns, of a column."""
    begins = cell.str.slice(0, 1).is_in(list(FORMULA_SIGNS))
    is_formula = begins & ~cell.str.contains(NEGATIVE_NUMBER)
    return pl.when(is_formula).then(pl.lit("'") + cell).otherwise(cell).name.keep()
