"""The protocol between the stores and a driver: named queries in, rows out.

Two dialects implement it, with the same query names and migration numbers: `sqlite` and `postgres`.
Rows have the types of SQLite in both: numbers, texts, bytes and None. Flags are 0 and 1 or
booleans; times and exact decimals are texts.

SQLite has two drivers, and one process never uses both for one file (decision 2: two SQLite
libraries in one process break each other's file locks). The API process uses Python's `sqlite3`; a
worker uses ADBC, which also accepts whole Arrow batches. On PostgreSQL both use psycopg.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from bulkwright.clock import Clock
from bulkwright.events.events import Observer
from bulkwright.store.tables import Types
from bulkwright.store.wakeups import Topic, Wakeups

Row = Mapping[str, Any]
"""One row, by column name."""


class Database(Protocol):
    """One open database. Each call outside `transaction` commits by itself."""

    dialect: ClassVar[str]
    """The folder of its queries and migrations."""
    types: ClassVar[Types]
    """The column types of module tables."""
    clock: Clock
    """The clock by which the stores decide what is due or has expired."""
    observe: Observer
    """Receives `LockHeld` for each transaction that took long."""

    def all(self, query: str, /, **values: object) -> list[Row]:
        """Runs a named query and returns its rows."""
        ...

    def one(self, query: str, /, **values: object) -> Row | None:
        """Runs a named query and returns its first row, or None."""
        ...

    def run(self, query: str, /, **values: object) -> None:
        """Runs a named query for its effect."""
        ...

    def run_all(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Runs a named query for its effect, once for each row of values, in order."""
        ...

    def sql(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs a statement that Python builds; values are bound to its question marks."""
        ...

    def sql_all(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs a statement that Python builds for its effect, once for each row, in order."""
        ...

    def run_script(self, script: str) -> None:
        """Runs the statements of a script without values; call it inside `transaction`."""
        ...

    def change_stamp(self) -> object:
        """Returns a value; if it equals an earlier one of this thread, nothing was committed since.

        Commits of all processes count.
        """
        ...

    def lock_wait(self) -> float:
        """Returns for how many seconds a writer has been waiting for a lock; 0 if none waits.

        On SQLite only the writers of this process are known; if none waits, this call tries to
        write, and the calls after it report how long that takes.
        """
        ...

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """All calls inside commit together, or none of them if the block raises.

        Inside another transaction it is a savepoint of that one. If it need not be `durable`, a
        power cut of the machine may undo it, until a later transaction is durable. On PostgreSQL
        every transaction is durable, because workers on other machines survive that power cut.
        """
        ...

    def wake(self, topic: Topic) -> None:
        """Wakes all processes that wait for a topic when the transaction of this call commits."""
        ...

    def wakeups(self, topic: Topic) -> Wakeups:
        """Returns the wake-ups of a topic, to wait for and to close."""
        ...

    def close(self) -> None:
        """Closes the connections of this database."""
        ...
