"""The seam between the stores and a driver: named queries in, plain rows out.

Two dialects stand behind it, with the same query names and migration numbers: `sqlite` and
`postgres`. Rows hold what SQLite can hold, whatever the store: numbers, texts, bytes and None, and
flags as 0 and 1 or as booleans; times and exact decimals are texts.

On SQLite there are two drivers, and never both in one process for one file (decision 2: two SQLite
libraries in one process break each other's file locks). The API process reads and writes through
Python's `sqlite3`; a worker does everything through ADBC, which also takes whole Arrow batches.
On PostgreSQL psycopg does both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from bulkwright.store.tables import Types

Row = Mapping[str, Any]
"""One row by column name."""


class Database(Protocol):
    """One open database. Every call outside `transaction` commits by itself."""

    dialect: ClassVar[str]
    """Names the folder of its queries and migrations."""
    types: ClassVar[Types]
    """The column types of module tables."""

    def all(self, query: str, /, **values: object) -> list[Row]:
        """Run a named query and return its rows."""
        ...

    def one(self, query: str, /, **values: object) -> Row | None:
        """Run a named query and return its first row, or None."""
        ...

    def run(self, query: str, /, **values: object) -> None:
        """Run a named query for its effect."""
        ...

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a named query for its effect, once for each of these rows of values, in order."""
        ...

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement made by `store/tables.py`: identifiers from the schema, values bound."""
        ...

    def stamp(self) -> object:
        """Equal to the last one on this thread if nothing was committed since, by anybody."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All calls inside commit together, or not at all when the block raises.

        Inside another transaction it is a savepoint of that one.
        """
        ...

    def close(self) -> None:
        """Close the connections of this database."""
        ...
