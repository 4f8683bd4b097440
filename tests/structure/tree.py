"""The source tree of the product as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "bulkwright"


@dataclass(frozen=True)
class Module:
    """One module: its path below `src/bulkwright`, its lines and its tree."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module

    def find(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these kinds, however deep."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))


def read(path: Path, root: Path = SOURCE) -> Module:
    """Parse one file."""
    text = path.read_text("utf-8")
    return Module(str(path.relative_to(root)), tuple(text.splitlines()), ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product."""
    return tuple(read(path) for path in sorted(SOURCE.rglob("*.py")))
