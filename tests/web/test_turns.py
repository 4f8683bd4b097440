"""The turns of blocking work: no party keeps all threads busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bulkwright.web.request import Message, Request
from bulkwright.web.turns import Turns

THREADS, MOST = 4, 2


class Work:
    """Blocking work that ends when it may, and what has begun of it."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun: list[str] = []

    def do(self, name: str) -> str:
        """Begin, and wait."""
        self.begun.append(name)
        assert self.may_end.wait(30)
        return name


def with_turns(check: Callable[[Turns, Work], Awaitable[None]]) -> None:
    """Run a check on a loop, with threads."""
    work = Work()
    with ThreadPoolExecutor(THREADS) as executor:
        try:
            asyncio.run(check(Turns(executor, MOST), work))  # type: ignore[arg-type]
        finally:
            work.may_end.set()


async def begun(work: Work, count: int) -> None:
    """Wait until that many pieces have begun."""
    async with asyncio.timeout(30):
        while len(work.begun) < count:
            await asyncio.sleep(0.001)


def test_a_party_leaves_threads_to_the_others() -> None:
    """However much it asks for."""

    async def check(turns: Turns, work: Work) -> None:
        greedy = [asyncio.create_task(turns.run("a", work.do, f"a{i}")) for i in range(20)]
        await begun(work, MOST)
        assert await turns.run("b", lambda: "b") == "b"
        assert await turns.run(None, lambda: "free") == "free"
        assert work.begun == ["a0", "a1"]
        work.may_end.set()
        assert await asyncio.gather(*greedy) == [f"a{i}" for i in range(20)]
        assert work.begun == [f"a{i}" for i in range(20)]

    with_turns(check)


def test_an_error_ends_a_turn() -> None:
    """It reaches the caller, and the next piece runs."""

    async def check(turns: Turns, work: Work) -> None:
        work.may_end.set()
        for _ in range(3 * MOST):
            with pytest.raises(ZeroDivisionError):
                await turns.run("a", lambda: 1 // 0)
        assert await turns.run("a", work.do, "next") == "next"

    with_turns(check)


@pytest.mark.parametrize("given_up", ["running", "waiting"])
def test_a_turn_that_is_given_up_passes_on(given_up: str) -> None:
    """Work that runs keeps its turn until it ends; a request that waits leaves the queue."""

    async def check(turns: Turns, work: Work) -> None:
        tasks = [asyncio.create_task(turns.run("a", work.do, f"a{i}")) for i in range(MOST + 2)]
        await begun(work, MOST)
        tasks[0 if given_up == "running" else MOST].cancel()
        await asyncio.sleep(0.01)
        assert work.begun == ["a0", "a1"]
        work.may_end.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(r, asyncio.CancelledError) for r in results) == 1
        assert await turns.run("a", work.do, "next") == "next"

    with_turns(check)


def test_heavy_work_has_turns_of_its_own() -> None:
    """A party's heavy work waits for its heavy work, but not its other work, nor that of others."""

    async def check(turns: Turns, work: Work) -> None:
        heavy = Turns(turns._executor, 1)

        def request(party: str) -> Request:
            made = Request({"headers": []}, _never, turns, heavy_turns=heavy)
            made.party = party
            return made

        both = [asyncio.create_task(request("a").run_heavy(work.do, f"a{i}")) for i in range(2)]
        await begun(work, 1)
        assert await request("a").run(lambda: "light") == "light"
        assert await request("b").run_heavy(lambda: "b") == "b"
        assert work.begun == ["a0"]
        work.may_end.set()
        assert await asyncio.gather(*both) == ["a0", "a1"]

    with_turns(check)


async def _never() -> Message:
    raise AssertionError("no body is read")
