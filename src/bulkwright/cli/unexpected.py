"""Errors that no command expects, as one line."""

from __future__ import annotations

import traceback
from pathlib import Path

TRACEBACK = "BULKWRIGHT_TRACEBACK"
"""The environment variable with which such an error shows its traceback."""


def line_of(error: Exception) -> str:
    """Returns what is reported of an error. Its own text is left out, because it may be secret."""
    if isinstance(error, UnicodeError):
        return "an argument or the name of a file has bytes that are not UTF-8; rename it."
    if isinstance(error, OverflowError):
        return "a number is out of its range; give another one."
    if isinstance(error, RecursionError):
        return "a file has too many brackets inside each other; give one with fewer levels."
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    return (
        f"an error of the program itself ({place}). Run the command again with {TRACEBACK}=1, and "
        "report what it prints; remove passwords from it first."
    )
