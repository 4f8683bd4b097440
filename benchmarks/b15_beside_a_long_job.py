"""B15: jobs of ten rows beside one long job, with one worker, on both stores.

    python benchmarks/b15_beside_a_long_job.py [--rows N] [--runs K] [--store STORE] [--dir DIR]

While a job of `--rows` rows runs, jobs of ten rows are created one after the other, at moments that
the chunks of the long job do not decide. Each time is that from sending the create request until a
poll, one every 5 ms, sees COMPLETED. The target is absolute; the reference is the same jobs with
nothing beside them.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from b2_postgres import SETTINGS
from b10_one_row import spread
from data import COLUMNS_16, Dataset, make_apart
from harness import (
    ROOT,
    BenchmarkError,
    Connection,
    Server,
    details_path,
    options,
    report,
    say,
    scratch,
    target,
)

sys.path.insert(0, str(ROOT))
from tests.support.postgres import own_server

SHORT_ROWS = 10
POLL_S = 0.005
PAUSE_S = 0.5
"""Between two jobs at most."""
TARGET_P99_MS = 300.0
STORES = ("sqlite", "postgres")


def short_job(client: Connection, archive: Path, chance: random.Random) -> float:
    """The milliseconds of a job of ten rows, after a pause."""
    file_id = client.upload(archive)
    time.sleep(chance.uniform(0, PAUSE_S))
    start = time.perf_counter()
    job_id = client.create(file_id, COLUMNS_16, operation="upsert", find_by="Email")
    client.wait(job_id, every=POLL_S)
    return (time.perf_counter() - start) * 1000


def measure(store: str, rows: int, runs: int, folder: Path, database: str) -> dict[str, Any]:
    """The times beside a long job, and of `runs` jobs without one."""
    few = make_apart(Dataset(SHORT_ROWS), folder, zipped=True)
    many = make_apart(Dataset(rows, generation=1), folder, zipped=True)
    chance = random.Random(rows)
    where = ["--database", database] if database else []
    with Server(folder / store, "--profile", "service", *where) as server:
        server.wait_for_workers(1)
        client = server.connect()
        alone = [short_job(client, few, chance) for _ in range(runs + 1)][1:]
        long = client.create(client.upload(many), COLUMNS_16, operation="insert")
        beside: list[float] = []
        while True:
            milliseconds = short_job(client, few, chance)
            status = client.get(details_path(long))["status"]
            if status == "COMPLETED":
                break
            if status == "FAILED":
                raise BenchmarkError("the long job failed")
            beside.append(milliseconds)
    if not beside:
        raise BenchmarkError("the long job had ended before the first short one: more --rows")
    own, free = spread(beside), spread(alone)
    say(f"{store}: {len(beside)} jobs beside the long one: {own}, worst {max(beside):.0f} ms")
    return {
        "reference": {"what": "jobs of ten rows with nothing beside them", **free},
        "ours": {
            "what": "jobs of ten rows beside a long job, one worker",
            **own,
            "worst_ms": round(max(beside), 1),
            "jobs": len(beside),
        },
        "ratio": round(own["p99_ms"] / free["p99_ms"], 3),
        "target": target(own["p99_ms"], at_most=TARGET_P99_MS),
    }


def main() -> None:
    parser = options(__doc__, rows=10_000_000, runs=50)
    parser.add_argument("--store", choices=STORES, action="append")
    args = parser.parse_args()
    parameters = {"rows": args.rows, "columns": len(COLUMNS_16), "short_rows": SHORT_ROWS}
    with scratch(args.dir) as space, own_server(SETTINGS, space) as postgres:
        for store in args.store or STORES:
            database = postgres.database() if store == "postgres" else ""
            report(
                "B15", parameters, {store: measure(store, args.rows, args.runs, space, database)}
            )


if __name__ == "__main__":
    main()
