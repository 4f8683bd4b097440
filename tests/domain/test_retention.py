"""How long things are kept, as users write it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bulkwright.domain.retention import parse_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1h", timedelta(hours=1)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
        ("1d", timedelta(days=1)),
        ("007D", timedelta(days=7)),
        (" 4 W ", timedelta(weeks=4)),
        ("100000h", timedelta(hours=100_000)),
        ("forever", None),
        (" Forever\n", None),
    ],
)
def test_a_time_is_hours_days_weeks_or_forever(text: str, time: timedelta | None) -> None:
    """In any case, with blanks around it."""
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "-1d", "1.5d", "7m", "7dd", "7d 1h", "100001h", "9999999d", "٧d"],
)  # fmt: skip
def test_any_other_text_is_rejected_with_the_valid_forms(text: str) -> None:
    """The message repeats the text, so that a user finds it in a file of settings."""
    with pytest.raises(ValueError) as caught:
        parse_time(text)
    assert str(caught.value) == (
        f"{text!r} is not a time; write hours, days or weeks (12h, 7d, 4w), or forever"
    )


def test_zero_is_a_time_where_nothing_may_be_kept() -> None:
    assert parse_time(" 0 ", may_be_none=True) == timedelta(0)
    with pytest.raises(ValueError, match="not a time"):
        parse_time("0")


@pytest.mark.parametrize("text", ["0h", "0d", "000w"])
def test_an_hour_is_the_least(text: str) -> None:
    """An upload must exist until its job is created."""
    with pytest.raises(ValueError) as caught:
        parse_time(text)
    assert str(caught.value) == f"{text!r} is too short; an hour (1h) is the least"
