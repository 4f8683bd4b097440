"""A data folder with jobs in every state, and functions that change it from outside.

The fixtures give each test its own copy of one folder. A conftest that needs them imports them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.bench import Bench, opened

from bulkwright.events.events import ChunkCommitted, Event

ROWS = "Last_Name,Email\n" + "".join(f"Name {i},n{i}@x.example\n" for i in range(6))
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Jobs:
    """The ids of the jobs in the folder."""

    done: int
    """A job that has added six leads, in three chunks."""
    twice: int
    """An ended job that has updated three of them and added three more."""
    half: int
    """A job whose worker has stopped after two of its six rows."""
    waiting: int
    """A job that no worker has claimed."""
    uploads: dict[int, int]
    """The id of each job's upload."""


def make_folder(data: Path) -> Jobs:
    """Make the folder; it is closed at the end."""
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
    """Return a function that runs SQL on the folder's database and returns the rows."""

    def run(sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=10)) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows

    return run


def grow_old(path: Path, hours: float = 48) -> None:
    """Set the modification time of a file to `hours` ago."""
    moment = time.time() - hours * 3600
    os.utime(path, (moment, moment))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Jobs]:
    """The folder, made once."""
    folder = tmp_path_factory.mktemp("finished") / "data"
    return folder, make_folder(folder)


@pytest.fixture
def jobs(made: tuple[Path, Jobs], tmp_path: Path) -> Jobs:
    """The jobs of the test's own folder `data`."""
    shutil.copytree(made[0], tmp_path / "data")
    return made[1]


@pytest.fixture
def data(jobs: Jobs, tmp_path: Path) -> Path:
    """That folder."""
    return tmp_path / "data"


@pytest.fixture
def change(data: Path) -> Change:
    """A function that runs SQL on the database of that folder."""
    return changing(data)
