"""What both SQLite drivers share, and the check that a process uses only one of them."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from bulkwright.clock import Clock
from bulkwright.domain.module import StorageType
from bulkwright.store.queries import NamedQueries
from bulkwright.store.sqlite.wakeups import PipeWakeups, send_wakeups, wake_folder
from bulkwright.store.tables import PLAIN_CELLS, Types
from bulkwright.store.wakeups import Topic, Wakeups

PAGE_BYTES = 8192
"""Page size of a new database: a third less time in COMMIT than with SQLite's own 4096."""

WAL_BYTES = 256 * 1024 * 1024
"""The size at which the write-ahead log starts again from its beginning, and which it keeps then. A
reader of another program that keeps an old snapshot makes it grow further."""

CHECKPOINT_ROWS = 5_000
"""The number of written rows after which the log is copied into the database file; each row may be
in a page of its own."""

ROLLBACK_INNER = ("ROLLBACK TO inner", "RELEASE inner")
"""Rolls back a savepoint and releases it."""

TYPES = Types(
    of={
        StorageType.TEXT: "TEXT",
        StorageType.INTEGER: "INTEGER",
        # Exact digits: SQLite would convert a NUMERIC of more than 15 digits to a float.
        StorageType.DECIMAL: "TEXT",
        StorageType.BOOLEAN: "INTEGER",
        StorageType.DATE: "TEXT",
        StorageType.DATETIME: "TEXT",
        StorageType.LIST: "TEXT",
        StorageType.REFERENCE: "INTEGER",
    },
    key="TEXT",
    cells=PLAIN_CELLS,
    folded="lower(trim({}))",
    elements="json_each(CASE WHEN json_valid({0}) THEN {0} END) AS e",
    decimal_is_text=True,
)
"""SQLite's column types."""


class SqliteQueries(NamedQueries):
    """The part of `Database` that is the same for both SQLite drivers."""

    dialect: ClassVar[str] = "sqlite"
    types: ClassVar[Types] = TYPES

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(clock)
        self._wake_folder = wake_folder(path)
        self._woken = _Woken()

    def wake(self, topic: Topic) -> None:
        """Wakes all processes that wait for a topic when the transaction of this call commits."""
        self._woken.topics.add(topic)

    def wakeups(self, topic: Topic) -> Wakeups:
        """Returns the wake-ups of a topic, to wait for and to close."""
        return PipeWakeups(self._wake_folder, topic)

    def _end_transaction(self, *, committed: bool) -> None:
        """Sends the wake-ups of a transaction that was committed; forgets those of another."""
        if committed and self._woken.topics:
            send_wakeups(self._wake_folder, self._woken.topics)
        self._woken.topics.clear()

    def run_script(self, script: str) -> None:
        """Runs the statements of a script; call it inside `transaction`."""
        for statement in _statements(script):
            self.sql(statement)


class _Woken(threading.local):
    """What the transaction of a thread wakes when it commits."""

    def __init__(self) -> None:
        self.topics: set[Topic] = set()


_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def _statements(script: str) -> Iterator[str]:
    """Returns the statements of a script; SQLite itself decides which semicolons end one."""
    # Both drivers can run only one statement at a time. This opens no file (see `claim_driver`).
    from sqlite3 import complete_statement

    statement = ""
    for piece in re.split(r"(?<=;)", script):
        statement += piece
        if complete_statement(statement):
            yield statement.strip()
            statement = ""
    if _COMMENT.sub("", statement).strip():
        yield statement.strip()


def make_private(path: Path) -> None:
    """Creates the database file if there is none; only its owner may read it and its logs.

    SQLite gives `-wal` and `-shm` the permissions of the database file.
    """
    with suppress(OSError):  # it exists; or it cannot be created, and SQLite reports that
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    # An existing file is not opened: closing it would release the locks of this process.
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with suppress(FileNotFoundError, PermissionError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & _OTHERS:
                file.chmod(mode & ~_OTHERS)


_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_drivers: dict[Path, str] = {}


def claim_driver(path: Path, driver: str) -> None:
    """Records that this process opens the file through `driver`.

    POSIX file locks belong to the process: if two SQLite libraries have opened one file in it, the
    one that closes first releases the locks of the other, and the database may be corrupted
    (sqlite.org/howtocorrupt.html, 2.2.1). Raises AssertionError for a second driver.
    """
    first = _drivers.setdefault(path.resolve(), driver)
    if first != driver:
        raise AssertionError(f"{path} is open through {first} in this process, not {driver} too")
