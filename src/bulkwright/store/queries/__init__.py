"""Named queries, and how every database runs them. Python never builds one of these.

Beside this file are the queries that are the same in both dialects; `<dialect>/queries` has those
that differ. A query begins with `-- name: some_name` and a comment that says in a sentence what it
does. Parameters are written `:name` and bound by position, because every driver supports that.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from time import perf_counter
from typing import ClassVar

from bulkwright.clock import Clock
from bulkwright.domain.limits import LOCK_NOTED_SECONDS
from bulkwright.events.events import LockHeld, Observer
from bulkwright.store.database import Row

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<other>
        '(?:[^']|'')*'  # a string
        | "(?:[^"]|"")*"  # a quoted name
        | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$  # a string of PostgreSQL, quoted by dollars
        | ::  # a cast
    )
    | (?<!\w):(?P<parameter>[a-z][a-z0-9_]*)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a colon can stand in. Strings with backslashes before quotes (E'\\'') are not known."""


@dataclass(frozen=True, slots=True)
class Query:
    """One statement: `sql` with question marks, and the parameter that each one stands for."""

    name: str
    sql: str
    parameters: tuple[str, ...]

    def bind(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """Returns the values of the question marks in order. Raises KeyError if one is missing."""
        return tuple(values[p] for p in self.parameters)


class NamedQueries(ABC):
    """The part of `Database` (see store/database.py) that is the same for every driver."""

    dialect: ClassVar[str]

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.observe: Observer = lambda _event: None
        self._queries = load(self.dialect)

    def lock_wait(self) -> float:
        """Returns how long a writer has been waiting for a lock; 0 for who writes nothing."""
        return 0.0

    def _note_lock(self, begun: float) -> None:
        """Reports a transaction that has held its locks since `begun`, by `perf_counter`."""
        seconds = perf_counter() - begun
        if seconds >= LOCK_NOTED_SECONDS:
            self.observe(LockHeld(seconds))

    @abstractmethod
    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""

    def sql_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement that Python builds for its effect, once for each row, in order."""
        for row in rows:
            self.sql(sql, row)

    def all(self, query: str, /, **values: object) -> list[Row]:
        """Runs a named query and returns its rows."""
        q = self._queries[query]
        return self.sql(q.sql, q.bind(values))

    def one(self, query: str, /, **values: object) -> Row | None:
        """Runs a named query and returns its first row, or None."""
        rows = self.all(query, **values)
        return rows[0] if rows else None

    def run(self, query: str, /, **values: object) -> None:
        """Runs a named query for its effect."""
        self.all(query, **values)

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Runs a named query for its effect, once for each row of values, in order."""
        for row in rows:
            self.run(query, **row)

    def change_stamp(self) -> object:
        """Returns a value that equals no other one; a driver that sees commits returns its own."""
        return object()


def load(dialect: str) -> dict[str, Query]:
    """Returns the named queries of a dialect (`sqlite`, `postgres`) by name.

    Raises ValueError if two queries have the same name.
    """
    queries: dict[str, Query] = {}
    store = files("bulkwright.store")
    folders = (store / "queries", store / dialect / "queries")
    found = (file for folder in folders for file in folder.iterdir())
    for file in (file for file in found if file.name.endswith(".sql")):
        _, *pairs = _NAME.split(file.read_text("utf-8"))
        for name, text in zip(pairs[::2], pairs[1::2], strict=True):
            if name in queries:
                raise ValueError(f"two queries are named {name}")
            queries[name] = parse(name, text)
    return queries


def parse(name: str, text: str) -> Query:
    """Returns the query of an SQL text: without comments, with `?` in place of each `:name`."""
    parameters: list[str] = []

    def replaced(token: re.Match[str]) -> str:
        if token["parameter"]:
            parameters.append(token["parameter"])
            return "?"
        return token["other"] or ""

    sql = _TOKEN.sub(replaced, text).strip()
    return Query(name, sql, tuple(parameters))
