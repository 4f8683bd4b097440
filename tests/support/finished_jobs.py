"""A data folder with jobs at every stage, and what makes things in it old."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.bench import Bench, opened

from bulkwright.events.events import ChunkCommitted, Event

ROWS = "Last_Name,Email\n" + "".join(f"Name {i},n{i}@x.example\n" for i in range(6))
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Jobs:
    """The ids of the jobs in the folder, and of the uploads they were made of."""

    done: int
    """Added six leads, in three chunks."""
    twice: int
    """Ended too; updated three of them and added three more."""
    half: int
    """Stopped after two of its six rows."""
    waiting: int
    uploads: dict[int, int]


def make_folder(data: Path) -> Jobs:
    """Make the folder; no process has it open afterwards."""
    with opened(data) as bench:
        done = bench.run(ROWS, chunk_rows=2).job
        mixed = ROWS.replace("n1@", "m1@").replace("n3@", "m3@").replace("n5@", "m5@")
        twice = bench.run(mixed, operation="upsert", find_by="Email", chunk_rows=4).job
        half = bench.create(ROWS.replace(",n", ",h"))
        _stop_after_a_chunk(bench, half.id)
        waiting = bench.create(ROWS)
        uploads = {job.id: job.resources[0].file_id for job in (done, twice, half, waiting)}
    return Jobs(done.id, twice.id, half.id, waiting.id, uploads)


def _stop_after_a_chunk(bench: Bench, job_id: int) -> None:
    def observe(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            bench.worker.stop()

    with bench.chunks(rows=2):
        bench.worker._ctx = replace(bench.worker._ctx, observe=observe)
        assert bench.worker.run_one(job_id)
    bench.worker._ctx.stop.is_set = False


Change = Callable[..., list[tuple[object, ...]]]


def changing(data: Path) -> Change:
    """Asks or changes the folder's database by hand."""

    def run(sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=10)) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows

    return run


def grow_old(path: Path, hours: float = 48) -> None:
    """Make a file `hours` older."""
    moment = time.time() - hours * 3600
    os.utime(path, (moment, moment))
