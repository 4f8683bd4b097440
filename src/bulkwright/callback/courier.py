"""Takes what is due from the outbox and delivers it, host by host.

Every host and port has a lane of its own: a few attempts at once, and a single one while it is
slow or silent. Such lanes share half of all attempts, so that they never hold up the others. The
database is used on one thread of its own, for a busy worker can make it wait.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bulkwright import present
from bulkwright.callback.signing import SigningKeys, signed_headers
from bulkwright.domain import limits
from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.endpoint import Endpoint, InvalidEndpoint, parse_endpoint
from bulkwright.egress import EgressRefused, Guard, NoAnswer
from bulkwright.observe import (
    CallbackDelivered,
    CallbackFailed,
    CallbackGivenUp,
    CourierTripped,
    Observer,
)
from bulkwright.store.jobs import JobStore
from bulkwright.store.outbox import OutboxStore
from bulkwright.wire.encode import encode
from bulkwright.wire.versions import VERSIONS

if TYPE_CHECKING:
    from bulkwright.callback.post import Poster

_LOOK_SECONDS = 0.1
_TRIPPED_SECONDS = 1.0
_GONE = 410
_PARTING_SECONDS = 2.0
_random = random.SystemRandom()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how often; tests are in more of a hurry."""

    backoff: float = limits.CALLBACK_BACKOFF_SECONDS
    backoff_most: float = limits.CALLBACK_BACKOFF_MOST_SECONDS
    retry_after_most: float = limits.CALLBACK_RETRY_AFTER_MOST_SECONDS
    attempt: float = limits.CALLBACK_ATTEMPT_SECONDS
    prompt: float = limits.CALLBACK_PROMPT_SECONDS
    attempts: int = limits.CALLBACK_ATTEMPTS
    at_once: int = limits.CALLBACK_AT_ONCE
    per_lane: int = limits.CALLBACK_PER_LANE

    def wait(self, attempts: int, asked: float | None) -> float:
        """Seconds until the next attempt: full jitter, and never sooner than the receiver asked."""
        most = min(self.backoff_most, self.backoff * 2.0 ** min(attempts - 1, 60))
        return max(_random.uniform(0, most), min(asked or 0.0, self.retry_after_most))


class Outcome(NamedTuple):
    """How one attempt went."""

    status: int | None = None
    error: str | None = None
    """None: delivered."""
    retry_after: float | None = None
    final: bool = False
    """Whether another attempt would be in vain."""


