"""B12: leads read in bulk, against what the shell of each database needs for the same CSV.

    python benchmarks/b12_bulk_read.py [--rows N] [--runs K] [--store sqlite|postgres] [--dir DIR]

All pages of one query (16 columns and the id) are created over HTTP one after the other, and timed
from the first create to the last COMPLETED, so that each run has as many jobs as it has pages of
200,000 records. The reference is the export of the same columns by `sqlite3 -csv` or psql's
`\\copy`, one whole process that writes one file and compresses nothing.
"""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from b2_postgres import SETTINGS
from data import COLUMNS_16, Dataset, make_apart
from harness import (
    ROOT,
    BenchmarkError,
    Connection,
    Finished,
    Server,
    leads_table,
    median,
    options,
    report,
    say,
    scratch,
    sqlite_shell,
    target,
    timed,
    times,
)

sys.path.insert(0, str(ROOT))
from tests.support.postgres import own_server

PAGE_ROWS = 200_000
TARGET = 1.5
POLL_SECONDS = 0.005
STORES = ("sqlite", "postgres")


@contextmanager
def stored(
    store: str, rows: int, space: Path
) -> Iterator[tuple[Server, Callable[[Path], Finished]]]:
    """A server whose Leads hold `rows` records, and the export by the shell of its database."""
    data = space / "data"
    archive = make_apart(Dataset(rows), space, zipped=True)
    columns = ", ".join(f'"{name}"' for name in ("id", *COLUMNS_16))
    if store == "sqlite":
        with Server(data, "--profile", "service") as server:
            _fill(server, archive)

            def shell(out: Path) -> Finished:
                query = f'SELECT {columns} FROM "{leads_table(data)}" ORDER BY id'
                script = f".headers on\n.mode csv\n.once {out}\n{query};\n"
                return timed([sqlite_shell(), "-batch", data / "bulkwright.sqlite"], stdin=script)

            yield server, shell
        return
    with own_server(settings=SETTINGS, parent=space) as own:
        url = own.database()
        with Server(data, "--profile", "service", "--database", url) as server:
            _fill(server, archive)
            table = f"org{server.credentials['org_id']}_Leads"

            def psql(out: Path) -> Finished:
                query = f'SELECT {columns} FROM "{table}" ORDER BY id'
                copy = f"\\copy ({query}) TO '{out}' (FORMAT csv, HEADER)"
                return timed([own.psql, "-X", "-q", url, "-c", copy])

            yield server, psql


def _fill(server: Server, archive: Path) -> None:
    client = server.connect()
    file_id = client.upload(archive)
    client.wait(client.create(file_id, COLUMNS_16, operation="insert"), every=0.2, at_most=3600)


def read_all(client: Connection, rows: int) -> tuple[float, list[str]]:
    """Read every page; the seconds, and the paths of the results."""
    pages = range(1, -(-rows // PAGE_ROWS) + 1)
    begun = time.perf_counter()
    jobs = []
    for page in pages:
        query = {"module": {"api_name": "Leads"}, "fields": COLUMNS_16, "page": page}
        answer = client.post("/crm/bulk/v8/read", {"query": query})
        jobs.append(answer["data"][0]["details"]["id"])
    results = []
    count = 0
    for job in jobs:
        while (details := client.get(f"/crm/bulk/v8/read/{job}")["data"][0])[
            "state"
        ] != "COMPLETED":
            if details["state"] == "FAILURE":
                raise BenchmarkError(f"the job failed: {details}")
            time.sleep(POLL_SECONDS)
        count += details["result"]["count"]
        results.append(details["result"]["download_url"])
    seconds = time.perf_counter() - begun
    if count != rows:
        raise BenchmarkError(f"{rows} records should have been read, {count} were")
    return seconds, results


def measure(store: str, rows: int, runs: int, folder: Path) -> dict[str, Any]:
    """Both sides, taking turns."""
    own: list[float] = []
    theirs: list[float] = []
    with scratch(folder) as space, stored(store, rows, space) as (server, export):
        client = server.connect()
        read_all(client, rows)
        for run in range(runs):
            out = space / "export.csv"
            done = export(out)
            if done.code or done.stderr:
                raise BenchmarkError(f"the shell failed: {done.stderr[-500:]}")
            theirs.append(done.seconds)
            seconds, results = read_all(client, rows)
            own.append(seconds)
            say(f"{store}: run {run + 1}: shell {theirs[-1]:.3f} s, ours {own[-1]:.3f} s")
        _check(client, results, out, space)
        memory = server.memory()
    ratio = median(own) / median(theirs)
    return {
        "reference": {"what": "the export of the same columns by the shell", **times(theirs)},
        "ours": {
            "what": "bulk reads of all pages, from the first create to the last COMPLETED",
            **times(own),
            "rows_per_s": round(rows / median(own)),
            "memory": memory,
        },
        "ratio": round(ratio, 3),
        "target": target(ratio, at_most=TARGET),
    }


def _check(client: Connection, results: list[str], export: Path, space: Path) -> None:
    """Check that the CSVs have as many lines as the export of the shell."""
    lines = 0
    for number, path in enumerate(results):
        archive = client.result({"result": {"download_url": path}}, space / f"{number}.zip")
        with zipfile.ZipFile(archive) as opened, opened.open(opened.namelist()[0]) as text:
            lines += sum(1 for _ in text) - 1
    with export.open("rb") as file:
        expected = sum(1 for _ in file) - 1
    if lines != expected:
        raise BenchmarkError(f"the CSVs have {lines} lines, the export has {expected}")


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--store", choices=STORES, action="append")
    args = parser.parse_args()
    parameters = {"rows": args.rows, "columns": len(COLUMNS_16), "runs": args.runs}
    for store in args.store or STORES:
        report("B12", parameters, {store: measure(store, args.rows, args.runs, args.dir)})


if __name__ == "__main__":
    main()
