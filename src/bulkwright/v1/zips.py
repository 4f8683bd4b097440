"""Zips with results, sent in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

_PIECE_BYTES = 65_536
ZIP = "application/zip"


def zip_response(file: BinaryIO, name: str) -> Response:
    """Returns an open zip as a download; it is closed at the end."""
    headers = {
        "content-length": str(file.seek(0, SEEK_END)),
        "content-disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(_pieces(file), headers=headers, media_type=ZIP)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece
