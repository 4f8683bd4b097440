"""The counters of workers, on their way to the server that started them.

An attached worker writes all of its counters as one line to its standard output when they have
changed; that is a pipe, which the server reads. So the counts of a killed worker remain. When the
pipe is full, a line is omitted; the next line contains its counts too.
"""

from __future__ import annotations

import os
from asyncio import StreamReader
from contextlib import suppress

import msgspec

from bulkwright.events.counters import Counters
from bulkwright.events.events import Event

_decoder = msgspec.json.Decoder(Counters)


class CounterReporter:
    """The worker's end of the pipe: an observer that counts events and writes the counters."""

    def __init__(self, pipe: int) -> None:
        """Takes over `pipe`, a file descriptor that no other code writes to."""
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._counters = Counters()
        self._last_line = b""

    def observe(self, event: Event) -> None:
        """Counts an event, and writes the counters if they have changed."""
        self._counters.observe(event)
        line = msgspec.json.encode(self._counters) + b"\n"
        if line != self._last_line:
            # A line is shorter than PIPE_BUF (4,096 bytes), so it is written whole or not at all.
            # The server may be dead; then this worker ends soon.
            with suppress(OSError):
                os.write(self._pipe, line)
                self._last_line = line


class WorkerMetrics:
    """The server's end of the pipes: the counters of its workers, the dead ones included."""

    def __init__(self) -> None:
        self._live: dict[StreamReader, Counters] = {}
        self._dead = Counters()

    @property
    def size(self) -> int:
        """The number of live workers."""
        return len(self._live)

    def total(self) -> Counters:
        """Returns the sum of all workers' counters.

        A worker that was killed may have committed one chunk that is not counted.
        """
        total = Counters()
        for counters in (self._dead, *self._live.values()):
            total.absorb(counters)
        return total

    async def read(self, pipe: StreamReader) -> None:
        """Reads the counters of a worker until its pipe is closed."""
        self._live[pipe] = Counters()
        try:
            async for line in pipe:
                with suppress(msgspec.DecodeError):  # a library has printed something
                    self._live[pipe] = _decoder.decode(line)
        finally:
            self._dead.absorb(self._live.pop(pipe))
