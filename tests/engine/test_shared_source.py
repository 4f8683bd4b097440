"""One reading of a file for several parts: each gets all chunks, and memory holds few of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bulkwright.domain.errors import FileDamaged
from bulkwright.pipeline.shared_source import CHUNKS_AHEAD, SharedChunks

CHUNKS = 50


class Reading:
    """Numbers instead of chunks, and how many were read."""

    def __init__(self, error: Exception | None = None) -> None:
        self.read = 0
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        for number in range(CHUNKS):
            self.read += 1
            yield number
        if self._error is not None:
            raise self._error


def taken(shared: SharedChunks, reader: int) -> list[Any]:
    """All chunks that a reader gets."""
    got: list[Any] = []
    while True:
        try:
            got.append(shared.take(reader))
        except StopIteration:
            return got


def test_each_reader_gets_each_chunk_once_and_in_order() -> None:
    """Whichever of them reads."""
    reading = Reading()
    shared = SharedChunks(iter(reading), 0, 3)
    with ThreadPoolExecutor(3) as threads:
        got = list(threads.map(lambda reader: taken(shared, reader), range(3)))
    assert got == [list(range(CHUNKS))] * 3
    assert reading.read == CHUNKS


def test_a_fast_reader_waits_for_a_slow_one() -> None:
    """So the file is not in memory. A reader that leaves keeps the others waiting no longer."""
    reading = Reading()
    shared = SharedChunks(iter(reading), 0, 2)
    with ThreadPoolExecutor(1) as threads:
        fast = threads.submit(taken, shared, 0)
        for number in range(5):
            chunk: Any = shared.take(1)
            assert chunk == number
            assert reading.read <= number + 1 + CHUNKS_AHEAD
        shared.leave(1)
        assert fast.result(60) == list(range(CHUNKS))


def test_readers_that_begin_later_are_numbered_from_there() -> None:
    """After a restart the first chunk has the number of the slowest part."""
    shared = SharedChunks(iter(Reading()), 7, 2)
    chunks: list[Any] = [shared.take(0), shared.take(1), shared.take(1)]
    assert chunks == [0, 0, 1]


def test_each_reader_gets_the_error_of_the_file() -> None:
    """Behind the last chunk that could be read."""
    shared = SharedChunks(iter(Reading(FileDamaged("cut off"))), 0, 2)
    results: list[object] = []

    def read(reader: int) -> None:
        try:
            taken(shared, reader)
        except FileDamaged as error:
            results.append(str(error))

    readers = [threading.Thread(target=read, args=(n,)) for n in range(2)]
    for each in readers:
        each.start()
    for each in readers:
        each.join(60)
    assert results == ["cut off"] * 2
    with pytest.raises(FileDamaged):
        shared.take(0)
