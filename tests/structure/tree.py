"""The source tree of the product as syntax trees."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "bulkwright"


@dataclass(frozen=True)
class Module:
    """One module: its path below `src/bulkwright`, its lines and its tree."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module

    @cached_property
    def _nodes(self) -> Mapping[type[ast.AST], Sequence[ast.AST]]:
        """Every node by its kind: one walk serves all tests."""
        nodes = defaultdict(list)
        for node in ast.walk(self.tree):
            nodes[type(node)].append(node)
        return nodes

    def find(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these kinds, however deep."""
        return (node for kind in kinds for node in self._nodes.get(kind, ()))


def read(path: Path, root: Path = SOURCE) -> Module:
    """Parse one file."""
    text = path.read_text("utf-8")
    return Module(str(path.relative_to(root)), tuple(text.splitlines()), ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product."""
    return tuple(read(path) for path in sorted(SOURCE.rglob("*.py")))
