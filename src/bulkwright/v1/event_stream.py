"""Server-sent events (HTML standard, section 9.2) of what is looked at again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from bulkwright.domain.limits import (
    EVENT_POLL_SECONDS,
    EVENT_SILENT_SECONDS,
    EVENT_STREAMS_OF_ORG,
)
from bulkwright.v1.endpoint import OwnCall
from bulkwright.v1.problems import TooManyStreams

EVENT_STREAM = "text/event-stream"


class Look(NamedTuple):
    """What is followed, as it is now."""

    event_id: str
    """It changes with every event."""
    is_final: bool
    """Whether no event follows."""
    data: Callable[[], bytes]
    """Returns the data of the event."""


def stream_of(
    call: OwnCall,
    event: str,
    look: Callable[[], Look],
    end: bytes = b"",
    seconds: float = EVENT_POLL_SECONDS,
) -> Response:
    """Returns a stream with an event for each change. `look` is called on a thread, in intervals.

    `end` follows the last event. A client that continues with the id of the last event gets status
    204, which ends its attempts.
    """
    now = look()
    last = call.request.header(b"last-event-id")
    if now.is_final and last == now.event_id:
        return Response(status_code=204)
    if call.api.streams[call.caller.org_id] >= EVENT_STREAMS_OF_ORG:
        raise TooManyStreams
    events = _events(call, event, look, seconds, last)
    return StreamingResponse(_counted(call, events, end), media_type=EVENT_STREAM)


async def _counted(call: OwnCall, events: AsyncIterator[bytes], end: bytes) -> AsyncIterator[bytes]:
    streams, org = call.api.streams, call.caller.org_id
    streams[org] += 1
    try:
        async for piece in events:
            yield piece
        if end and not call.api.is_draining():
            yield end
    finally:
        streams[org] -= 1


async def _events(
    call: OwnCall, event: str, look: Callable[[], Look], seconds: float, last: str | None
) -> AsyncIterator[bytes]:
    silent = 0.0
    while not call.api.is_draining():
        now, lines = await call.request.run(_lines, call, look, last)
        if now.event_id != last:
            last, silent = now.event_id, 0.0
            yield b"id: %s\nevent: %s\n%s\n" % (last.encode(), event.encode(), lines)
        if now.is_final:
            return
        silent += seconds
        if silent >= EVENT_SILENT_SECONDS:
            silent = 0.0
            yield b": nothing has changed\n\n"
        await asyncio.sleep(seconds)


def _lines(call: OwnCall, look: Callable[[], Look], last: str | None) -> tuple[Look, bytes]:
    """Returns what is followed, and the lines of its data if they are to be sent.

    Raises an AccessError if the caller may not read it any more.
    """
    call.check_access()
    now = look()
    if now.event_id == last:
        return now, b""
    return now, b"".join(b"data: %s\n" % line for line in now.data().splitlines())
