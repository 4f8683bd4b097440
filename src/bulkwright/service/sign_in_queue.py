"""The queue of sign-ins: hashing a password takes a whole core and much memory.

Passwords are hashed on threads of their own, so that they take no thread from other requests. The
parties that wait take turns, whatever number of sign-ins each one sends. A party is what one
caller cannot multiply: the network of an address, or a known device.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from bulkwright.domain.limits import SIGN_IN_AT_ONCE, SIGN_IN_QUEUE, SIGN_IN_QUEUE_OF_ONE
from bulkwright.service.throttle import TryLater, network_of

_BUSY_SECONDS = 5.0
_Turn = asyncio.Future[bool]

P = ParamSpec("P")
T = TypeVar("T")


def party_of(address: str, device: str = "") -> str:
    """Returns the party of a sign-in; `device` is that of a browser that the user has used."""
    return f"device {device}" if device else network_of(address)


class SignInQueue:
    """Limits how many passwords are checked at the same time, and how many sign-ins wait."""

    def __init__(self) -> None:
        self._free = SIGN_IN_AT_ONCE
        self._waiting: OrderedDict[str, deque[_Turn]] = OrderedDict()
        """The sign-ins of each party; the first party has the next turn."""
        self._length = 0
        self._threads = ThreadPoolExecutor(SIGN_IN_AT_ONCE, thread_name_prefix="sign-in")

    async def run(self, party: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Waits for a turn of `party`, then runs `work` on a thread and returns its result.

        Raises TryLater if too many sign-ins wait.
        """
        async with self.turn(party):
            context = copy_context()  # for the facts in log lines
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: context.run(work, *args, **kwargs)
            )

    @asynccontextmanager
    async def turn(self, party: str) -> AsyncIterator[None]:
        """Waits until a password of `party` can be checked. Raises TryLater if too many wait.

        The service counts failed sign-ins only in a turn. So guesses that arrive at the same time
        are throttled like guesses that arrive one after the other.
        """
        await self._enter(party)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, party: str) -> None:
        if self._free > 0:
            self._free -= 1
            return
        mine = self._waiting.get(party, deque())
        if len(mine) >= SIGN_IN_QUEUE_OF_ONE:
            raise TryLater(_BUSY_SECONDS)
        if self._length >= SIGN_IN_QUEUE:
            self._dismiss_one(len(mine))
        turn: _Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(turn)
        self._length += 1
        try:
            if not await turn:
                raise TryLater(_BUSY_SECONDS)
        except asyncio.CancelledError:
            # The client is gone. Its turn may have been given to it a moment before.
            if turn.done() and not turn.cancelled() and turn.result():
                self._leave()
            else:
                self._remove(party, turn)
            raise

    def _leave(self) -> None:
        """Gives the turn to the next party, or makes it free."""
        while self._waiting:
            party = next(iter(self._waiting))
            turn = self._waiting[party][0]
            self._remove(party, turn)
            if party in self._waiting:
                self._waiting.move_to_end(party)
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1

    def _dismiss_one(self, own: int) -> None:
        """Makes room in a full queue: the newest sign-in of the party with most of them ends.

        Raises TryLater if no party has more than `own`, those of the party that needs the room.
        """
        party = max(self._waiting, key=lambda name: len(self._waiting[name]))
        if len(self._waiting[party]) <= own + 1:
            raise TryLater(_BUSY_SECONDS)
        turn = self._waiting[party][-1]
        self._remove(party, turn)
        if not turn.done():
            turn.set_result(False)

    def _remove(self, party: str, turn: _Turn) -> None:
        mine = self._waiting.get(party)
        if mine is None or turn not in mine:
            return
        mine.remove(turn)
        self._length -= 1
        if not mine:
            del self._waiting[party]
