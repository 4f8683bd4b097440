"""The workers that a server has started, and what they tell of their work.

An attached worker writes its whole tally as a line to its standard output, a pipe that the server
reads, whenever it has changed. There is nothing to clean up after a worker that was killed, what it
did still counts, and a line that finds the pipe full may be left out: the next one has it all.
"""

from __future__ import annotations

import os
from asyncio import StreamReader
from contextlib import suppress

import msgspec

from bulkwright.metrics.tally import Tally
from bulkwright.observe import Event

_tally = msgspec.json.Decoder(Tally)


class Teller:
    """The worker's end: an observer that counts, and tells who reads the pipe."""

    def __init__(self, pipe: int) -> None:
        """Takes over `pipe`, a file descriptor that nobody else writes to."""
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._tally = Tally()
        self._told = b""

    def observe(self, event: Event) -> None:
        """Count an event, and tell unless nothing has changed."""
        self._tally.observe(event)
        line = msgspec.json.encode(self._tally) + b"\n"
        if line != self._told:
            # Shorter than PIPE_BUF (4,096 bytes), it is written whole or not at all. Who read it
            # may be gone, and with it this worker soon.
            with suppress(OSError):
                os.write(self._pipe, line)
                self._told = line


class Crew:
    """The server's end."""

    def __init__(self) -> None:
        self._live: dict[StreamReader, Tally] = {}
        self._past = Tally()

    @property
    def size(self) -> int:
        """How many workers live."""
        return len(self._live)

    def total(self) -> Tally:
        """What they did and those before them; a worker that was killed may have done one chunk
        more than it could tell."""
        total = Tally()
        for tally in (self._past, *self._live.values()):
            total.absorb(tally)
        return total

    async def hear(self, pipe: StreamReader) -> None:
        """Listen to a worker until it is gone."""
        self._live[pipe] = Tally()
        try:
            async for line in pipe:
                with suppress(msgspec.DecodeError):  # a library that prints something
                    self._live[pipe] = _tally.decode(line)
        finally:
            self._past.absorb(self._live.pop(pipe))
