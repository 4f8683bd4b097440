"""Sends a request to another server and returns its response as it comes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from bulkwright.intercept.conversation import Dropped, Headers, ProgramRequest, Reply, pieces

_PROXY_PORT = 80


def new_client(*, on_loopback: bool) -> httpx2.AsyncClient:
    """Returns a client that adds nothing and waits for as long as the program does.

    It uses the proxy of this machine, unless the server is on loopback.
    """
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx2.AsyncClient(timeout=None, limits=limits, trust_env=not on_loopback)


async def connect(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects to a host, through the proxy of this machine if there is one. Raises OSError."""
    proxy = None if proxy_bypass(host) else getproxies().get("https")
    if proxy is None:
        return await asyncio.open_connection(host, port)
    parts = urlsplit(proxy)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or _PROXY_PORT)
    head = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if parts.username:
        known = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        head.append(f"Proxy-Authorization: Basic {b64encode(known).decode()}")
    writer.write("\r\n".join([*head, "", ""]).encode())
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        answer = b""
    if answer.split(b" ", 2)[1:2] != [b"200"]:
        writer.close()
        raise OSError(f"the proxy {parts.hostname} refuses it")
    return reader, writer


@asynccontextmanager
async def forward(
    client: httpx2.AsyncClient, origin: str, request: ProgramRequest, headers: Headers
) -> AsyncIterator[Reply]:
    """Sends the request to `origin` (`https://HOST[:PORT]`) with these headers; yields the reply.

    A server that cannot be reached is a reply with status 502. Raises Dropped.
    """
    sent = httpx2.Request(
        request.method,
        httpx2.URL(origin).copy_with(raw_path=request.target),
        headers=[pair for pair in headers if pair[0].lower() != b"host"],
        content=request.body if request.has_body else None,
    )
    try:
        response = await client.send(sent, stream=True)
    except httpx2.ConnectError as error:
        reason = f"bulkwright intercept: {origin} cannot be reached: {error}\n".encode()
        length = str(len(reason)).encode()
        yield Reply(502, [(b"content-length", length)], pieces(reason))
        return
    except httpx2.TransportError as error:
        raise Dropped from error
    try:
        yield Reply(response.status_code, response.headers.raw, response.aiter_raw())
    finally:
        await response.aclose()
