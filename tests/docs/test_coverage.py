"""docs/coverage.md lists the operations as the program has them."""

from __future__ import annotations

from tests.docs.coverage_table import PAGE, page


def test_the_tables_of_operations_are_current() -> None:
    """`python -m tests.docs.coverage_table` writes them anew."""
    assert PAGE.read_text("utf-8") == page()
