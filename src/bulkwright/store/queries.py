"""Loads named queries from `<dialect>/queries/*.sql`. Python never builds one of these.

A query begins with `-- name: some_name` and a comment that says in a sentence what it does.
Parameters are written `:name`; they reach the driver by position, which every driver knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)
_PARAMETER = re.compile(r":([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, ready for a driver: `sql` with `?`, and which parameter stands where."""

    name: str
    sql: str
    parameters: tuple[str, ...]

    def bind(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """The values in the order of the question marks; a missing one raises KeyError."""
        return tuple(values[p] for p in self.parameters)


def load(dialect: str) -> dict[str, Query]:
    """Every named query of a dialect ("sqlite").

    Raises ValueError when two queries share a name.
    """
    queries: dict[str, Query] = {}
    folder = files("bulkwright.store") / dialect / "queries"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        _, *pairs = _NAME.split(file.read_text("utf-8"))
        for name, text in zip(pairs[::2], pairs[1::2], strict=True):
            if name in queries:
                raise ValueError(f"two queries are named {name}")
            sql = _COMMENT.sub("", text).strip()
            parameters = tuple(_PARAMETER.findall(sql))
            queries[name] = Query(name, _PARAMETER.sub("?", sql), parameters)
    return queries
