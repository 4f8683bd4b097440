"""The body of a request as one JSON document.

Deep nesting, huge numbers, NaN, repeated keys and lone surrogates are rejected here, before any
other code reads the body.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bulkwright.domain.errors import InvalidData, LimitExceeded
from bulkwright.domain.limits import JSON_OBJECTS, JSON_VALUES

_INTEGER_DIGITS = 19


def parse_document(
    body: bytes, objects: int = JSON_OBJECTS, values: int = JSON_VALUES
) -> dict[str, Any]:
    """Returns the JSON object that a body holds.

    Raises InvalidData for anything else, and LimitExceeded for one with more objects or values.
    """
    # Python objects are made of each of them, while no other thread of the process runs.
    if body.count(b"{") > objects or body.count(b",") > values:
        raise LimitExceeded("The request body has too many objects or values.")
    try:
        text = body.decode("utf-8-sig")
        # What the decoder does in C is twenty times as fast as a function that it calls.
        checked = _SUSPECT_NUMBER.search(text) is not None
        root = json.loads(
            text,
            object_pairs_hook=_reject_repeated_keys,
            parse_constant=_reject_constant,
            parse_float=_parse_decimal if checked else Decimal,
            parse_int=_parse_integer if checked else None,
        )
        if _SUSPECT_ESCAPE.search(text) and not all(map(_is_text, _strings(root))):
            raise ValueError("a string that is no Unicode text")
    except (ValueError, RecursionError):
        raise wrong_type("jsonobject", "$") from None
    return as_object(root, "$")


_SUSPECT_NUMBER = re.compile(rf"[0-9]{{{_INTEGER_DIGITS + 1}}}|[0-9][eE][+-]?[0-9]{{3}}")
"""A document without this has no number that has too many digits or that no float holds."""
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""A document without this has no string with NUL or half a character: JSON escapes them."""


def _reject_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key comes twice")
    return made


def _reject_constant(word: str) -> object:
    raise ValueError(word)


def _parse_decimal(digits: str) -> Decimal:
    if not math.isfinite(float(digits)):
        raise ValueError(digits)
    return Decimal(digits)


def _parse_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _INTEGER_DIGITS:
        raise ValueError("too many digits")
    return int(digits)


def _is_text(text: str) -> bool:
    """Whether the text has no NUL and no half of a character."""
    return "\0" not in text and (text.isascii() or _HALF.search(text) is None)


_HALF = re.compile("[\ud800-\udfff]")


def _strings(root: object) -> Iterator[str]:
    """Yields every string of the document, also keys, without recursion."""
    rest = [root]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            rest += value.keys()
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def as_object(value: object, path: str) -> dict[str, Any]:
    """Returns a value that is an object. Raises InvalidData for any other."""
    if not isinstance(value, dict):
        raise wrong_type("jsonobject", path)
    return value


def wrong_type(kind: str, path: str) -> InvalidData:
    """Returns the error of a value that has another type."""
    return InvalidData(details={"expected_data_type": kind, "json_path": path})
