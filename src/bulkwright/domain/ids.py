"""Ids as text: the one parser of the ids that clients and users send.

An id has 18 digits at most, so it fits a signed 64-bit integer of the database.
"""

from __future__ import annotations

ID_DIGITS = 18
"""Digits of an id at most."""


def parse_id(text: str, *, leading_zeros: bool = False) -> int | None:
    """Returns the id that `text` holds, or None if `text` is not an id.

    An id is 1 to ID_DIGITS ASCII digits and is not 0. It may start with 0 only if `leading_zeros`.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS):
        return None
    if text[0] == "0" and not leading_zeros:
        return None
    return int(text) or None
