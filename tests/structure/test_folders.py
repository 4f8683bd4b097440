"""A test folder imports its own helpers and those of tests/support, nothing else."""

from __future__ import annotations

import re

from tests.structure.tree import ROOT

SIDEWAYS = {
    ("tests/conftest.py", "sdk"): "writes the record of the SDK tests, in the process that reports",
    ("tests/formats", "hostile"): "reads the same hostile zips without a server",
}
"""Imports from another folder, with the reason."""


IMPORT = re.compile(r"^[ \t]*(?:from|import) tests(?:\.(\w+)| import )", re.MULTILINE)
"""This takes a hundredth of the time of a parser. `from tests import` names no folder."""


def imported(path: str) -> set[str]:
    """The folders of tests that a file imports from."""
    return set(IMPORT.findall((ROOT / path).read_text("utf-8")))


def test_helpers_are_imported_downwards() -> None:
    """`tests/X` knows X and support; `tests/support` knows itself alone."""
    found = set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        place = str(path.relative_to(ROOT))
        folder = place.split("/")[1]
        for other in imported(place) - {folder, "support"}:
            known = (place, other) in SIDEWAYS or (f"tests/{folder}", other) in SIDEWAYS
            if not known:
                found.add((place, other))
    assert found == set()
