"""Claims due callbacks from the outbox and delivers them, each destination by itself.

A destination is a host and port. It has a few attempts at once, and only one while it is slow or
does not respond. Slow destinations share half of all attempts, so that they never delay the
others. The database is used on a thread of its own, because a busy worker can block it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from bulkwright.callback.signing import SigningKeys, signed_headers
from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain import limits
from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.endpoint import Endpoint, InvalidEndpoint, parse_endpoint
from bulkwright.egress import EgressRefused, Guard, NoAnswer
from bulkwright.events.events import (
    CallbackDelivered,
    CallbackFailed,
    CallbackGivenUp,
    DispatcherFailed,
    Observer,
)
from bulkwright.store.outbox import OutboxStore
from bulkwright.store.wakeups import Wakeups

if TYPE_CHECKING:
    from bulkwright.callback.sender import WebhookSender

_POLL_SECONDS = 0.5
"""How long the dispatcher waits for a wake-up before it looks all the same: one may get lost."""
_ERROR_PAUSE_SECONDS = 1.0
_GONE = 410
_SHUTDOWN_SECONDS = 2.0
_random = random.SystemRandom()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast callbacks are delivered and retried; times are in seconds."""

    backoff: float = limits.CALLBACK_BACKOFF_SECONDS
    backoff_most: float = limits.CALLBACK_BACKOFF_MOST_SECONDS
    retry_after_most: float = limits.CALLBACK_RETRY_AFTER_MOST_SECONDS
    attempt: float = limits.CALLBACK_ATTEMPT_SECONDS
    prompt: float = limits.CALLBACK_PROMPT_SECONDS
    attempts: int = limits.CALLBACK_ATTEMPTS
    at_once: int = limits.CALLBACK_AT_ONCE
    per_destination: int = limits.CALLBACK_PER_DESTINATION

    def wait(self, attempts: int, retry_after: float | None) -> float:
        """Returns the seconds until the next attempt: full jitter, but at least `retry_after`."""
        most = min(self.backoff_most, self.backoff * 2.0 ** min(attempts - 1, 60))
        return max(_random.uniform(0, most), min(retry_after or 0.0, self.retry_after_most))


class AttemptResult(NamedTuple):
    """The result of one attempt."""

    status: int | None = None
    """The HTTP status; None when there was no response."""
    error: str | None = None
    """Why the attempt failed; None when the callback was delivered."""
    retry_after: float | None = None
    """Seconds to wait, from the header `Retry-After`; None if it is absent or cannot be read."""
    final: bool = False
    """Whether there is no point in another attempt."""


