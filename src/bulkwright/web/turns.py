"""Threads for blocking work, in fair turns.

All requests share a few threads. Without turns the requests of one party, of an org for example,
could keep all of them busy, and the requests of all others would wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import copy_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """Runs work on an executor; of each party at most `most` pieces at the same time.

    It belongs to one event loop.
    """

    def __init__(self, executor: Executor, most: int) -> None:
        self._executor = executor
        self._most = most
        self._running: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    async def run(
        self, party: Hashable, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs `work` on a thread, in the order of the calls of its party; returns its result.

        For the party None there is no limit.
        """
        loop = asyncio.get_running_loop()
        context = copy_context()  # for the facts in log lines
        if party is not None:
            await self._wait_for_turn(party, loop)
        try:
            future = self._executor.submit(lambda: context.run(work, *args, **kwargs))
        except BaseException:
            self._end_turn(party)
            raise

        def end_turn(_future: Future[T]) -> None:
            # A piece of work whose request was given up runs to its end all the same.
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(self._end_turn, party)

        future.add_done_callback(end_turn)
        return await asyncio.wrap_future(future)

    async def _wait_for_turn(self, party: Hashable, loop: asyncio.AbstractEventLoop) -> None:
        if self._running[party] < self._most:
            self._running[party] += 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(party, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end_turn(party)  # the turn had come just then
            raise

    def _end_turn(self, party: Hashable) -> None:
        if party is None:
            return
        waiting = self._waiting.get(party)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # the turn passes to the next one
                return
        self._waiting.pop(party, None)
        self._running[party] -= 1
        if not self._running[party]:
            del self._running[party]
