"""The controls that save the state, load it, and make it the one that a reset restores."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from io import SEEK_END
from typing import IO, BinaryIO

from starlette.responses import Response, StreamingResponse

from bulkwright.domain.limits import SNAPSHOT_BYTES
from bulkwright.emulator.control import Control, ControlBodyTooLong, ControlCall
from bulkwright.web.json import encode

_PIECE_BYTES = 65_536


async def save_snapshot(call: ControlCall) -> object:
    """Returns the whole state as a zip."""
    zipped = await call.controls.save(call.request)
    headers = {
        "content-length": str(zipped.seek(0, SEEK_END)),
        "content-disposition": 'attachment; filename="bulkwright-snapshot.zip"',
    }
    return StreamingResponse(_pieces(zipped), headers=headers, media_type="application/zip")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


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
