"""The proxy of one run: it decrypts what goes to Zoho's hosts; all else passes a tunnel."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import h11

from bulkwright.intercept.authority import Authority
from bulkwright.intercept.conversation import (
    Conversation,
    Gateway,
    ProgramRequest,
    Reply,
    close,
    converse,
    respond,
)
from bulkwright.intercept.hosts import is_zoho
from bulkwright.intercept.upstream import connect, forward, new_client

_BROKEN = (OSError, ssl.SSLError, h11.ProtocolError, asyncio.IncompleteReadError)
"""What an end of a connection can raise."""
_PIECE_BYTES = 64 * 1024


@dataclass(slots=True)
class Ports:
    """Where the proxy listens on loopback."""

    proxy: int
    """For programs that use a proxy."""
    direct: int
    """For TLS of programs that use none: the connection itself is redirected."""


@dataclass(slots=True)
class ZohoProxy:
    """A proxy on loopback, in a thread of its own. A `with` block runs it."""

    authority: Authority
    make_gateway: Callable[[], Gateway]
    """Returns what responds to requests for Zoho's hosts; called in the thread of the proxy."""
    only_zoho: bool = False
    """Whether all other hosts are refused."""
    refused: set[str] = field(default_factory=set)
    """The hosts that were refused."""
    ports: Ports = field(default_factory=lambda: Ports(0, 0))
    _started: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _gateway: Gateway | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop and self._thread
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gateway = self.make_gateway()
        plain = await asyncio.start_server(self._plain, "127.0.0.1", 0)
        direct = await asyncio.start_server(
            self._direct, "127.0.0.1", 0, ssl=self.authority.context
        )
        self.ports = Ports(_port(plain), _port(direct))
        self._started.set()
        await self._stop.wait()
        for server in (plain, direct):
            server.close()

    async def _plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a program that knows that this is a proxy."""
        async with _quiet(writer):
            talk = Conversation(reader, writer)
            while (request := await talk.request()) is not None:
                if request.method == b"CONNECT":
                    await self._tunnel(talk, request.target.decode("latin-1"))
                    return
                scheme, host, port = _place(request.target.decode("latin-1"))
                if not self._serves(host):
                    await talk.refuse(403, f"--only-zoho refuses {host}.")
                    return
                gateway = self._zoho if is_zoho(host) else _other(scheme, host, port)
                if not await respond(talk, request, gateway, scheme, host):
                    return

    async def _direct(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves TLS of a program that has called a host of Zoho's itself."""
        async with _quiet(writer):
            await converse(Conversation(reader, writer), self._zoho, "https", _named_host)

    async def _tunnel(self, talk: Conversation, authority: str) -> None:
        host, _, port = authority.rpartition(":")
        host = host.strip("[]").lower()
        if is_zoho(host):
            await talk.accept_tunnel()
            await talk.writer.start_tls(self.authority.context_of(host))
            inner = Conversation(talk.reader, talk.writer)
            await converse(inner, self._zoho, "https", lambda _: host)
            return
        if not self._serves(host):
            await talk.refuse(403, f"--only-zoho refuses {host}.")
            return
        try:
            far_reader, far_writer = await connect(host, int(port))
        except (OSError, ValueError) as error:
            await talk.refuse(502, f"{authority} cannot be reached: {error}")
            return
        async with _quiet(far_writer):
            far_writer.write(await talk.accept_tunnel())
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(talk.reader, far_writer))
                both.create_task(_copy(far_reader, talk.writer))

    def _zoho(self, request: ProgramRequest) -> AbstractAsyncContextManager[Reply]:
        assert self._gateway is not None
        return self._gateway(request)

    def _serves(self, host: str) -> bool:
        if self.only_zoho and not is_zoho(host):
            self.refused.add(host)
            return False
        return True


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _named_host(request: h11.Request) -> str | None:
    """Returns the host of Zoho's that a request names."""
    named = next((v.decode("latin-1") for n, v in request.headers if n == b"host"), "")
    host = named.partition(":")[0].lower()
    return host if is_zoho(host) else None


def _place(url: str) -> tuple[str, str, str]:
    """Returns scheme, host and `:PORT` of a URL; empty texts if it has none."""
    scheme, _, rest = url.partition("://")
    host, colon, port = rest.partition("/")[0].rpartition("@")[2].partition(":")
    return scheme, host.lower(), colon + port


def _other(scheme: str, host: str, port: str) -> Gateway:
    """Returns a gateway to another host, without TLS: a program uses a tunnel for that."""

    @asynccontextmanager
    async def gateway(request: ProgramRequest) -> AsyncIterator[Reply]:
        async with (
            new_client(on_loopback=False) as client,
            forward(client, f"{scheme}://{host}{port}", request, request.headers) as reply,
        ):
            yield reply

    return gateway


@asynccontextmanager
async def _quiet(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Closes a connection at the end. One that breaks is no error: programs end when they want.

    One that is still open when the proxy ends is cancelled; asyncio would print that.
    """
    with suppress(asyncio.CancelledError):
        try:
            with suppress(*_BROKEN):
                try:
                    yield
                except* _BROKEN:
                    pass
        finally:
            await close(writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
