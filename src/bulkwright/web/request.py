"""The request as the handlers see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, MutableMapping
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from bulkwright.web.client_address import Networks, client_address
from bulkwright.web.errors import BadRequest, BodyTooLarge
from bulkwright.web.turns import Turns

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

P = ParamSpec("P")
T = TypeVar("T")

_BODY_SECONDS = 30.0
"""Seconds that a body may take, and one more for each `_BYTES_PER_SECOND` that are received."""
_BYTES_PER_SECOND = 10_000
_FIELDS = 50
"""Parameters of a query or a form."""


class Request:
    """One HTTP request. Its body is read when a handler reads it."""

    __slots__ = (
        "_heavy_turns", "_receive", "_trusted", "_turns",
        "caller", "ended", "params", "party", "route", "scope",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        turns: Turns,
        trusted: Networks = (),
        heavy_turns: Turns | None = None,
    ) -> None:
        """`turns` runs blocking work, `heavy_turns` that of `run_heavy` (None: the same turns).

        `trusted` are the networks of trusted proxies.
        """
        self.scope = scope
        self.route = ("", "")
        """Method and path template of the route that serves the request, once it is known."""
        self.params: dict[str, str] = {}
        """The parameters in the path, by name."""
        self.caller: Any = None
        """The caller, in the type of the face. The access check of the face sets it."""
        self.party: Hashable = None
        """Whose turns blocking work takes: the face sets it. Until then the client's address."""
        self.ended = False
        """Whether nothing more of the body will be read."""
        self._receive = receive
        self._turns = turns
        self._heavy_turns = heavy_turns or turns
        self._trusted = trusted

    def headers(self, name: bytes) -> list[str]:
        """Returns every value of a header. `name` is in lower case, as in ASGI."""
        return [v.decode("latin-1") for k, v in self.scope["headers"] if k == name]

    def header(self, name: bytes) -> str | None:
        """Returns the first value of a header."""
        for key, value in self.scope["headers"]:
            if key == name:
                text: str = value.decode("latin-1")
                return text
        return None

    @property
    def content_length(self) -> int | None:
        """The announced length of the body in bytes; None for a chunked body."""
        text = self.header(b"content-length")
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    @property
    def address(self) -> str:
        """The address of the client; behind trusted proxies the one that they name."""
        return client_address(self.scope, self._trusted)

    def query(self) -> dict[str, str]:
        """Returns the query parameters; of several with one name the first."""
        try:
            return _first_values(self.scope["query_string"].decode("latin-1"))
        except ValueError:
            raise BadRequest("The query string cannot be read") from None

    async def receive(self) -> Message:
        """Returns the next message of the client, as ASGI defines it."""
        message = await self._receive()
        self.ended = not message.get("more_body", False)
        return message

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it arrives. Raises BadRequest if it ends early or is too slow."""
        loop = asyncio.get_running_loop()
        start, received = loop.time(), 0
        while not self.ended:
            try:
                async with asyncio.timeout_at(start + _BODY_SECONDS + received / _BYTES_PER_SECOND):
                    message = await self.receive()
            except TimeoutError:
                self.ended = True
                raise BadRequest("The request body came too slowly") from None
            if message["type"] == "http.disconnect":
                raise BadRequest("The request body is not whole")
            chunk = message.get("body", b"")
            received += len(chunk)
            if chunk:
                yield chunk

    async def body(self, limit: int) -> bytes:
        """Returns the whole body. Raises BodyTooLarge if it has more than `limit` bytes."""
        self.reject_encoded_body()
        whole = bytearray()
        if (self.content_length or 0) > limit:
            raise BodyTooLarge("The request body is too large")
        async for chunk in self.chunks():
            whole += chunk
            if len(whole) > limit:
                raise BodyTooLarge("The request body is too large")
        return bytes(whole)

    async def form(self, limit: int) -> dict[str, str]:
        """Returns the parameters of a URL-encoded body; of several with one name the first.

        Raises BadRequest, and BodyTooLarge if the body has more than `limit` bytes.
        """
        body = await self.body(limit)
        try:
            return _first_values(body.decode("utf-8"))
        except ValueError:
            raise BadRequest("The form cannot be read") from None

    def reject_encoded_body(self) -> None:
        """Raises BadRequest for a compressed body, because no body is decompressed here."""
        if (self.header(b"content-encoding") or "identity").lower() != "identity":
            raise BadRequest("Content-Encoding is not supported")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs blocking work on a thread, in the turns of the party; returns its result."""
        return await self._turns.run(self._turns_of, work, *args, **kwargs)

    async def run_heavy(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs blocking work that may keep a core or the write lock busy; otherwise like `run`."""
        return await self._heavy_turns.run(self._turns_of, work, *args, **kwargs)

    @property
    def _turns_of(self) -> Hashable:
        return self.address if self.party is None else self.party


def _first_values(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    return dict(reversed(pairs))
