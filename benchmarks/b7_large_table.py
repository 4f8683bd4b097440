"""B7: a Zoho-sized job into a table that holds ten million records, against an empty table.

    python benchmarks/b7_large_table.py [--rows N] [--table N] [--runs K] [--operation NAME]
                                        [--dir DIR]

The same file goes over HTTP into both, timed from create to COMPLETED as in B4. `insert` and
`upsert-new` bring new addresses; `upsert-match` brings known ones, spread evenly over the large
table, against a table that holds only them.

Rows that are spread lie in a page each, which must be read, logged and written: that is not the
service's doing, so `bare` is the time that the sqlite3 shell takes to change three fields of as
many records by their ids, in the same file, in one transaction. It looks up no address.

For each run both sides have a new server, which does a small upsert before the timed job: its
worker has imported what it needs, and both tables have their index of addresses. "Empty" means
these few records.

The large table is written by the service itself, once, and kept in `--dir`; every call works on a
copy of it, so that nothing grows.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from b4_http import job
from data import COLUMNS_16, Dataset, make_apart
from harness import (
    ROOT,
    BenchmarkError,
    Connection,
    Server,
    expect_stored,
    leads_table,
    median,
    options,
    read_once,
    report,
    say,
    scratch,
    sqlite_shell,
    target,
    timed,
    times,
)

OPERATIONS = ("insert", "upsert-new", "upsert-match")
WARM_UP_ROWS = 100
TARGET = 1.5


def prepared(table: int, folder: Path) -> Path:
    """A data folder whose Leads hold the first `table` addresses, made where it is missing."""
    place = folder / f"store-{table}-{_layout()}"
    if not place.exists():
        say(f"writing {table} records, once")
        archive = make_apart(Dataset(table), folder, zipped=True)
        with scratch(folder) as space:
            making = space / "data"
            with Server(making, "--profile", "service") as server:
                client = server.connect()
                file_id = client.upload(archive)
                # An upsert, so that the index of addresses is there.
                job_id = client.create(file_id, COLUMNS_16, operation="upsert", find_by="Email")
                client.wait(job_id, every=0.2, at_most=3600)
            expect_stored(making, table)
            making.rename(place)
    return place


def _layout() -> str:
    """Changes with the code that decides how records are stored."""
    store = ROOT / "src" / "bulkwright" / "store"
    sources = [store / "tables.py", *sorted(store.glob("sqlite/migrations/*.sql"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


class Files:
    """The files to write; new addresses are new in every run."""

    def __init__(self, rows: int, table: int, folder: Path) -> None:
        self._rows, self._table, self._folder = rows, table, folder
        self._used = table

    def warm_up(self, run: int) -> Path:
        """A few addresses that the large table lacks."""
        far = 100 * self._table
        return self._made(Dataset(WARM_UP_ROWS, first=far + run * WARM_UP_ROWS))

    def new(self) -> Path:
        """Addresses that no file before held."""
        self._used += self._rows
        return self._made(Dataset(self._rows, first=self._used))

    def known(self, generation: int) -> Path:
        """Addresses all over the large table, with other values in each generation."""
        step = max(1, self._table // self._rows)
        return self._made(Dataset(self._rows, generation=generation, step=step))

    def _made(self, dataset: Dataset) -> Path:
        archive = make_apart(dataset, self._folder, zipped=True)
        read_once(archive)
        return archive


def warmed_up(server: Server, files: Files, run: int) -> Connection:
    """A connection to a server whose worker has done its first job."""
    client = server.connect()
    job(client, files.warm_up(run), COLUMNS_16, "upsert", {"ADDED": WARM_UP_ROWS})
    return client


def bare_update(data: Path, rows: int, table: int, runs: int) -> dict[str, Any]:
    """Times of the shell for changing `rows` records, spread over the table of a folder."""
    name = leads_table(data)
    step = max(1, table // rows)
    seconds = []
    for run in range(runs):
        script = f"""\
.bail on
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
CREATE TEMP TABLE chosen AS WITH RECURSIVE spread (id) AS (
SELECT min(id) FROM "{name}" UNION ALL SELECT id + {step} FROM spread LIMIT {rows}
) SELECT id FROM spread;
UPDATE "{name}" SET City = 'Town {run}', Company = 'Firm {run}', Phone = '{run}'
WHERE id IN (SELECT id FROM chosen);
SELECT changes();
"""
        done = timed([sqlite_shell(), "-batch", data / "bulkwright.sqlite"], stdin=script)
        if done.code or done.stderr:
            raise BenchmarkError(f"the shell failed: {done.stderr[-500:]}")
        if int(done.stdout) != rows:
            raise BenchmarkError(f"the shell changed {done.stdout.strip()} records, not {rows}")
        seconds.append(done.seconds)
    return times(seconds)


def measure(operation: str, rows: int, table: int, runs: int, folder: Path) -> dict[str, Any]:
    """Both tables, taking turns."""
    pristine = prepared(table, folder)
    verb = operation.partition("-")[0]
    match = operation == "upsert-match"
    expected = {"UPDATED" if match else "ADDED": rows}
    own: list[float] = []
    theirs: list[float] = []
    with scratch(folder) as space:
        files = Files(rows, table, space)
        say(f"{operation}: copying the large table")
        large = space / "large"
        shutil.copytree(pristine, large)
        for run in range(runs):
            archive = files.known(run + 1) if match else files.new()
            empty = space / f"empty-{run}"
            with Server(empty, "--profile", "service") as server:
                client = warmed_up(server, files, run)
                if match:
                    job(client, files.known(0), COLUMNS_16, "upsert", {"ADDED": rows})
                theirs.append(job(client, archive, COLUMNS_16, verb, expected))
            expect_stored(empty, WARM_UP_ROWS + rows)
            shutil.rmtree(empty)
            with Server(large, "--profile", "service") as server:
                client = warmed_up(server, files, run)
                if match:
                    # As many jobs as the other worker has done.
                    job(client, files.known(0), COLUMNS_16, "upsert", {"UPDATED": rows})
                own.append(job(client, archive, COLUMNS_16, verb, expected))
                memory = server.memory()
            say(f"{operation}: run {run + 1}: empty {theirs[-1]:.3f} s, large {own[-1]:.3f} s")
        added = WARM_UP_ROWS + (0 if match else rows)
        expect_stored(large, table + runs * added)
        bare = bare_update(large, rows, table, runs) if match else None
    ratio = median(own) / median(theirs)
    return {
        "reference": {
            "what": f"a job of {rows} rows into a table that holds "
            f"{'only the same addresses' if match else f'{WARM_UP_ROWS} records'}",
            **times(theirs),
        },
        "ours": {
            "what": f"the same job into a table of {table} records",
            **times(own),
            "rows_per_s": round(rows / median(own)),
            "memory": memory,
        },
        "bare": bare,
        "ratio": round(ratio, 3),
        "target": target(ratio, at_most=TARGET),
    }


def main() -> None:
    parser = options(__doc__, rows=25_000)
    parser.add_argument("--table", type=int, default=10_000_000)
    parser.add_argument("--operation", choices=OPERATIONS, action="append")
    args = parser.parse_args()
    parameters = {
        "rows": args.rows,
        "table": args.table,
        "columns": len(COLUMNS_16),
        "runs": args.runs,
    }
    for name in args.operation or OPERATIONS:
        measured = measure(name, args.rows, args.table, args.runs, args.dir)
        report("B7", parameters, {name: measured})


if __name__ == "__main__":
    main()
