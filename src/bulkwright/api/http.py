"""Request and answer: the little of HTTP that the handlers see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from contextvars import copy_context
from typing import Any, BinaryIO, NamedTuple, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from bulkwright.domain.account import Caller
from bulkwright.domain.errors import InvalidRequest, LimitExceeded
from bulkwright.wire.encode import encode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

P = ParamSpec("P")
T = TypeVar("T")

JSON = b"application/json;charset=utf-8"
"""One parameter at most: clients cut only the last one (client contract 1.9)."""

_PATIENCE = 30.0
"""Seconds a client may be silent, or slower than `_SLOWEST`, before its request is given up."""
_SLOWEST = 10_000
"""Bytes a second that buy a sender more time."""
_FIELDS = 50


class Request:
    """One HTTP request, read as far as somebody asks."""

    __slots__ = ("_executor", "_receive", "caller", "ended", "params", "route", "scope")

    def __init__(self, scope: Scope, receive: Receive, executor: Executor) -> None:
        self.scope = scope
        self.route = ("", "")
        """Method and path template of the route that serves it, as soon as it is known."""
        self.params: dict[str, str] = {}
        self.caller: Caller | None = None
        self.ended = False
        """Whether the body was read as far as it ever will be."""
        self._receive = receive
        self._executor = executor

    @property
    def who(self) -> Caller:
        """The caller of a route that has a scope."""
        assert self.caller is not None
        return self.caller

    def headers(self, name: bytes) -> list[str]:
        """Every value of a header; the name in lower case, as ASGI has them all."""
        return [v.decode("latin-1") for k, v in self.scope["headers"] if k == name]

    def header(self, name: bytes) -> str | None:
        """The first value of a header."""
        for key, value in self.scope["headers"]:
            if key == name:
                text: str = value.decode("latin-1")
                return text
        return None

    @property
    def content_length(self) -> int | None:
        """The body's length as announced; None for a chunked body."""
        text = self.header(b"content-length")
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    def query(self) -> dict[str, str]:
        """The query parameters; of several with one name the first."""
        try:
            return _pairs(self.scope["query_string"].decode("latin-1"))
        except ValueError:
            raise InvalidRequest("The query string cannot be read") from None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes in. Raises InvalidRequest when it stops, or comes too slowly."""
        loop = asyncio.get_running_loop()
        start, received = loop.time(), 0
        while not self.ended:
            try:
                async with asyncio.timeout_at(start + _PATIENCE + received / _SLOWEST):
                    message = await self._receive()
            except TimeoutError:
                self.ended = True  # no more of it is waited for
                raise InvalidRequest("The request body came too slowly") from None
            self.ended = not message.get("more_body", False)
            if message["type"] == "http.disconnect":
                raise InvalidRequest("The request body is not whole")
            chunk = message.get("body", b"")
            received += len(chunk)
            if chunk:
                yield chunk

    async def body(self, most: int) -> bytes:
        """The whole body. Raises LimitExceeded when it is longer than `most`."""
        self.refuse_encoded()
        whole = bytearray()
        if (self.content_length or 0) > most:
            raise LimitExceeded("The request body is too large")
        async for chunk in self.chunks():
            whole += chunk
            if len(whole) > most:
                raise LimitExceeded("The request body is too large")
        return bytes(whole)

    async def form(self, most: int) -> dict[str, str]:
        """The parameters of a URL-encoded body; of several with one name the first.

        Raises InvalidRequest, and LimitExceeded when the body is longer than `most`.
        """
        body = await self.body(most)
        try:
            return _pairs(body.decode("utf-8"))
        except ValueError:
            raise InvalidRequest("The form cannot be read") from None

    @property
    def address(self) -> str:
        """Who is connected: the client, or a proxy before this server."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    def refuse_encoded(self) -> None:
        """Raise InvalidRequest for a compressed body: nothing here is ever inflated unasked."""
        if (self.header(b"content-encoding") or "identity").lower() != "identity":
            raise InvalidRequest("Content-Encoding is not supported")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work on a thread."""
        loop = asyncio.get_running_loop()
        known = copy_context()  # for the log
        return await loop.run_in_executor(self._executor, lambda: known.run(work, *args, **kwargs))


class Answer(NamedTuple):
    """What goes back: a status and JSON, a file, or nothing."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    file: BinaryIO | None = None
    """Open, so that it is there to the end; who sends it closes it."""


def _pairs(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    return dict(reversed(pairs))


def json_answer(body: object, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status, encode(body), ((b"content-type", JSON),))


NOTHING = Answer(204)
"""No content: an empty list, an unknown record, a preflight (facts 9)."""
