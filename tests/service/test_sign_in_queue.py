"""The queue of sign-ins: parties take turns, and no party keeps the others out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from bulkwright.domain.limits import SIGN_IN_AT_ONCE, SIGN_IN_QUEUE, SIGN_IN_QUEUE_OF_ONE
from bulkwright.service.sign_in_queue import SignInQueue
from bulkwright.service.throttle import TryLater

Task = asyncio.Task[None]


class Trial:
    """A queue whose turns end when the trial says so; it records who had a turn."""

    def __init__(self) -> None:
        self.queue = SignInQueue()
        self.served: list[str] = []
        self._end = asyncio.Semaphore(0)

    async def _wait(self, party: str) -> None:
        async with self.queue.turn(party):
            self.served.append(party)
            await self._end.acquire()

    async def send(self, party: str, count: int) -> list[Task]:
        """Sends sign-ins of a party."""
        tasks = [asyncio.create_task(self._wait(party)) for _ in range(count)]
        await settle()
        return tasks

    async def end(self, count: int) -> None:
        """Ends turns, one after the other."""
        for _ in range(count):
            self._end.release()
            await settle()


async def settle() -> None:
    """Lets all tasks run as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


def rejected(tasks: list[Task]) -> int:
    """How many of these sign-ins were rejected."""
    return sum(t.done() and isinstance(t.exception(), TryLater) for t in tasks)


def run(trial: Coroutine[Any, Any, None]) -> None:
    """Runs a trial with its own event loop."""
    asyncio.run(trial)


def test_one_party_cannot_fill_the_queue() -> None:
    """72 sign-ins of one address: a few wait, and the next address has the next turn."""

    async def walk() -> None:
        trial = Trial()
        flood = await trial.send("flood", 72)
        assert rejected(flood) == 72 - SIGN_IN_AT_ONCE - SIGN_IN_QUEUE_OF_ONE
        await trial.send("user", 1)
        await trial.end(2)
        assert trial.served[SIGN_IN_AT_ONCE:] == ["flood", "user"]
        await trial.end(SIGN_IN_QUEUE)
        assert trial.served.count("flood") == SIGN_IN_AT_ONCE + SIGN_IN_QUEUE_OF_ONE

    run(walk())


def test_parties_take_turns() -> None:
    """However many sign-ins each one sends."""

    async def walk() -> None:
        trial = Trial()
        await trial.send("first", SIGN_IN_AT_ONCE)
        for party in ("a", "b", "c"):
            await trial.send(party, 3)
        await trial.end(9)
        assert trial.served[SIGN_IN_AT_ONCE:] == ["a", "b", "c"] * 3

    run(walk())


def test_a_full_queue_makes_room_for_who_has_less() -> None:
    """The newest sign-in of the largest party ends; with equal parties, the newcomer ends."""

    async def walk() -> None:
        trial = Trial()
        await trial.send("first", SIGN_IN_AT_ONCE)
        floods = [
            await trial.send(str(n), SIGN_IN_QUEUE_OF_ONE)
            for n in range(SIGN_IN_QUEUE // SIGN_IN_QUEUE_OF_ONE)
        ]
        user = await trial.send("user", 1)
        assert rejected(user) == 0 and sum(map(rejected, floods)) == 1
        await trial.end(SIGN_IN_QUEUE)
        assert "user" in trial.served

    async def equal() -> None:
        trial = Trial()
        await trial.send("first", SIGN_IN_AT_ONCE)
        for n in range(SIGN_IN_QUEUE):
            await trial.send(str(n), 1)
        assert rejected(await trial.send("user", 1)) == 1

    run(walk())
    run(equal())


@pytest.mark.parametrize("given", [False, True])
def test_a_client_that_is_gone_keeps_no_turn(given: bool) -> None:
    """Whether it was still waiting, or its turn had just been given to it."""

    async def walk() -> None:
        trial = Trial()
        await trial.send("first", SIGN_IN_AT_ONCE)
        (gone,) = await trial.send("gone", 1)
        await trial.send("next", 1)
        if given:
            trial._end.release()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        gone.cancel()
        await settle()
        await trial.end(5)
        assert "next" in trial.served
        assert trial.queue._free == SIGN_IN_AT_ONCE and trial.queue._length == 0

    run(walk())


def test_passwords_are_hashed_on_threads_of_their_own() -> None:
    """Other requests keep their threads."""

    async def walk() -> None:
        name = await SignInQueue().run("a", lambda: threading.current_thread().name)
        assert name.startswith("sign-in")

    run(walk())
