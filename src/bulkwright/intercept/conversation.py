"""HTTP/1.1 with one client: its requests, and the responses to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass

import h11
import httpx2

Headers = list[tuple[bytes, bytes]]

_PIECE_BYTES = 64 * 1024
_HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
}  # fmt: skip
"""Headers that concern one connection."""


class Dropped(Exception):
    """The other server has closed its connection without a whole response."""


@dataclass(slots=True)
class ProgramRequest:
    """A request that a program has sent."""

    method: str
    scheme: str
    host: str
    """The host that the program has called, without a port."""
    target: bytes
    """Path and query as they were sent."""
    headers: Headers
    body: AsyncIterator[bytes]
    has_body: bool

    def header(self, name: bytes) -> str:
        """Returns the first header of this name (in lower case), or an empty text."""
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == name), "")


@dataclass(slots=True)
class Reply:
    """The response that the program gets."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]


Gateway = Callable[[ProgramRequest], AbstractAsyncContextManager[Reply]]
"""Responds to a request; used until the reply is sent. Raises Dropped."""


class Conversation:
    """The connection of one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._http = h11.Connection(h11.SERVER)

    async def request(self) -> h11.Request | None:
        """Returns the next request, or None if the client sends no further one."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        if self._http.our_state is not h11.IDLE:
            return None
        event = await self._next()
        return event if isinstance(event, h11.Request) else None

    async def body(self) -> AsyncIterator[bytes]:
        """Yields the body of the request."""
        while self._http.their_state is h11.SEND_BODY:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            event = await self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    async def respond(self, reply: Reply) -> None:
        """Sends a response."""
        headers = [pair for pair in reply.headers if pair[0].lower() not in _HOP_BY_HOP]
        await self._send(h11.Response(status_code=reply.status, headers=headers))
        async for piece in reply.body:
            await self._send(h11.Data(data=piece))
        await self._send(h11.EndOfMessage())

    async def refuse(self, status: int, reason: str) -> None:
        """Sends a response with a reason for people, as the last one of the connection."""
        text = f"bulkwright intercept: {reason}\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        length = (b"content-length", str(len(text)).encode())
        await self._send(h11.Response(status_code=status, headers=[*headers, length]))
        await self._send(h11.Data(data=text))
        await self._send(h11.EndOfMessage())

    async def accept_tunnel(self) -> bytes:
        """Accepts a CONNECT; returns what the client has sent behind it."""
        await self._send(h11.Response(status_code=200, headers=[]))
        return self._http.trailing_data[0]

    async def _send(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            self.writer.write(data)
            await self.writer.drain()

    async def _next(self) -> object:
        event = self._http.next_event()
        while isinstance(event, type) and event is h11.NEED_DATA:
            self._http.receive_data(await self.reader.read(_PIECE_BYTES))
            event = self._http.next_event()
        return event


async def converse(
    talk: Conversation, gateway: Gateway, scheme: str, host: Callable[[h11.Request], str | None]
) -> None:
    """Responds to all requests of a connection.

    `host` returns the host that a request is for, or None if it is refused.
    """
    while (request := await talk.request()) is not None:
        if not await respond(talk, request, gateway, scheme, host(request)):
            return


async def respond(
    talk: Conversation, request: h11.Request, gateway: Gateway, scheme: str, host: str | None
) -> bool:
    """Responds to one request; returns whether the connection can be used again."""
    if host is None:
        await talk.refuse(421, "this host is none of Zoho's.")
        return False
    body = talk.body()
    incoming = ProgramRequest(
        request.method.decode("ascii"), scheme, host, _target(request), _end_to_end(request), body,
        has_body=any(n in (b"content-length", b"transfer-encoding") for n, _ in request.headers),
    )  # fmt: skip
    try:
        async with gateway(incoming) as reply:
            await talk.respond(reply)
    except (Dropped, httpx2.TransportError):
        # The program sees what it would have seen without a proxy: the connection breaks.
        talk.writer.transport.abort()
        return False
    async for _ in body:
        pass
    return True


def _end_to_end(request: h11.Request) -> Headers:
    raw = request.headers.raw_items()
    return [(name, value) for name, value in raw if name.lower() not in _HOP_BY_HOP]


def _target(request: h11.Request) -> bytes:
    """Returns path and query; a proxy is also asked with a whole URL."""
    target = request.target
    if not target.startswith((b"http://", b"https://")):
        return target
    rest = target.split(b"/", 3)
    return b"/" + (rest[3] if len(rest) > 3 else b"")


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """Yields bytes as a body."""
    if data:
        yield data


async def close(writer: asyncio.StreamWriter) -> None:
    """Closes a connection that may be broken."""
    writer.close()
    with suppress(OSError, asyncio.TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
