"""Ids as text: what is an id, and what only looks like one."""

from __future__ import annotations

import pytest

from bulkwright.domain.ids import ID_DIGITS, parse_id

LONGEST = "9" * ID_DIGITS


@pytest.mark.parametrize("text", ["1", "10", "111111000002308051", LONGEST])
def test_digits_are_an_id(text: str) -> None:
    """The number that the digits spell, with and without leading zeros allowed."""
    assert parse_id(text) == parse_id(text, leading_zeros=True) == int(text)


def test_leading_zeros_are_an_option() -> None:
    """`01` is an id only where the caller allows it; zeros count as digits."""
    assert parse_id("01") is None
    assert parse_id("01", leading_zeros=True) == 1
    assert parse_id("0" + LONGEST[1:], leading_zeros=True) == int(LONGEST[1:])
    assert parse_id("0" + LONGEST, leading_zeros=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "000", "-1", "+1", "1.0", "1e3", "1_000", "0x1f", " 1", "1 ", "1\n", "abc",
        "1\0", "\u00b2", "1\u00b2", "\u0661\u0662", "\uff11", LONGEST + "0", "9" * 5_000,
    ],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    """No sign, blank, other script or superscript; nothing longer than ID_DIGITS."""
    assert parse_id(text) is None
    assert parse_id(text, leading_zeros=True) is None
