"""The threads beside the one that writes records: a job leaves none of its calls behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bulkwright.pipeline.background import Background


def test_the_block_waits_for_what_runs_and_drops_what_waits() -> None:
    """The next job of the worker uses the same threads, and the file of this one gets closed."""
    running, proceed = threading.Event(), threading.Event()
    calls: list[str] = []

    def first() -> None:
        running.set()
        proceed.wait(60)
        calls.append("first")

    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(RuntimeError), Background(threads) as background:
            background.begin(first)
            dropped = background.begin(calls.append, "second")
            assert running.wait(60)
            threading.Timer(0.05, proceed.set).start()
            raise RuntimeError
        assert calls == ["first"]
        assert dropped.cancelled()
        with Background(threads) as background:
            assert background.begin(len, "abc").result() == 3
