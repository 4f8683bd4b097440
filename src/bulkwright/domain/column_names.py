"""Names of the columns of a file: their headers, and their places where a header names none.

A header has no blanks at its ends here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_PLACE = re.compile("column ([1-9][0-9]{0,4})")


def place_name(index: int) -> str:
    """Returns the name that every column has: `column 3` for the index 2."""
    return f"column {index + 1}"


def is_place_name(name: str) -> bool:
    """Returns whether a name is that of a place."""
    return _PLACE.fullmatch(name) is not None


def column_names(header: Sequence[str]) -> list[str]:
    """Returns a name for each column: its header.

    A column with an empty header, or with one that another column has too, is named by its place.
    """
    counts = Counter(header)
    return [
        text if text and counts[text] == 1 else place_name(at) for at, text in enumerate(header)
    ]


def index_of(column: str, header: Sequence[str]) -> int | None:
    """Returns the index of the column with this header, otherwise of the one at this place.

    None if there is no such column, or if several have this header.
    """
    if column in header:
        return header.index(column) if header.count(column) == 1 else None
    place = _PLACE.fullmatch(column)
    return int(place[1]) - 1 if place and int(place[1]) <= len(header) else None
