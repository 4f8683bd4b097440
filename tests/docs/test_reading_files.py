"""The table of docs/reading-files.md is what the readers do."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.readers import table

PAGE = Path(__file__).parents[2] / "docs" / "reading-files.md"
_CELL = re.compile(r"(?<!\\)\|")


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in _CELL.split(line)[1:-1]]


def test_the_table_is_what_the_installed_readers_do() -> None:
    """The columns of readers that are not installed are left as they are."""
    text = PAGE.read_text("utf-8")
    lines = [cells(line) for line in text[text.index("| file | here") :].splitlines()]
    names, _, *rows = [cells(line) for line in table()]
    columns = [lines[0].index(name) for name in names]
    assert {"here", "csv", "Polars"} <= set(names)
    assert [[line[at] for at in columns] for line in lines[2:]] == rows
