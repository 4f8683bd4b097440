"""Counts of rows by outcome."""

from __future__ import annotations

from bulkwright.domain.outcome import Counts


def test_counts_are_added_by_outcome() -> None:
    """Neither of the two changes."""
    one, other = Counts(added=1, updated=20, skipped=300), Counts(added=4, updated=50, skipped=600)
    assert one + other == Counts(added=5, updated=70, skipped=900)
    assert one == Counts(1, 20, 300)


def test_no_counts_are_zero() -> None:
    """Adding them changes nothing."""
    counts = Counts(added=1, updated=2, skipped=3)
    assert sum([counts], Counts()) == counts


def test_the_total_is_every_row_with_an_outcome() -> None:
    """`total_count` (facts 4.1)."""
    assert Counts(added=1, updated=20, skipped=300).total == 321
    assert Counts().total == 0
