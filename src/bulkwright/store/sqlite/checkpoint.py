"""Copies the write-ahead log into the database file while the worker continues to write.

Without this the writer would do it inside a COMMIT, which takes a fifteenth of the time of a large
job. A passive checkpoint blocks no other connection, and a kill in the middle of it loses nothing.
Only the restart of the log from its beginning is impossible beside a writer. So the writer makes a
checkpoint too, rarely (WAL_BYTES), and has little left to copy.
"""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from pathlib import Path

from adbc_driver_manager import Error
from adbc_driver_sqlite import dbapi

_PAUSE_SECONDS = 0.1
"""The last flush of a job would wait for the copying; this pause lets it come first."""


class Checkpoints:
    """A thread with its own connection; both start with the first checkpoint."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._requested = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Requests a checkpoint, which the thread makes soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._requested.set()

    def close(self) -> None:
        """Waits for the checkpoint that is in progress, and ends the thread."""
        self._closing.set()
        self._requested.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        # After a full disk or the like the writer fails too, and its error is reported.
        with suppress(Error), closing(dbapi.connect(str(self._path), autocommit=True)) as file:
            while self._requested.wait():
                self._requested.clear()
                if self._closing.wait(_PAUSE_SECONDS):
                    return
                with suppress(Error), file.cursor() as cursor:
                    cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    cursor.fetch_polars()
