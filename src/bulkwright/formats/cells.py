"""The text of a value of Python, as a cell of a CSV that the service reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

LIST_SIGN = ";"
"""Separates the values of a list, as in a multi-select picklist."""


def cell_text(value: object) -> str:
    """Returns the text of a value; None and NaN give an empty one. Raises ValueError.

    A whole number is written without a fraction, and no number has an exponent.
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return plain_number(repr(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, list | tuple | set | frozenset):
        return list_text([cell_text(each) for each in value])
    if isinstance(value, bytes | bytearray | Mapping):
        raise ValueError(f"a cell cannot hold a value of the type {type(value).__name__}")
    return str(value)


def list_text(texts: list[str]) -> str:
    """Returns the texts of a list as one. Raises ValueError if one has the sign between them."""
    for text in texts:
        if LIST_SIGN in text:
            raise ValueError(f"a value of a list has a `{LIST_SIGN}`, which separates the values")
    return LIST_SIGN.join(texts)


def plain_number(text: str) -> str:
    """Returns the same number without an exponent, and without a fraction that is zero.

    The text of a number that is not finite, or has hundreds of digits, is returned as it is.
    """
    if "e" in text or "E" in text:
        number = Decimal(text)
        if abs(number.adjusted()) > _MOST_DIGITS:
            return text
        text = format(number, "f")
    whole, point, fraction = text.partition(".")
    return whole if point and not fraction.strip("0") else text


_MOST_DIGITS = 400
"""More than the exponent of any float."""
