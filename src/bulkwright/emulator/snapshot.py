"""The controls that save the state, load it, and make it the one that a reset restores."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from typing import IO

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from bulkwright.domain.limits import SNAPSHOT_BYTES
from bulkwright.emulator.control import Control, ControlBodyTooLong, ControlCall
from bulkwright.web.json import encode


async def save_snapshot(call: ControlCall) -> object:
    """Returns the whole state as a zip."""
    path = await call.controls.save(call.request)
    return FileResponse(
        path,
        media_type="application/zip",
        filename="bulkwright-snapshot.zip",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


async def load_snapshot(call: ControlCall) -> object:
    """Replaces the whole state by that of a snapshot; returns its credentials."""
    with tempfile.TemporaryFile(dir=call.controls.folder) as zipped:
        await _receive(call.request.chunks(), zipped)
        credentials = await call.controls.load(call.request, zipped)
    return Response(encode(credentials), media_type="application/json")


async def take_baseline(call: ControlCall) -> object:
    """Makes the state as it is now the one that a reset restores."""
    await call.controls.take_baseline(call.request)
    return Response(status_code=204)


async def _receive(chunks: AsyncIterator[bytes], file: IO[bytes]) -> None:
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > SNAPSHOT_BYTES:
            raise ControlBodyTooLong
        file.write(chunk)
    file.seek(0)


CONTROLS = (
    Control("GET", "/snapshot", save_snapshot),
    Control("PUT", "/snapshot", load_snapshot),
    Control("POST", "/baseline", take_baseline),
)
