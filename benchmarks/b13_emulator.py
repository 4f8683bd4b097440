"""B13: how soon a test has a server, and what the reset before each test takes.

    python benchmarks/b13_emulator.py [--rows N] [--runs K] [--resets R] [--dir DIR]

The start is that of the pytest plugin: a new folder, `serve --dev`, from spawn to the first 200 on
a request that needs the access token and the database. The reference is a bare asyncio responder.

A reset restores a small state: before each, a hundred records and one job of `--rows` rows are
written, which are not timed. It is timed from the call to its answer. The reference is SQLite's own
backup of a database of this size into another one that is open, by Python's `sqlite3`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from b8_start import FIRST, reference
from bulkwright.testing.emulator import isolated_server
from data import COLUMNS_20, Dataset, make_apart
from harness import (
    BenchmarkError,
    Connection,
    median,
    options,
    percentile,
    report,
    say,
    scratch,
    target,
    times,
)

TARGET_START_S = 0.5
TARGET_RESET_S = 0.005
RECORDS = [{"Last_Name": f"Lead {n}"} for n in range(100)]
JOB_EVERY = 20
"""Resets between two jobs: a job takes much longer than a reset."""


def start(data: Path) -> float:
    """Seconds from spawn to the first 200, on a folder that does not exist yet."""
    spawned = time.perf_counter()
    with isolated_server(data) as server:
        answer = Connection(server.base_url, server.credentials).get(FIRST)
        seconds = time.perf_counter() - spawned
    if not answer["modules"]:
        raise BenchmarkError(f"not the modules: {answer}")
    return seconds


def timed_once(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def resets(data: Path, archive: Path, rows: int, count: int) -> tuple[list[float], list[float]]:
    """Seconds of resets, and of as many backups by SQLite."""
    ours: list[float] = []
    bare: list[float] = []
    with isolated_server(data) as server:
        client = Connection(server.base_url, server.credentials)
        copy = data.with_suffix(".copy")
        with (
            closing(sqlite3.connect(data / "emulator" / "baseline" / "database")) as source,
            closing(sqlite3.connect(copy)) as into,
        ):
            into.execute("PRAGMA page_size=8192")  # that of our databases
            into.execute("PRAGMA journal_mode=WAL")
            for number in range(count):
                server.seed("Leads", RECORDS)
                if number % JOB_EVERY == 0:
                    job = client.create(client.upload(archive), COLUMNS_20, operation="insert")
                    client.wait(job, every=0.02)
                ours.append(timed_once(server.reset))
                if server.records("Leads"):
                    raise BenchmarkError("records are left")
                bare.append(timed_once(lambda: source.backup(into)))
    return ours, bare


def measure(rows: int, runs: int, count: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Starts and the reference take turns; then the resets."""
    bare: list[float] = []
    own: list[float] = []
    archive = make_apart(Dataset(rows, columns=20), folder, zipped=True)
    with scratch(folder) as space:
        for run in range(runs):
            bare.append(reference())
            own.append(start(space / f"empty-{run}"))
            say(f"run {run + 1}: start {own[-1]:.3f} s")
        done, backups = resets(space / "resets", archive, rows, count)
    ordered = sorted(done)
    return {
        "plugin-start": {
            "reference": {"what": "asyncio responder, spawn to first 200", **times(bare)},
            "ours": {"what": f"server of the plugin, spawn to first 200 of {FIRST}", **times(own)},
            "ratio": round(median(own) / median(bare), 3),
            "target": target(median(own), at_most=TARGET_START_S),
        },
        "reset-p50": {
            "reference": {"what": "SQLite's backup by Python", "median_s": median(backups)},
            "ours": {
                "what": f"reset over HTTP, p50 of {count}",
                "median_s": median(done),
                "p99_s": round(percentile(ordered, 0.99), 4),
            },
            "ratio": round(median(done) / median(backups), 3),
            "target": target(median(done), at_most=TARGET_RESET_S),
        },
    }


def main() -> None:
    parser = options(__doc__, rows=1_000, runs=7)
    parser.add_argument("--resets", type=int, default=200)
    args = parser.parse_args()
    parameters = {"rows": args.rows, "runs": args.runs, "resets": args.resets}
    report("B13", parameters, measure(args.rows, args.runs, args.resets, args.dir))


if __name__ == "__main__":
    main()