class Courier:
    """Delivers callbacks until told to stop."""

    def __init__(
        self,
        outbox: OutboxStore,
        jobs: JobStore,
        guard: Guard,
        observe: Observer,
        *,
        pace: Pace | None = None,
        poster: Callable[[], Poster] | None = None,
    ) -> None:
        self._outbox = outbox
        self._jobs = jobs
        self._keys = SigningKeys(outbox)
        self._guard = guard
        self._observe = observe
        self._pace = pace or Pace()
        self._make_poster = poster or _make_poster
        self._poster: Poster | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="courier")
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._slow: set[str] = set()
        """Lanes whose last attempt took long, with or without an answer."""
        self._wake = asyncio.Event()
        self._told = ""
        """What was in the way at the last look, told once."""

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; attempts that then go on for long are broken off and due again."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._wake.clear()
                await self._look()
                woken = asyncio.create_task(self._wake.wait())
                await asyncio.wait(
                    {woken, stopped}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                woken.cancel()
        finally:
            stopped.cancel()
            await self._part()

    async def _part(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_PARTING_SECONDS)
        broken = dict(self._running)
        for task in broken:
            task.cancel()
        await asyncio.gather(*broken, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(_PARTING_SECONDS):
                for delivery in broken.values():
                    await self._store(partial(self._outbox.break_off, delivery))
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        """Begin what is due and has room."""
        if len(self._running) >= self._pace.at_once:
            return
        try:
            pending = await self._store(self._outbox.pending_lanes)
            self._slow.intersection_update(pending)
            moment = datetime.now(UTC)
            room = self._room([lane for lane, due in pending.items() if due <= moment])
            claimed = await self._store(lambda: self._outbox.claim(room)) if room else []
        except Exception as error:
            # The database is full, or locked for a minute. What is due stays due.
            if str(error) != self._told:
                self._told = str(error)
                self._observe(CourierTripped(error))
            await asyncio.sleep(_TRIPPED_SECONDS)
            return
        self._told = ""
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._running[task] = delivery
            task.add_done_callback(self._ended)

    def _room(self, due: list[str]) -> dict[str, int]:
        """How many attempts may begin on each lane: the quick ones first, else by chance."""
        pace = self._pace
        busy = Counter(delivery.lane for delivery in self._running.values())
        left = pace.at_once - len(self._running)
        left_slow = pace.at_once // 2 - sum(busy[lane] for lane in self._slow)
        room: dict[str, int] = {}
        for lane in sorted(due, key=lambda lane: (lane in self._slow, _random.random())):
            slow = lane in self._slow
            most = min(left, left_slow, 1 - busy[lane]) if slow else pace.per_lane - busy[lane]
            if (most := min(left, most)) > 0:
                room[lane] = most
                left -= most
                left_slow -= most if slow else 0
        return room

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wake.set()

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt, and what follows from it."""
        try:
            outcome = await self._attempt(delivery)
        except Exception as error:
            self._observe(CourierTripped(error))
            outcome = Outcome(error="internal error")
        try:
            await self._settle(delivery, outcome)
        except Exception as error:
            # Not noted, so the attempt is made again when its lease runs out.
            self._observe(CourierTripped(error))

    async def _attempt(self, delivery: Delivery) -> Outcome:
        try:
            endpoint = parse_endpoint(delivery.url)
        except InvalidEndpoint as error:
            return Outcome(error=str(error), final=True)
        poster, body, headers = await self._store(lambda: self._prepare(delivery))
        begun = asyncio.get_running_loop().time()
        try:
            return await self._call(poster, endpoint, headers, body, begun + self._pace.attempt)
        finally:
            slow = asyncio.get_running_loop().time() - begun > self._pace.prompt
            (self._slow.add if slow else self._slow.discard)(delivery.lane)

    async def _call(
        self,
        poster: Poster,
        endpoint: Endpoint,
        headers: dict[str, str],
        body: bytes,
        deadline: float,
    ) -> Outcome:
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._guard.addresses(endpoint)
            answer = await poster.post(endpoint, addresses, headers, body, deadline)
        except (EgressRefused, NoAnswer) as error:
            return Outcome(error=str(error))
        except TimeoutError:
            return Outcome(error="no address in time")
        if 200 <= answer.status < 300:
            return Outcome(answer.status)
        failed = f"HTTP {answer.status}"
        return Outcome(answer.status, failed, answer.retry_after, final=answer.status == _GONE)

    def _prepare(self, delivery: Delivery) -> tuple[Poster, bytes, dict[str, str]]:
        """Body and headers: the very answer of Get Bulk Write Job Details, and its signature."""
        if self._poster is None:
            # On this thread: the import takes a while, and the loop has requests to answer.
            self._poster = self._make_poster()
        job = self._jobs.job(delivery.org_id, delivery.job_id)
        assert job is not None, "jobs are kept as long as their deliveries"
        body = encode(present.job_details(job, VERSIONS[job.version]))
        keys = self._keys.of(delivery.org_id)
        headers = signed_headers(delivery.webhook_id, int(time.time()), body, keys)
        return self._poster, body, headers

    async def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        status, error = outcome.status, outcome.error
        told = (delivery.job_id, delivery.lane or "-")
        if error is None:
            end = DeliveryState.DELIVERED
            await self._store(lambda: self._outbox.end(delivery, end, status=status, error=None))
            self._observe(CallbackDelivered(*told, delivery.attempts))
            return
        wait = self._pace.wait(delivery.attempts, outcome.retry_after)
        late = datetime.now(UTC) + timedelta(seconds=wait) > delivery.deadline
        if outcome.final or late or delivery.attempts >= self._pace.attempts:
            end = DeliveryState.GIVEN_UP
            await self._store(lambda: self._outbox.end(delivery, end, status=status, error=error))
            self._observe(CallbackGivenUp(*told, delivery.attempts, error))
            return
        await self._store(lambda: self._outbox.postpone(delivery, wait, status=status, error=error))
        self._observe(CallbackFailed(*told, delivery.attempts, error, wait))

    async def _store(self, call: Callable[[], T]) -> T:
        """Use the database, on the one thread that does."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _make_poster() -> Poster:
    from bulkwright.callback.post import Poster

    return Poster()
