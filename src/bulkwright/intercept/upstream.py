"""Sends a request to another server and returns its response as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from bulkwright.intercept.conversation import Dropped, Headers, ProgramRequest, Reply, pieces


def new_client(*, verify: bool = True) -> httpx2.AsyncClient:
    """Returns a client that adds nothing, waits for as long as the program does, and uses no proxy.

    The variables of this process may name another proxy.
    """
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx2.AsyncClient(timeout=None, limits=limits, trust_env=False, verify=verify)


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
