"""docs/settings.md lists every setting as the program has it."""

from __future__ import annotations

from tests.docs.settings_table import PAGE, page


def test_the_table_of_settings_is_current() -> None:
    """`python -m tests.docs.settings_table` writes it anew."""
    assert PAGE.read_text("utf-8") == page()
