"""Cells that a spreadsheet program runs as a formula when a person opens a CSV.

A cell of a CSV has no type, so a text that came from outside and begins like a formula is one. With
an apostrophe before it, it is shown as text (OWASP, CSV injection; ASVS 5.0, 1.2.10).
"""

from __future__ import annotations

import re

FORMULA_SIGNS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"
"""The first characters of a formula, and those that programs skip before it. The last four are the
full-width forms of the first four."""
NEGATIVE_NUMBER = "^-[0-9]+(?:[.][0-9]+)?$"
"""A text that begins like a formula and is none; Python and Polars read this expression alike."""

_negative_number = re.compile(NEGATIVE_NUMBER)


def as_text(cell: str) -> str:
    """Returns the cell with an apostrophe before it if it would be run as a formula."""
    if not cell or cell[0] not in FORMULA_SIGNS or _negative_number.fullmatch(cell):
        return cell
    return f"'{cell}"
