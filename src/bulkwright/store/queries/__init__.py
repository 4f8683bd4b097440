"""Named queries, and how every database runs them. Python never builds one of these.

Beside this file are those that read the same in both dialects, in `<dialect>/queries` what each
says in its own way. A query begins with `-- name: some_name` and a comment that says in a sentence
what it does. Parameters are written `:name`; they reach the driver by position, which every driver
knows.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import ClassVar

from bulkwright.store.database import Row

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


class NamedQueries(ABC):
    """What every `Database` (see store/database.py) does alike."""

    dialect: ClassVar[str]

    def __init__(self) -> None:
        self._queries = load(self.dialect)

    @abstractmethod
    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement with question marks; see `Database.sql`."""

    def all(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query and return its rows."""
        q = self._queries[query]
        return self.sql(q.sql, q.bind(values))

    def one(self, query: str, /, **values: object) -> Row | None:
        """Run a named query and return its first row, or None."""
        rows = self.all(query, **values)
        return rows[0] if rows else None

    def run(self, query: str, /, **values: object) -> None:
        """Run a named query for its effect."""
        self.all(query, **values)

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a named query for its effect, once for each of these rows of values, in order."""
        for row in rows:
            self.run(query, **row)


def load(dialect: str) -> dict[str, Query]:
    """Every named query that a dialect knows (`sqlite`, `postgres`).

    Raises ValueError when two queries share a name.
    """
    queries: dict[str, Query] = {}
    store = files("bulkwright.store")
    folders = (store / "queries", store / dialect / "queries")
    held = (file for folder in folders for file in folder.iterdir())
    for file in (file for file in held if file.name.endswith(".sql")):
        _, *pairs = _NAME.split(file.read_text("utf-8"))
        for name, text in zip(pairs[::2], pairs[1::2], strict=True):
            if name in queries:
                raise ValueError(f"two queries are named {name}")
            sql = _COMMENT.sub("", text).strip()
            parameters = tuple(_PARAMETER.findall(sql))
            queries[name] = Query(name, _PARAMETER.sub("?", sql), parameters)
    return queries
