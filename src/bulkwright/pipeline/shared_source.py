"""One reading of a file for several parts of a resource that one worker runs at the same time.

In:   the open upload of a resource, and the chunk that each part begins with.
Out:  for each part a source that yields the same chunks as a reading of its own.

Reading takes a quarter of the CPU of a job in one part (benchmarks/README.md), and it does not get
less with the number of parts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Split
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.read import Chunk, Start
from bulkwright.pipeline.source import Source

CHUNKS_AHEAD = 2
"""A part that has these chunks more than the slowest one waits for it: they are in memory."""


class SharedChunks:
    """The chunks of a file, each of which several threads take."""

    def __init__(self, chunks: Iterator[Chunk], first: int, readers: int) -> None:
        self._chunks = chunks
        self._changed = threading.Condition()
        self._kept: deque[Chunk] = deque()
        self._next = first
        """The number of the chunk that is read next."""
        self._at = dict.fromkeys(range(readers), first)
        """The number of the chunk that each reader takes next."""
        self._lagging: set[int] = set()
        self._reads = False
        self._end: Exception | None = None
        """What each reader gets behind the last chunk: StopIteration, or the error of the file."""

    def take(self, reader: int) -> Chunk:
        """Take the next chunk of a reader. Raises what the reading has ended with behind it.

        Raises LeaseLost if the others did not wait for the reader, and the chunk is gone.
        """
        with self._changed:
            while (at := self._at[reader]) == self._next and self._end is None:
                if self._reads or not self._has_room():
                    self._changed.wait()
                else:
                    self._read()
            oldest = self._next - len(self._kept)
            if at < oldest:
                raise LeaseLost
            if at == self._next:
                assert self._end is not None
                raise self._end
            self._at[reader] = at + 1
            chunk = self._kept[at - oldest]
            self._forget_taken()
        return chunk

    def leave(self, reader: int) -> None:
        """Take no more chunks: the others no longer wait for this reader."""
        with self._changed:
            del self._at[reader]
            self._forget_taken()

    @contextmanager
    def lagging(self, reader: int) -> Iterator[None]:
        """The others do not wait for this reader inside the block; it may miss chunks."""
        with self._changed:
            self._lagging.add(reader)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._lagging.discard(reader)

    def _forget_taken(self) -> None:
        """Keep only chunks that a reader has not taken yet."""
        slowest = min(self._at.values(), default=self._next)
        while self._kept and self._next - len(self._kept) < slowest:
            self._kept.popleft()
        self._changed.notify_all()

    def _has_room(self) -> bool:
        """Whether a further chunk can be kept; a chunk is forgotten for it if no reader waits."""
        if len(self._kept) < CHUNKS_AHEAD:
            return True
        awaited = [at for reader, at in self._at.items() if reader not in self._lagging]
        if min(awaited, default=self._next) <= self._next - len(self._kept):
            return False
        self._kept.popleft()
        return True

    def _read(self) -> None:
        """Read one chunk while others take those that are there."""
        self._reads = True
        self._changed.release()
        chunk, end = None, None
        try:
            chunk = next(self._chunks)
        except Exception as error:
            end = error
        finally:
            self._changed.acquire()
            self._reads = False
        if chunk is None:
            self._end = end
        else:
            self._kept.append(chunk)
            self._next += 1
        self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class SharedSource(Source):
    """The source of one of several parts. It does not close the file."""

    shared: SharedChunks
    reader: int

    def chunks(self, start: Start, split: Split, ctx: JobContext) -> Iterator[Chunk]:
        """Yield the chunks from `start` on, as the source of a part that reads alone."""
        while True:
            try:
                chunk = self.shared.take(self.reader)
            except StopIteration:
                return
            if chunk.number >= start.chunk:
                yield chunk

    def lagging(self) -> AbstractContextManager[None]:
        """Inside the block the other parts do not wait for this one.

        If they take more than is kept meanwhile, it cannot continue: `chunks` raises LeaseLost.
        """
        return self.shared.lagging(self.reader)

    def __exit__(self, *exception: object) -> None:
        self.shared.leave(self.reader)


def share(
    source: Source, starts: Sequence[Start], split: Split, ctx: JobContext
) -> list[SharedSource]:
    """Return a source for each part, in the order of their `starts`."""
    first = min(starts, key=lambda start: start.chunk)
    shared = SharedChunks(source.chunks(first, split, ctx), first.chunk, len(starts))
    own = {f.name: getattr(source, f.name) for f in fields(source)}
    return [SharedSource(**own, shared=shared, reader=reader) for reader in range(len(starts))]
