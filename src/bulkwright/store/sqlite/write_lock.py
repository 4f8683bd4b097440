"""How writers wait for the lock of a SQLite file: in turns, and for no longer than a bound."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.store.sqlite.errors import is_busy

BUSY_SECONDS = 60.0
"""How long a writer waits for another one before its statement fails."""

_POLL_SECONDS = 0.002
"""The pause between two attempts to get a lock."""

T = TypeVar("T")


def retry_while_busy(attempt: Callable[[], T], seconds: float) -> T:
    """Returns what `attempt` returns; calls it again while another connection holds a lock.

    After `seconds` the error of the last call is raised. The pauses are short: SQLite's own busy
    handler sleeps up to 100 ms and would starve beside a busy worker, and a switch to WAL does not
    use it.
    """
    deadline = SYSTEM_CLOCK.monotonic() + seconds  # a real wait, whatever clock the stores have
    while True:
        try:
            return attempt()
        except Exception as error:
            if not is_busy(error) or SYSTEM_CLOCK.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


class WriteTurn:
    """Lets the writers of all processes take turns.

    SQLite gives its lock to any writer that tries at the right moment. A worker tries again just
    after it has released the lock, so other writers could wait for many chunks. A writer takes the
    turn before it waits for the lock and keeps it until it has the lock. So no writer gets the lock
    twice while another one waits.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-turn")

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Takes the turn, until the end of the block. Waits no longer than `seconds` for it."""
        try:
            # Of a file of its own: to close another handle of the database would release its locks.
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:  # the disk is read-only or full: the turn matters no more
            yield
            return
        try:
            deadline = SYSTEM_CLOCK.monotonic() + seconds
            while not _flock(handle) and SYSTEM_CLOCK.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(handle)


def _flock(handle: int) -> bool:
    """Locks an open file if no other handle has locked it; closing it releases the lock."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
