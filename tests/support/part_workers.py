"""Workers in threads of this process that run parts of each other's jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.bench import Bench, opened

_PAUSE_SECONDS = 0.002


@contextmanager
def workers_of(data: Path, database: str, count: int) -> Iterator[list[Bench]]:
    """Several workers on one PostgreSQL database; each has a name of its own."""
    with ExitStack() as stack:
        benches = [stack.enter_context(opened(data, database)) for _ in range(count)]
        for number, bench in enumerate(benches):
            bench.worker._identity = f"host{number}/1"
        yield benches


@contextmanager
def helping(helpers: Sequence[Bench]) -> Iterator[None]:
    """Let these workers run parts of the jobs of other workers until the block ends.

    An error in one of them is raised at the end.
    """
    over = threading.Event()

    def help_until_over(bench: Bench) -> None:
        while not over.is_set():
            if not bench.worker._run_free_parts():
                over.wait(_PAUSE_SECONDS)

    with ThreadPoolExecutor(len(helpers)) as threads:
        running = [threads.submit(help_until_over, bench) for bench in helpers]
        try:
            yield
        finally:
            over.set()
        for one in running:
            one.result()
