"""B10: a job of one row over HTTP, on both stores.

    python benchmarks/b10_one_row.py [--runs K] [--dir DIR]

One `serve --dev` with one worker, which idles before each job. Each run uploads a file with one row
of 16 columns, then takes the time from sending the create request until a poll, one every 2 ms,
sees COMPLETED. The first job of a server is printed to stderr and is not among the runs. On
PostgreSQL the server is one of its own, with the settings of B2.

The target is absolute. The reference is what the disk takes of it: writes of 4 KB, each flushed, as
many as a job on SQLite waits for.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from b2_postgres import SETTINGS
from data import COLUMNS_16, Dataset, make_apart
from harness import ROOT, Server, options, percentile, report, say, scratch, target

sys.path.insert(0, str(ROOT))
from tests.support.postgres import own_server

POLL_S = 0.002
TARGET_MS = {"p50": 25.0, "p99": 80.0}
MARKS = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
IDLE_S = 0.1
"""Before each job: longer than what the job before it leaves to do."""
FLUSHES = 8


def one_row_jobs(archive: Path, runs: int, data: Path, database: str) -> list[float]:
    """Milliseconds of each job but the first."""
    where = ["--database", database] if database else []
    found: list[float] = []
    with Server(data, "--profile", "service", *where) as server:
        server.wait_for_workers(1)
        client = server.connect()
        for run in range(runs + 1):
            file_id = client.upload(archive)
            # Not always at the same moment between two polls of the worker.
            time.sleep(IDLE_S + run % 7 * 0.013)
            start = time.perf_counter()
            job_id = client.create(file_id, COLUMNS_16, operation="upsert", find_by="Email")
            client.wait(job_id, every=POLL_S)
            found.append((time.perf_counter() - start) * 1000)
    say(f"first job: {found[0]:.1f} ms")
    return found[1:]


def flushes(file: Path, runs: int) -> list[float]:
    """Milliseconds of `FLUSHES` small writes, each flushed."""
    found: list[float] = []
    handle = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(FLUSHES):
            os.write(handle, b"x" * 4096)
            os.fsync(handle)
        found.append((time.perf_counter() - start) * 1000)
    os.close(handle)
    return found


def spread(times_ms: Sequence[float]) -> dict[str, float]:
    """The middle of the times, and their slow end."""
    ordered = sorted(times_ms)
    return {f"{name}_ms": round(percentile(ordered, share), 1) for name, share in MARKS.items()}


def measure(runs: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Jobs on both stores; the middle and the slow end are measures of their own."""
    archive = make_apart(Dataset(1), folder, zipped=True)
    measures: dict[str, dict[str, Any]] = {}
    with scratch(folder) as space, own_server(SETTINGS, folder) as postgres:
        disk = spread(flushes(space / "flushed", max(10, runs // 5)))
        for store, database in (("sqlite", ""), ("postgres", postgres.database())):
            own = spread(one_row_jobs(archive, runs, space / store, database))
            say(f"{store}: {own}; the disk alone: {disk}")
            for mark, most in TARGET_MS.items():
                measures[f"{store}-{mark}"] = {
                    "reference": {"what": f"{FLUSHES} writes of 4 KB, each flushed", **disk},
                    "ours": {
                        "what": "from POST create to COMPLETED, polled every 2 ms over HTTP",
                        **own,
                    },
                    "ratio": None,
                    "target": target(own[f"{mark}_ms"], at_most=most),
                }
    return measures


def main() -> None:
    parser = options(__doc__, rows=1, runs=300)
    args = parser.parse_args()
    parameters = {"rows": 1, "columns": len(COLUMNS_16), "runs": args.runs, "poll_s": POLL_S}
    report("B10", parameters, measure(args.runs, args.dir))


if __name__ == "__main__":
    main()
