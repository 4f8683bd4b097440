"""Brings the write-ahead log into the database file while the worker goes on writing.

SQLite would have the writer do it, inside a COMMIT: a fifteenth of the time of a large job. A
passive checkpoint holds nobody up, and loses nothing when it is killed in the middle. The one thing
that it cannot do beside a writer is to let the log begin anew: for that the writer makes one too,
seldom (WAL_BYTES), and finds little left to copy.
"""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from pathlib import Path

from adbc_driver_manager import Error
from adbc_driver_sqlite import dbapi

_PAUSE_SECONDS = 0.1
"""The end of a job goes first: its last flush would wait for what is copied."""


class Checkpoints:
    """A thread with a connection of its own, neither of them there before the first checkpoint."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Have one made soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._asked.set()

    def close(self) -> None:
        """Wait for the one that is being made, and end."""
        self._closing.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        # A full disk or the like: the writer meets it too, and says so.
        with suppress(Error), closing(dbapi.connect(str(self._path), autocommit=True)) as file:
            while self._asked.wait():
                self._asked.clear()
                if self._closing.wait(_PAUSE_SECONDS):
                    return
                with suppress(Error), file.cursor() as cursor:
                    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    cursor.fetch_polars()
