"""What responds to the calls while they are recorded: the real service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.intercept.conversation import Gateway, Headers, ProgramRequest, Reply
from bulkwright.intercept.exchange import Pairs, RecordedCall
from bulkwright.intercept.masking import Masking
from bulkwright.intercept.upstream import forward, new_client

_KEPT_BYTES = 8 * 1024 * 1024
"""A longer body is not recorded."""
_ENCODING = b"gzip"
"""The only encoding of answers, because a recording has them decoded."""
_FILES = ("multipart/", "application/zip", "application/octet-stream", "application/x-download")


@dataclass(slots=True)
class Recording:
    """The calls of one run, masked."""

    masking: Masking
    with_files: bool = False
    """Whether uploads and results are kept. They are not masked."""
    calls: list[RecordedCall] = field(default_factory=list)


def recording_gateway(recording: Recording, to: str | None) -> Gateway:
    """Returns a gateway that records; `to` is a server in the role of all of Zoho's hosts.

    Belongs into the event loop in which it is used.
    """
    client = new_client(on_loopback=to is not None)

    @asynccontextmanager
    async def gateway(request: ProgramRequest) -> AsyncIterator[Reply]:
        started, begun = SYSTEM_CLOCK.now(), SYSTEM_CLOCK.monotonic()
        sent, answered = _Copy(request.body), None
        request.body = sent.pieces()
        origin = to or f"https://{request.host}"
        headers = [(n, _ENCODING if n.lower() == b"accept-encoding" else v)
                   for n, v in request.headers]  # fmt: skip
        async with forward(client, origin, request, headers) as reply:
            answered = _Copy(reply.body)
            yield Reply(reply.status, reply.headers, answered.pieces())
            seconds = SYSTEM_CLOCK.monotonic() - begun
            call = RecordedCall(
                started.isoformat(timespec="milliseconds"),
                round(seconds * 1000, 3),
                request.method,
                f"https://{request.host}{request.target.decode('latin-1')}",
                _texts(request.headers),
                sent.kept(request.headers, with_files=recording.with_files),
                reply.status,
                _texts(reply.headers),
                answered.kept(reply.headers, with_files=recording.with_files),
            )
            recording.calls.append(recording.masking.call(call))

    return gateway


class _Copy:
    """A body that passes, and what is kept of it."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._kept = bytearray()

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            if len(self._kept) <= _KEPT_BYTES:
                self._kept += piece
            yield piece

    def kept(self, headers: Headers, *, with_files: bool) -> bytes | None:
        """Returns the body; None if it is a file or too long."""
        named = {name.lower(): value.decode("latin-1") for name, value in headers}
        is_form = b"client_secret" in self._kept[:_KEPT_BYTES]
        is_file = named.get(b"content-type", "").startswith(_FILES) and not is_form
        if len(self._kept) > _KEPT_BYTES or (is_file and not with_files):
            return None
        body = bytes(self._kept)
        return _decoded(body, named.get(b"content-encoding", ""))


def _decoded(body: bytes, encoding: str) -> bytes:
    """Returns a body as HAR has it: without its content encoding."""
    if encoding not in ("gzip", "deflate") or not body:
        return body
    import zlib

    try:
        return zlib.decompress(body, wbits=zlib.MAX_WBITS | 32)
    except zlib.error:
        return body


def _texts(headers: Headers) -> Pairs:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
