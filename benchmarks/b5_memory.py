"""B5: memory and time of a job of ten million rows against one of a million.

    python benchmarks/b5_memory.py [--rows N] [--large-rows N] [--runs K] [--dir DIR]

Each job has a `serve --dev` on an empty folder to itself. The peak is that of the worker process,
as the kernel counted it; the time is from create to COMPLETED. Every job is a plain insert, and its
result and the store are counted afterwards.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data import COLUMNS_16, Dataset, make_apart
from harness import (
    Server,
    expect_statuses,
    expect_stored,
    median,
    options,
    read_once,
    report,
    say,
    scratch,
    target,
    times,
)

POLL_S = 0.05
TARGET_GROWTH = 1.1
TARGET_MB = 400


@dataclass(frozen=True, slots=True)
class Seen:
    """One job of a server of its own."""

    seconds: float
    worker_mb: int
    api_mb: int


def job(archive: Path, rows: int, data: Path) -> Seen:
    """Run one job on an empty folder and remove the folder again."""
    with Server(data, "--profile", "service") as server:
        client = server.connect()
        file_id = client.upload(archive)
        start = time.perf_counter()
        job_id = client.create(file_id, COLUMNS_16, operation="insert")
        done = client.wait(job_id, every=POLL_S, at_most=3600)
        seconds = time.perf_counter() - start
        worker_mb, api_mb = server.peak_mb(worker=True), server.peak_mb(worker=False)
        result = client.result(done, data.with_suffix(".zip"))
    expect_statuses(result, {"ADDED": rows})
    expect_stored(data, rows)
    shutil.rmtree(data)
    result.unlink()
    return Seen(seconds, worker_mb, api_mb)


def measure(small: int, large: int, runs: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Both sizes, taking turns."""
    seen: dict[int, list[Seen]] = {small: [], large: []}
    archives = {}
    for rows in seen:
        say(f"{rows} rows: data")
        archives[rows] = make_apart(Dataset(rows), folder, zipped=True)
    with scratch(folder) as space:
        for run in range(runs):
            for rows, archive in archives.items():
                read_once(archive)
                seen[rows].append(job(archive, rows, space / f"{rows}"))
                last = seen[rows][-1]
                say(f"run {run + 1}: {rows} rows: {last.seconds:.2f} s, {last.worker_mb} MB")
    reference, ours = figures(small, seen[small]), figures(large, seen[large])
    growth = ours["median_worker_mb"] / reference["median_worker_mb"]
    slower = ours["us_per_row"] / reference["us_per_row"]
    both = {"reference": reference, "ours": ours}
    return {
        "worker-peak": {
            **both,
            "ratio": round(growth, 3),
            "target": target(ours["peak_mb"], at_most=TARGET_MB),
        },
        "worker-growth": {
            **both,
            "ratio": round(growth, 3),
            "target": target(growth, at_most=TARGET_GROWTH),
        },
        "time-per-row": {**both, "ratio": round(slower, 3), "target": None},
    }


def figures(rows: int, seen: list[Seen]) -> dict[str, Any]:
    """Time and memory of the jobs of one size."""
    seconds = times([each.seconds for each in seen])
    return {
        "what": f"a job of {rows} rows over HTTP, from POST create to COMPLETED",
        **seconds,
        "us_per_row": round(seconds["median_s"] / rows * 1e6, 3),
        "worker_mb": [each.worker_mb for each in seen],
        "median_worker_mb": median([each.worker_mb for each in seen]),
        "peak_mb": max(each.worker_mb for each in seen),
        "api_peak_mb": max(each.api_mb for each in seen),
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--large-rows", type=int, default=10_000_000)
    args = parser.parse_args()
    parameters = {
        "rows": args.rows,
        "large_rows": args.large_rows,
        "columns": len(COLUMNS_16),
        "runs": args.runs,
    }
    report("B5", parameters, measure(args.rows, args.large_rows, args.runs, args.dir))


if __name__ == "__main__":
    main()
