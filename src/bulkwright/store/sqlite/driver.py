"""What both SQLite drivers share, and the guard that keeps them apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from bulkwright.domain.module import Kind
from bulkwright.store.queries import NamedQueries
from bulkwright.store.tables import Types

BUSY_SECONDS = 60.0
"""How long a writer waits for another one before it gives up."""

PAGE_BYTES = 8192
"""Page size of a new database: a third less time in COMMIT than with SQLite's own 4096."""

WAL_BYTES = 256 * 1024 * 1024
"""How far the write-ahead log grows before it begins anew, and how large it stays then; a foreign
reader that holds on to an old state makes it grow further."""

CHECKPOINT_ROWS = 5_000
"""After how many written rows the log is brought into the database: each may lie in a page of its
own."""

UNDO_INNER = ("ROLLBACK TO inner", "RELEASE inner")
"""Takes back a savepoint, and leaves it."""

TYPES = Types(
    of={
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "INTEGER",
        # Exact digits: SQLite would turn a NUMERIC of more than 15 digits into a float.
        Kind.DECIMAL: "TEXT",
        Kind.BOOLEAN: "INTEGER",
        Kind.DATE: "TEXT",
        Kind.DATETIME: "TEXT",
        Kind.LIST: "TEXT",
        Kind.REFERENCE: "INTEGER",
    },
    key="TEXT",
)
"""SQLite's column types."""


class SqliteQueries(NamedQueries):
    """What the SQLite databases have in common."""

    dialect: ClassVar[str] = "sqlite"
    types: ClassVar[Types] = TYPES


T = TypeVar("T")


def patiently(attempt: Callable[[], T], seconds: float) -> T:
    """What `attempt` returns, tried again and again while somebody else holds the lock.

    In small steps: SQLite's own busy handler sleeps up to 100 ms between tries and would starve
    beside a busy worker, and a switch to WAL does not ask it.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except Exception as error:
            # The words of both drivers; only one of them passes SQLite's number on too.
            if "database is locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.002)


_drivers: dict[Path, str] = {}


def claim_driver(path: Path, driver: str) -> None:
    """State that this process opens the file through `driver`.

    POSIX file locks belong to the process: when two SQLite libraries have one file open in it,
    the one that closes first drops the other's locks and the database is open to corruption
    (sqlite.org/howtocorrupt.html, 2.2.1). Raises AssertionError for a second driver.
    """
    first = _drivers.setdefault(path.resolve(), driver)
    if first != driver:
        raise AssertionError(f"{path} is open through {first} in this process, not {driver} too")
