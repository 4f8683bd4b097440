"""B8: how soon `serve --dev` answers, and how much memory its API process takes.

    python benchmarks/b8_start.py [--rows N] [--runs K] [--dir DIR]

From spawn to the first 200 on a request that needs the access token and the database: on a folder
that was served before, and on one that does not exist yet. The server says `ready` when it answers;
that line is looked for every 5 ms, then the request is sent.

Memory is the peak of the API process after one Zoho-sized job: its upload, its create request, a
thousand polls and the download of its result.

The reference of the times is a bare asyncio responder, from spawn to its first 200.
"""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from b6_details import responder
from data import COLUMNS_20, Dataset, make_apart
from harness import (
    BenchmarkError,
    Server,
    details_path,
    expect_statuses,
    median,
    options,
    report,
    say,
    scratch,
    target,
    times,
)

FIRST = "/crm/v2/settings/modules"
POLLS = 1_000
TARGET_S = 0.35
TARGET_MB = 100


def start(data: Path) -> float:
    """Seconds from spawn to the first 200."""
    with Server(data) as server:
        answer = server.connect().get(FIRST)
        seconds = time.perf_counter() - server.spawned
    if not answer["modules"]:
        raise BenchmarkError(f"not the modules: {answer}")
    return seconds


def reference() -> float:
    """The same for a server that does nothing."""
    spawned = time.perf_counter()
    with responder(2_000) as base_url:
        where = urlsplit(base_url)
        bare = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        bare.request("GET", "/")
        answer = bare.getresponse()
        answer.read()
        seconds = time.perf_counter() - spawned
        bare.close()
    if answer.status != 200:
        raise BenchmarkError(f"the responder answered {answer.status}")
    return seconds


def worked(archive: Path, rows: int, data: Path) -> dict[str, Any]:
    """Memory of a server, in MB, when it has started and when it has done its work."""
    with Server(data) as server:
        client = server.connect()
        client.get(FIRST)
        at_start = server.peak_mb(worker=False)
        job_id = client.create(client.upload(archive), COLUMNS_20, operation="insert")
        done = client.wait(job_id, every=0.02)
        for _ in range(POLLS):
            client.get(details_path(job_id))
        result = client.result(done, data.with_suffix(".zip"))
        expect_statuses(result, {"ADDED": rows})
        return {
            "at_start_mb": at_start,
            "peak_mb": server.peak_mb(worker=False),
            "memory": server.memory(),
        }


def measure(rows: int, runs: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Starts of both kinds and of the reference, taking turns; then memory."""
    bare: list[float] = []
    own: dict[str, list[float]] = {"start-prepared": [], "start-empty": []}
    archive = make_apart(Dataset(rows, columns=20), folder, zipped=True)
    memory: list[dict[str, Any]] = []
    with scratch(folder) as space:
        start(space / "prepared")
        for run in range(runs):
            bare.append(reference())
            own["start-prepared"].append(start(space / "prepared"))
            own["start-empty"].append(start(space / f"empty-{run}"))
            say(f"run {run + 1}: " + ", ".join(f"{k} {v[-1]:.3f} s" for k, v in own.items()))
            memory.append(worked(archive, rows, space / f"worked-{run}"))
    measures: dict[str, dict[str, Any]] = {
        name: {
            "reference": {"what": "asyncio responder, spawn to first 200", **times(bare)},
            "ours": {"what": f"serve --dev, spawn to first 200 of {FIRST}", **times(seconds)},
            "ratio": round(median(seconds) / median(bare), 3),
            "target": target(median(seconds), at_most=TARGET_S),
        }
        for name, seconds in own.items()
    }
    worst = max(memory, key=lambda each: int(each["peak_mb"]))
    measures["api-memory"] = {
        "reference": None,
        "ours": {"what": "peak of the API process after one job and its polls", **worst},
        "ratio": None,
        "target": target(worst["peak_mb"], at_most=TARGET_MB),
    }
    return measures


def main() -> None:
    parser = options(__doc__, rows=25_000, runs=7)
    args = parser.parse_args()
    parameters = {"rows": args.rows, "columns": len(COLUMNS_20), "runs": args.runs}
    report("B8", parameters, measure(args.rows, args.runs, args.dir))


if __name__ == "__main__":
    main()
