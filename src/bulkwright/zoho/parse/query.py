"""The parameters of queries."""

from __future__ import annotations

from collections.abc import Mapping

from bulkwright.domain.errors import InvalidData

_MOST_DIGITS = 9


def whole_number(query: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    """Returns a parameter between 1 and `maximum`. Raises InvalidData for any other text."""
    text = query.get(name)
    if text is None:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not (is_number and 1 <= int(text) <= maximum):
        raise InvalidData(details={"param_name": name, "maximum": maximum})
    return int(text)


def listed_names(query: Mapping[str, str], name: str) -> list[str]:
    """Returns the names in a parameter, which are joined by commas."""
    return [part for part in query.get(name, "").split(",") if part]
