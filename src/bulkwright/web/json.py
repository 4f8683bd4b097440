"""Structs and plain values to bytes: compact JSON in pure ASCII."""

from __future__ import annotations

import re

import msgspec

# Money is shown with the very digits that were stored.
_encoder = msgspec.json.Encoder(decimal_format="number")
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def encode(body: object) -> bytes:
    """Returns compact JSON in which every non-ASCII character is escaped.

    The browser SDK reads responses as Latin-1. Escaped text is the same to every client (client
    contract 5).
    """
    data = _encoder.encode(body)
    if data.isascii():
        return data
    # Outside of strings JSON is ASCII, so each other character can be escaped where it stands.
    return _NOT_ASCII.sub(_escape, data.decode()).encode("ascii")


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
