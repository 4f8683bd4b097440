"""Wake-ups between the processes of one SQLite file: named pipes beside it.

    bulkwright.sqlite-wake/jobs-<random>         of a worker
    bulkwright.sqlite-wake/callbacks-<random>    of a server

Each process that waits has a pipe of its own, and a wake-up is a byte in each pipe. A pipe that no
process reads, because that process was killed, cannot be opened to write: it is deleted then.
Nothing here waits: a full pipe holds wake-ups enough, so a further byte is omitted.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bulkwright.folders import make_private
from bulkwright.store.wakeups import Topic, Wakeups

_MOST_BYTES = 4_096


def wake_folder(database: Path) -> Path:
    """Returns the folder of the pipes of a database. It may be deleted while nothing runs."""
    return database.with_name(f"{database.name}-wake")


def send_wakeups(folder: Path, topics: Iterable[Topic]) -> None:
    """Wakes all processes that wait for one of these topics; raises nothing."""
    for topic in topics:
        for pipe in folder.glob(f"{topic.value}-*"):
            _send(pipe)


def _send(pipe: Path) -> None:
    try:
        handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:  # another one: the process has ended, or too many files are open
        if error.errno == errno.ENXIO:
            with suppress(OSError):
                pipe.unlink()
        return
    try:
        with suppress(OSError):  # the pipe is full, or the process has just ended
            os.write(handle, b"\0")
    finally:
        os.close(handle)


class PipeWakeups(Wakeups):
    """Receives wake-ups through a named pipe."""

    def __init__(self, folder: Path, topic: Topic) -> None:
        super().__init__(topic)
        self._path = folder / f"{topic.value}-{secrets.token_hex(8)}"
        self._reader: int | None = None
        self._writer: int | None = None

    def _is_open(self) -> bool:
        return self._reader is not None and self._path.exists()

    def _open(self) -> bool:
        self._close()
        # It gets its name when it is open: a sender deletes pipes that no process reads.
        unnamed = self._path.with_name(f".{self._path.name}")
        try:
            make_private(self._path.parent)
            os.mkfifo(unnamed, 0o600)
            try:
                self._reader = os.open(unnamed, os.O_RDONLY | os.O_NONBLOCK)
                # As long as one process can write, the pipe has no end that could be read.
                self._writer = os.open(unnamed, os.O_WRONLY | os.O_NONBLOCK)
                unnamed.rename(self._path)
            except OSError:
                unnamed.unlink()
                raise
        except OSError:  # the disk is read-only, or has no named pipes
            self._close()
            return False
        return True

    def _source(self) -> int:
        assert self._reader is not None
        return self._reader

    def _receive(self) -> None:
        assert self._reader is not None
        with suppress(BlockingIOError):
            os.read(self._reader, _MOST_BYTES)

    def _close(self) -> None:
        if self._reader is not None:
            with suppress(OSError):
                self._path.unlink()
        for handle in (self._reader, self._writer):
            if handle is not None:
                os.close(handle)
        self._reader = self._writer = None
