"""The place that each request passes before it reaches the service.

An intervention, such as the fault rules, stands here too. The controls of the emulator pass
without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from time import perf_counter
from typing import Protocol

from bulkwright.domain.limits import LOGGED_BODY_BYTES
from bulkwright.emulator.exchanges import SENT, WATCHED
from bulkwright.web.request import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/api/v1/emulator"
"""The prefix of the controls."""
CONSOLE = "/console"
"""The prefix of the console's pages. They meet no fault, and no credits are counted for them."""
PAGE = f"{CONSOLE}/emulator"
"""The page of the controls. Like them, it works under all rules, and while a reset waits."""
_READS = frozenset(("GET", "HEAD", "OPTIONS"))
_FILES = (b"multipart/", b"application/zip", b"application/octet-stream")


class StillWriting(Exception):
    """Requests that change something did not end in time."""


class Intervention(Protocol):
    """Changes what becomes of requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send, serve: ASGIApp) -> None:
        """Serves a request: by itself, or by `serve`, whose messages it may change."""
        ...


class InterventionOrder(IntEnum):
    """The places of interventions; a request passes them in this order."""

    CREDITS = 0
    FAULTS = 1
    PACE = 2


class Gate:
    """An ASGI app before the service. It belongs to one event loop."""

    def __init__(self, note: Callable[[Scope, int, float], None]) -> None:
        """`note` notes a request that interventions have seen, its status and its seconds."""
        self._note = note
        self._placed: dict[InterventionOrder, Intervention] = {}
        self._interventions: tuple[Intervention, ...] = ()
        """Those that are active, the outermost first."""
        self._app: ASGIApp | None = None
        self._opened = asyncio.Event()
        self._opened.set()
        self._writing = 0
        """Requests being served that may change something."""
        self._written = asyncio.Event()
        self._is_plain = True
        """Whether nothing stands between a read and the service."""

    def before(self, app: ASGIApp) -> Gate:
        """Puts the gate before an app, and returns it."""
        self._app = app
        return self

    def place(self, order: InterventionOrder, intervention: Intervention | None) -> None:
        """Sets the intervention at a place; None takes it out, and then it costs nothing."""
        self._placed.pop(order, None)
        if intervention is not None:
            self._placed[order] = intervention
        self._interventions = tuple(self._placed[order] for order in sorted(self._placed))
        self._set_plain()

    def _set_plain(self) -> None:
        self._is_plain = self._opened.is_set() and not self._interventions

    async def serve_untouched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request of a control: no intervention sees it."""
        assert self._app is not None
        await self._app(scope, receive, send)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serves one request."""
        assert self._app is not None
        if self._is_plain and scope["method"] == "GET":
            return self._app(scope, receive, send)  # a poll has no time for more
        return self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        if is_below(scope["path"], PREFIX, PAGE):
            await self._app(scope, receive, send)
            return
        if not self._opened.is_set():
            await self._opened.wait()
        if scope["method"] in _READS:
            await self._serve(scope, receive, send)
            return
        self._writing += 1
        try:
            await self._serve(scope, _remembering(scope, receive), send)
        finally:
            self._writing -= 1
            if not self._writing:
                self._written.set()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._interventions:
            await self._intervened(0, scope, receive, send)
            return
        status, begun = 0, perf_counter()
        scope[WATCHED] = []

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._intervened(0, scope, receive, watch)
        finally:
            self._note(scope, status, perf_counter() - begun)

    @asynccontextmanager
    async def closed(self, seconds: float) -> AsyncIterator[None]:
        """Lets no request pass until the block ends; waits before for those that write.

        Raises StillWriting if these have not ended after `seconds`.
        """
        while not self._opened.is_set():
            await self._opened.wait()
        self._opened.clear()
        self._set_plain()
        try:
            await self._wait_for_writers(seconds)
            yield
        finally:
            self._opened.set()
            self._set_plain()

    async def _wait_for_writers(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._writing:
                    self._written.clear()
                    await self._written.wait()
        except TimeoutError:
            raise StillWriting from None

    async def _intervened(self, at: int, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        if at == len(self._interventions):
            await self._app(scope, receive, send)
            return

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            await self._intervened(at + 1, scope, receive, send)

        await self._interventions[at](scope, receive, send, serve)


def is_below(path: str, *prefixes: str) -> bool:
    """Returns whether a path is one of these, or below one."""
    return any(path.startswith(p) and path[len(p) :][:1] in ("", "/") for p in prefixes)


def _remembering(scope: Scope, receive: Receive) -> Receive:
    """Returns `receive`; what it receives is kept for the log, unless it is a file or too long."""
    kind = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
    if kind.startswith(_FILES):
        return receive
    sent = scope[SENT] = bytearray()

    async def remember() -> Message:
        message = await receive()
        chunk = message.get("body", b"")
        if len(sent) <= LOGGED_BODY_BYTES:
            sent.extend(chunk)
        return message

    return remember
