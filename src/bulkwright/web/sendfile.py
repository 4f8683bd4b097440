"""Sends an open file block by block, so that memory stays flat."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import BinaryIO

from bulkwright.web.request import Send

_BLOCK = 256 * 1024
_BLOCK_SECONDS = 30.0
"""Seconds within which a client must take one block."""
_log = logging.getLogger("bulkwright.api.files")


async def send_file(file: BinaryIO, size: int, send: Send, sha256: str | None = None) -> None:
    """Sends `size` bytes of a file as the body. Gives up on a client that takes too long.

    With `sha256` the bytes are checked as they are sent; if they have another checksum, the last
    block is not sent. The client notices a truncated body, because the announced length is longer.
    """
    loop = asyncio.get_running_loop()
    digest = hashlib.sha256()

    def read(most: int) -> bytes:
        block = file.read(most)
        if sha256 is not None:
            digest.update(block)
        return block

    sent = 0
    while sent < size:
        block = await loop.run_in_executor(None, read, min(_BLOCK, size - sent))
        if not block:
            break
        sent += len(block)
        if sent == size and sha256 not in (None, digest.hexdigest()):
            _log.error("a file is not what was stored: its last bytes were not sent")
            return
        try:
            async with asyncio.timeout(_BLOCK_SECONDS):
                await send({"type": "http.response.body", "body": block, "more_body": True})
        except TimeoutError:
            return
    await send({"type": "http.response.body", "body": b""})
