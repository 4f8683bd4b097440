"""The queue of sign-ins: hashing a password takes a whole core and much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bulkwright.domain.limits import SIGN_IN_AT_ONCE, SIGN_IN_QUEUE
from bulkwright.service.signin import TryLater

_BUSY_SECONDS = 5.0


class SignInQueue:
    """Limits how many passwords are checked at the same time, and how many sign-ins wait."""

    def __init__(self) -> None:
        self._checking = asyncio.Semaphore(SIGN_IN_AT_ONCE)
        self._length = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until a password can be checked. Raises TryLater if the queue is full.

        The service counts failed sign-ins only in a turn. So guesses that arrive at the same time
        are throttled like guesses that arrive one after the other.
        """
        if self._length >= SIGN_IN_QUEUE:
            raise TryLater(_BUSY_SECONDS)
        self._length += 1
        try:
            async with self._checking:
                yield
        finally:
            self._length -= 1
