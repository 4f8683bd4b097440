"""B7 on PostgreSQL: a Zoho-sized job into a table of ten million records, against an empty one.

    python benchmarks/b7_postgres.py [--rows N] [--table N] [--runs K] [--operation NAME]
                                     [--dir DIR]

As `b7_large_table.py`, on a PostgreSQL server of its own, whose settings are those of B2. The large
table is written by the service once and grows by the jobs of the runs; each run has an empty
database of its own.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from b2_postgres import SETTINGS, expect_stored
from b4_http import job
from b7_large_table import OPERATIONS, TARGET, WARM_UP_ROWS, Files, warmed_up
from data import COLUMNS_16, Dataset, make_apart
from harness import ROOT, Server, median, options, report, say, scratch, target, times

sys.path.insert(0, str(ROOT))
from tests.support.postgres import OwnServer, own_server

LEADS = "org%_Leads"


def filled(server: OwnServer, table: int, folder: Path, space: Path) -> tuple[str, Path]:
    """A database and a data folder whose Leads hold the first `table` addresses."""
    say(f"writing {table} records")
    url, data = server.database(), space / "large"
    with Server(data, "--profile", "service", "--database", url) as served:
        client = served.connect()
        file_id = client.upload(make_apart(Dataset(table), folder, zipped=True))
        job_id = client.create(file_id, COLUMNS_16, operation="upsert", find_by="Email")
        client.wait(job_id, every=0.2, at_most=3600)
    expect_stored(server, url, LEADS, table)
    return url, data


def measure(
    server: OwnServer, large: tuple[str, Path], files: Files, operation: str, rows: int, runs: int
) -> dict[str, Any]:
    """Both tables, taking turns."""
    verb = operation.partition("-")[0]
    match = operation == "upsert-match"
    done = {"UPDATED" if match else "ADDED": rows}
    own: list[float] = []
    theirs: list[float] = []
    url, data = large
    for run in range(runs):
        # The large table keeps what every run has warmed up with.
        turn = OPERATIONS.index(operation) * runs + run
        archive = files.known(run + 1) if match else files.new()
        empty, empty_data = server.database(), data.with_name(f"empty-{operation}-{run}")
        with ExitStack() as stack:
            small = Server(empty_data, "--profile", "service", "--database", empty)
            client = warmed_up(stack.enter_context(small), files, turn)
            if match:
                job(client, files.known(0), COLUMNS_16, "upsert", {"ADDED": rows})
            theirs.append(job(client, archive, COLUMNS_16, verb, done))
        expect_stored(server, empty, LEADS, WARM_UP_ROWS + rows)
        server.drop(empty)
        shutil.rmtree(empty_data)
        with Server(data, "--profile", "service", "--database", url) as served:
            client = warmed_up(served, files, turn)
            if match:
                # As many jobs as the other worker has done.
                job(client, files.known(0), COLUMNS_16, "upsert", {"UPDATED": rows})
            own.append(job(client, archive, COLUMNS_16, verb, done))
        say(f"{operation}: run {run + 1}: empty {theirs[-1]:.3f} s, large {own[-1]:.3f} s")
    ratio = median(own) / median(theirs)
    return {
        "reference": {
            "what": f"a job of {rows} rows into a table that holds "
            f"{'only the same addresses' if match else f'{WARM_UP_ROWS} records'}",
            **times(theirs),
        },
        "ours": {
            "what": "the same job into the large table",
            **times(own),
            "rows_per_s": round(rows / median(own)),
        },
        "ratio": round(ratio, 3),
        "target": target(ratio, at_most=TARGET),
        "server": list(SETTINGS),
    }


def main() -> None:
    parser = options(__doc__, rows=25_000)
    parser.add_argument("--table", type=int, default=10_000_000)
    parser.add_argument("--operation", choices=OPERATIONS, action="append")
    args = parser.parse_args()
    parameters = {"rows": args.rows, "table": args.table, "runs": args.runs}
    with (
        scratch(args.dir) as space,
        own_server(settings=SETTINGS, parent=args.dir) as server,
    ):
        large = filled(server, args.table, args.dir, space)
        files = Files(args.rows, args.table, space)
        for name in args.operation or OPERATIONS:
            measured = measure(server, large, files, name, args.rows, args.runs)
            report("B7-postgres", parameters, {name: measured})


if __name__ == "__main__":
    main()
