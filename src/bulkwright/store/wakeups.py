"""Wake-ups: a process that waits for work learns at once that there may be some.

A transaction that makes work calls `Database.wake`. When it has committed, every process that
waits for this topic looks for work. A wake-up can get lost; so those who wait also look from time
to time, and no work depends on a wake-up.
"""

from __future__ import annotations

import os
import selectors
from abc import ABC, abstractmethod
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self


class Topic(Enum):
    """What processes wait for."""

    JOBS = "jobs"
    """A job that can be claimed."""
    CALLBACKS = "callbacks"
    """A callback that is due."""


class Wakeups(ABC):
    """Waits for the wake-ups of one topic, on one thread at a time."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self._interrupted, self._interrupt = os.pipe()
        os.set_blocking(self._interrupt, False)

    def wait(self, seconds: float) -> bool:
        """Waits for a wake-up, no longer than `seconds`, and not after `interrupt`.

        Returns whether one has arrived or may have: the first call returns True at once, and so
        does a call that begins to receive wake-ups again.
        """
        if not self._is_open():
            if self._open():
                return True
            self.pause(seconds)
        elif self._select(seconds, self._source()):
            self._receive()
            return True
        return False

    def pause(self, seconds: float) -> None:
        """Waits for `seconds`, whatever wake-ups arrive, but not after `interrupt`."""
        self._select(seconds)

    def interrupt(self) -> None:
        """Ends the call that waits now, and all later ones at once.

        Any thread may call this, and so may a signal handler: it takes no lock.
        """
        with suppress(BlockingIOError):  # the pipe is full of earlier calls
            os.write(self._interrupt, b"\0")

    def close(self) -> None:
        """Receives no more wake-ups. Call it on the thread that waits."""
        self._close()
        os.close(self._interrupted)
        os.close(self._interrupt)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _select(self, seconds: float, source: int | None = None) -> bool:
        """Waits until `source` can be read; False after `seconds` or `interrupt`."""
        # Not select(): an API process may have more than a thousand open files. Not epoll(): it
        # takes an open file itself, of which there may be none left.
        with selectors.PollSelector() as selector:
            selector.register(self._interrupted, selectors.EVENT_READ)
            if source is not None:
                selector.register(source, selectors.EVENT_READ)
            ready = selector.select(max(0.0, seconds))
        return any(key.fd == source for key, _ in ready)

    @abstractmethod
    def _is_open(self) -> bool:
        """Returns whether wake-ups are received."""

    @abstractmethod
    def _open(self) -> bool:
        """Begins to receive wake-ups; returns whether that is possible now."""

    @abstractmethod
    def _source(self) -> int:
        """Returns the file descriptor that can be read when a wake-up has arrived."""

    @abstractmethod
    def _receive(self) -> None:
        """Takes all wake-ups that have arrived."""

    @abstractmethod
    def _close(self) -> None:
        """Receives no more wake-ups; nothing happens if it did not begin to."""
