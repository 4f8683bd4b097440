"""A test folder imports its own helpers and those of tests/support, nothing else."""

from __future__ import annotations

import ast

from tests.structure.tree import ROOT, read

SIDEWAYS = {
    ("tests/conftest.py", "sdk"): "writes the record of the SDK tests, in the process that reports",
    ("tests/formats", "hostile"): "reads the same hostile zips without a server",
}
"""Imports from another folder, with the reason."""


def imported(path: str) -> set[str]:
    """The folders of tests that a file imports from."""
    tree = read(ROOT / path, ROOT).tree
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {f"{n.module}.{a.name}" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)
              and n.module == "tests" for a in n.names}  # fmt: skip
    return {name.split(".")[1] for name in names if name.startswith("tests.")}


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
