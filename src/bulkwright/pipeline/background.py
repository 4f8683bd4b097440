"""Work beside the thread that writes records: on threads that one worker keeps for all of its jobs.

A new thread costs a small job more than its start: Polars keeps compiled patterns for each thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Background:
    """Runs calls on the threads of an executor; none of them outlives the `with` block."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._begun: set[Future[Any]] = set()

    def begin(self, call: Callable[..., T], *arguments: object) -> Future[T]:
        """Begins a call."""
        future = self._threads.submit(call, *arguments)
        self._begun = {begun for begun in self._begun if not begun.done()} | {future}
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for future in self._begun:
            future.cancel()
        wait(self._begun)
