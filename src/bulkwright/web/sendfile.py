"""Sends an open file block by block, so that memory stays flat."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from bulkwright.web.request import Send

_BLOCK = 256 * 1024
_BLOCK_SECONDS = 30.0
"""Seconds within which a client must take one block."""


async def send_file(file: BinaryIO, size: int, send: Send) -> None:
    """Sends `size` bytes of a file as the body. Gives up on a client that takes too long.

    The client notices a truncated body, because the announced length is longer.
    """
    loop = asyncio.get_running_loop()
    sent = 0
    while sent < size:
        block = await loop.run_in_executor(None, file.read, min(_BLOCK, size - sent))
        if not block:
            break
        sent += len(block)
        try:
            async with asyncio.timeout(_BLOCK_SECONDS):
                await send({"type": "http.response.body", "body": block, "more_body": True})
        except TimeoutError:
            return
    await send({"type": "http.response.body", "body": b""})