class CallbackDispatcher:
    """Delivers callbacks until it is stopped."""

    def __init__(  # wide: tests replace the pace, the sender and the clock
        self,
        outbox: OutboxStore,
        guard: Guard,
        observe: Observer,
        body: Callable[[Delivery], bytes | None],
        *,
        pace: Pace | None = None,
        make_sender: Callable[[], WebhookSender] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`body` returns the body of a callback."""
        self._outbox = outbox
        self._keys = SigningKeys(outbox)
        self._guard = guard
        self._observe = observe
        self._body = body
        self._pace = pace or Pace()
        self._make_sender = make_sender or partial(_make_sender, clock)
        self._clock = clock
        self._sender: WebhookSender | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="callbacks")
        self._waiting = ThreadPoolExecutor(1, thread_name_prefix="callbacks-wait")
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._slow: set[str] = set()
        """Destinations whose last attempt took long, with or without a response."""
        self._attempt_ended = asyncio.Event()
        self._reported_error = ""
        """The error of the last poll, so that it is reported once."""

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop` is set. Then aborts attempts that take long; they are due again."""
        stopped = asyncio.create_task(stop.wait())
        with self._outbox.wakeups() as wakeups:
            woken = self._wait_on_thread(wakeups)
            try:
                while not stop.is_set():
                    self._attempt_ended.clear()
                    if woken.done():
                        woken = self._wait_on_thread(wakeups)
                    seconds = await self._poll_outbox()
                    ended = asyncio.create_task(self._attempt_ended.wait())
                    any_of: set[asyncio.Future[Any]] = {ended, stopped, woken}
                    await asyncio.wait(any_of, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                    ended.cancel()
            finally:
                stopped.cancel()
                wakeups.interrupt()
                await self._shut_down()
                await woken
                self._waiting.shutdown(wait=False)

    def alter_sender(self, alter: Callable[[WebhookSender], WebhookSender]) -> None:
        """Sends through what `alter` makes of the sender; call it before `run`."""
        make = self._make_sender
        self._make_sender = lambda: alter(make())

    async def drop_attempts(self) -> None:
        """Ends the attempts that run, without a record of them; call it on the loop of `run`."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _shut_down(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_SHUTDOWN_SECONDS)
        aborted = dict(self._running)
        for task in aborted:
            task.cancel()
        await asyncio.gather(*aborted, return_exceptions=True)
        with suppress(Exception):  # otherwise they are due again when their claims expire
            async with asyncio.timeout(_SHUTDOWN_SECONDS):
                for delivery in aborted.values():
                    await self._on_thread(partial(self._outbox.break_off, delivery))
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _poll_outbox(self) -> float:
        """Starts attempts for due deliveries, as far as there is room for them.

        Returns after how many seconds to look again, if nothing happens before.
        """
        if len(self._running) >= self._pace.at_once:
            return _POLL_SECONDS
        try:
            pending = await self._on_thread(self._outbox.pending_destinations)
            self._slow.intersection_update(pending)
            now = self._clock.now()
            room = self._room([name for name, due in pending.items() if due <= now])
            claimed = await self._on_thread(lambda: self._outbox.claim(room)) if room else []
        except Exception as error:
            # The disk is full, or the database is locked for a minute. What is due remains due.
            if str(error) != self._reported_error:
                self._reported_error = str(error)
                self._observe(DispatcherFailed(error))
            await asyncio.sleep(_ERROR_PAUSE_SECONDS)
            return 0.0
        self._reported_error = ""
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._running[task] = delivery
            task.add_done_callback(self._on_attempt_ended)
        later = [(due - now).total_seconds() for due in pending.values() if due > now]
        return min([_POLL_SECONDS, *later])

    def _room(self, due: list[str]) -> dict[str, int]:
        """Returns how many attempts may start for each destination.

        Fast destinations come first; apart from that, the order is random.
        """
        pace = self._pace
        busy = Counter(delivery.destination for delivery in self._running.values())
        left = pace.at_once - len(self._running)
        left_slow = pace.at_once // 2 - sum(busy[name] for name in self._slow)
        room: dict[str, int] = {}
        for name in sorted(due, key=lambda name: (name in self._slow, _random.random())):
            slow = name in self._slow
            if slow:
                most = min(left, left_slow, 1 - busy[name])
            else:
                most = min(left, pace.per_destination - busy[name])
            if most > 0:
                room[name] = most
                left -= most
                left_slow -= most if slow else 0
        return room

    def _on_attempt_ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._attempt_ended.set()

    async def _deliver(self, delivery: Delivery) -> None:
        """Makes one attempt and records its result."""
        try:
            result = await self._attempt(delivery)
        except Exception as error:
            self._observe(DispatcherFailed(error))
            result = AttemptResult(error="internal error")
        try:
            await self._record(delivery, result)
        except Exception as error:
            # The result is not recorded, so the attempt is repeated when the claim expires.
            self._observe(DispatcherFailed(error))

    async def _attempt(self, delivery: Delivery) -> AttemptResult:
        try:
            endpoint = parse_endpoint(delivery.url)
        except InvalidEndpoint as error:
            return AttemptResult(error=str(error), final=True)
        prepared = await self._on_thread(lambda: self._prepare(delivery))
        if prepared is None:
            return AttemptResult(error="the job was deleted", final=True)
        sender, body, headers = prepared
        started = asyncio.get_running_loop().time()
        try:
            return await self._send(sender, endpoint, headers, body, started + self._pace.attempt)
        finally:
            slow = asyncio.get_running_loop().time() - started > self._pace.prompt
            (self._slow.add if slow else self._slow.discard)(delivery.destination)

    async def _send(
        self,
        sender: WebhookSender,
        endpoint: Endpoint,
        headers: dict[str, str],
        body: bytes,
        deadline: float,
    ) -> AttemptResult:
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._guard.addresses(endpoint)
            response = await sender.post(endpoint, addresses, headers, body, deadline)
        except (EgressRefused, NoAnswer) as error:
            return AttemptResult(error=str(error))
        except TimeoutError:
            return AttemptResult(error="no address in time")
        status = response.status
        if 200 <= status < 300:
            return AttemptResult(status)
        return AttemptResult(status, f"HTTP {status}", response.retry_after, final=status == _GONE)

    def _prepare(self, delivery: Delivery) -> tuple[WebhookSender, bytes, dict[str, str]] | None:
        """Returns sender, body and headers; None if the job was deleted since it was claimed.

        The body is exactly the response to a request for the job's details; a header has its
        signature.
        """
        if self._sender is None:
            # On this thread, because the import takes time and the loop has requests to answer.
            self._sender = self._make_sender()
        body = self._body(delivery)
        if body is None:
            return None
        keys = self._keys.of(delivery.org_id)
        timestamp = int(self._clock.now().timestamp())
        return self._sender, body, signed_headers(delivery.webhook_id, timestamp, body, keys)

    async def _record(self, delivery: Delivery, result: AttemptResult) -> None:
        """Records the result in the outbox, then reports it to the observer."""
        status, error = result.status, result.error
        subject = (delivery.job_id, delivery.destination or "-")
        if error is None:
            end = DeliveryState.DELIVERED
            await self._on_thread(
                lambda: self._outbox.end(delivery, end, status=status, error=None)
            )
            self._observe(CallbackDelivered(*subject, delivery.attempts))
            return
        wait = self._pace.wait(delivery.attempts, result.retry_after)
        late = self._clock.now() + timedelta(seconds=wait) > delivery.deadline
        if result.final or late or delivery.attempts >= self._pace.attempts:
            end = DeliveryState.GIVEN_UP
            await self._on_thread(
                lambda: self._outbox.end(delivery, end, status=status, error=error)
            )
            self._observe(CallbackGivenUp(*subject, delivery.attempts, error))
            return
        await self._on_thread(
            lambda: self._outbox.postpone(delivery, wait, status=status, error=error)
        )
        self._observe(CallbackFailed(*subject, delivery.attempts, error, wait))

    def _wait_on_thread(self, wakeups: Wakeups) -> asyncio.Future[bool]:
        """Waits for a wake-up on a thread of its own."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._waiting, wakeups.wait, _POLL_SECONDS)

    async def _on_thread(self, call: Callable[[], T]) -> T:
        """Runs a call on the one thread that uses the database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _make_sender(clock: Clock) -> WebhookSender:
    from bulkwright.callback.sender import WebhookSender

    return WebhookSender(clock=clock)
