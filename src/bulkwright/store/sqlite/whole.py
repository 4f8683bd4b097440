"""Copies of the whole database of an emulator: saved to a file, and loaded in place of what it is.

A load is one transaction of SQLite: all processes see the database before it or after it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bulkwright.clock import Clock
from bulkwright.outages import Outage
from bulkwright.store.migrate import CannotMigrate, UnusableCopy, migrate
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.store.sqlite.driver import PAGE_BYTES, claim_driver
from bulkwright.store.sqlite.driver import make_private as make_private_file
from bulkwright.store.sqlite.write_lock import BUSY_SECONDS, WriteTurn

_PAUSE_SECONDS = 0.001


class SqliteCopies:
    """Saves and loads one database file, through `sqlite3`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        claim_driver(path, "sqlite3")
        self._path = path
        self._clock = clock
        self._turn = WriteTurn(path)
        self._connection: sqlite3.Connection | None = None
        self._kept: sqlite3.Connection | None = None
        """The copy that is loaded again and again, and the database: opening them takes as long as
        a small load."""

    def size(self) -> int:
        """Returns the bytes of the database."""
        row = self._target().execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        return int(row.fetchone()[0])

    def save(self, path: Path) -> None:
        """Saves the database, as it is now, to a file that only its owner can read."""
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        make_private_file(path)
        with closing(_open(path)) as copy:
            copy.execute(f"PRAGMA page_size={PAGE_BYTES}")
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")
            self._target().backup(copy, sleep=_PAUSE_SECONDS)

    def adopt(self, path: Path, client_id: str) -> None:
        """Brings a copy of another database up to date, and gives it the id of this one.

        Raises UnusableCopy, also if it has no OAuth client with this id.
        """
        (owner,) = self._target().execute("SELECT id FROM deployment").fetchone()
        try:
            with closing(StdlibDatabase(path, self._clock)) as copy:
                migrate(copy)
                copy.sql("UPDATE deployment SET id = ?", (owner,))
                copy.sql("SELECT count(*) FROM orgs")
                clients = copy.sql("SELECT 1 FROM clients WHERE client_id = ?", (client_id,))
            with closing(_open(path)) as whole:
                whole.execute("PRAGMA journal_mode=WAL")
                whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                (found,) = whole.execute("PRAGMA quick_check(1)").fetchone()
        except (CannotMigrate, Outage) as error:
            raise UnusableCopy(str(error)) from None
        except sqlite3.DatabaseError as error:
            raise UnusableCopy(f"The database of the copy cannot be read: {error}.") from None
        if found != "ok":
            raise UnusableCopy("The database of the copy is damaged.")
        if not clients:
            raise UnusableCopy("The credentials are not those of the database of the copy.")

    def load(self, path: Path) -> None:
        """Replaces the database by what a file holds.

        The commit is not flushed to the disk: a power cut may undo it.
        """
        with closing(_open(path)) as copy:
            self._load(copy)

    def keep(self, path: Path) -> None:
        """Saves the database, as it is now, to a file for `load_kept`."""
        if self._kept is not None:
            self._kept.close()
        self.save(path)
        self._kept = _open(path)

    def load_kept(self) -> None:
        """Replaces the database by what the last `keep` has saved; otherwise like `load`."""
        assert self._kept is not None
        self._load(self._kept)

    def _load(self, copy: sqlite3.Connection) -> None:
        with self._turn.taken(BUSY_SECONDS):
            copy.backup(self._target(), sleep=_PAUSE_SECONDS)

    def close(self) -> None:
        """Closes the connections."""
        for connection in (self._connection, self._kept):
            if connection is not None:
                connection.close()
        self._connection = self._kept = None

    def _target(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _open(self._path)
            # `backup` waits for the lock itself, with shorter pauses than SQLite's handler.
            self._connection.execute("PRAGMA busy_timeout=0")
            self._connection.execute("PRAGMA synchronous=NORMAL")
        return self._connection


def _open(path: Path) -> sqlite3.Connection:
    # Calls come from several threads, one after the other.
    return sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
