"""B4: one full Zoho-sized job over HTTP, 25,000 rows x 20 columns.

    python benchmarks/b4_http.py [--rows N] [--runs K] [--operation insert|upsert] [--dir DIR]

One `serve --dev` on an empty folder. Each run uploads the file, then takes the time from sending
the create request until a poll, one every 10 ms, sees COMPLETED. A first job, reported on its own,
is not among the runs. Rows are added again by each insert, so the table grows as in real use; an
upsert finds all of them after the first job.

The target is absolute. The reference, the sqlite3 shell loading the same unzipped file into a table
with a unique index, says what the machine is worth.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from b1_sqlite import reference
from data import COLUMNS_20, Dataset, make_apart
from harness import (
    Connection,
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

POLL_S = 0.01
TARGET_S = 0.5


def job(
    client: Connection,
    archive: Path,
    columns: Sequence[str],
    operation: str,
    expected: dict[str, int],
) -> float:
    """Upload, create, poll: seconds from create to the answer that says COMPLETED.

    The result, `expected` to say so often ADDED or UPDATED, is downloaded and checked afterwards.
    """
    file_id = client.upload(archive)
    find_by = "Email" if operation == "upsert" else None
    start = time.perf_counter()
    job_id = client.create(file_id, columns, operation=operation, find_by=find_by)
    done = client.wait(job_id, every=POLL_S)
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        expect_statuses(client.result(done, Path(folder) / "result.zip"), expected)
    return seconds


def measure(rows: int, runs: int, operation: str, folder: Path) -> dict[str, Any]:
    """Both sides, taking turns."""
    dataset = Dataset(rows, columns=20)
    plain, archive = make_apart(dataset, folder), make_apart(dataset, folder, zipped=True)
    read_once(plain)
    read_once(archive)
    expected = {"UPDATED" if operation == "upsert" else "ADDED": rows}
    own: list[float] = []
    theirs: list[float] = []
    with scratch(folder) as space:
        data = space / "data"
        with Server(data, "--profile", "zoho") as server:
            client = server.connect()
            first = job(client, archive, COLUMNS_20, operation, {"ADDED": rows})
            say(f"first job: {first:.3f} s")
            for run in range(runs):
                clause = "insert" if operation == "insert" else "upsert-new"
                theirs.append(reference(space / f"{run}.db", plain, COLUMNS_20, clause).seconds)
                own.append(job(client, archive, COLUMNS_20, operation, expected))
                say(f"run {run + 1}: reference {theirs[-1]:.3f} s, ours {own[-1]:.3f} s")
            memory = server.memory()
        expect_stored(data, rows if operation == "upsert" else (runs + 1) * rows)
    return {
        "reference": {
            "what": "sqlite3 shell: the same CSV, unzipped, into an empty table with a unique "
            "index; start of the shell included",
            **times(theirs),
        },
        "ours": {
            "what": "from POST create to COMPLETED, polled every 10 ms over HTTP",
            "first_job_s": round(first, 4),
            **times(own),
            "rows_per_s": round(rows / median(own)),
            "server_start_s": server.start_s,
            "memory": memory,
        },
        "ratio": round(median(own) / median(theirs), 3),
        "target": target(median(own), at_most=TARGET_S),
    }


def main() -> None:
    parser = options(__doc__, rows=25_000, runs=7)
    parser.add_argument("--operation", choices=("insert", "upsert"), default="insert")
    args = parser.parse_args()
    parameters = {
        "rows": args.rows,
        "columns": len(COLUMNS_20),
        "runs": args.runs,
        "operation": args.operation,
        "poll_s": POLL_S,
    }
    measured = measure(args.rows, args.runs, args.operation, args.dir)
    report("B4", parameters, {args.operation: measured})


if __name__ == "__main__":
    main()
