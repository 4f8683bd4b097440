"""B11: record calls into a table that holds ten million records: one, a hundred, a search by key.

    python benchmarks/b11_records.py [--rows N] [--table N] [--runs K] [--dir DIR]

One `serve --dev` on a copy of the table of B7, one keep-alive connection, one call after the other.
`--rows` is the number of calls of a run. Each inserted call is durable when it is answered. The
searched addresses are spread evenly over the table.

The targets are absolute. The reference is Python's own `sqlite3` on an empty table with the same
columns and unique index: one transaction with as many rows, WAL, `synchronous=FULL`; for the search
a SELECT by the index.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from b7_large_table import prepared
from harness import BenchmarkError, Connection, Server, options, report, say, scratch, target

TARGETS_MS = {"insert-1": 8.0, "insert-100": 25.0, "search-by-key": 5.0}
SAMPLED_PAGES = 5
FIELDS = (
    "Email", "Last_Name", "First_Name", "Company", "Designation", "Phone", "City",
    "Lead_Source", "Annual_Revenue", "No_of_Employees",
)  # fmt: skip


def record(number: int) -> dict[str, object]:
    """A new lead; no two have one address."""
    return dict(
        zip(
            FIELDS,
            (
                f"b11-{number}@zylker.example", "Boyle", "Patricia", "Zylker", "Buyer",
                "+1 555 0100", "Bonn", "Web", 1250.5, 12,
            ),
            strict=True,
        )
    )  # fmt: skip


def addresses(client: Connection) -> list[str]:
    """Addresses of records, from both ends of the table."""
    found: list[str] = []
    for order in ("asc", "desc"):
        for page in range(1, SAMPLED_PAGES + 1):
            path = f"/crm/v2/Leads?fields=Email&sort_by=id&sort_order={order}&page={page}"
            answer = client.get(path)
            found += [one["Email"] for one in answer["data"] if one["Email"]]
            if not answer["info"]["more_records"]:
                break
    return found


def milliseconds(call: Callable[[], object], times: int) -> list[float]:
    """The time of each of `times` calls."""
    measured = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        measured.append((time.perf_counter() - start) * 1000)
    return measured


class Bare:
    """The same rows through Python's sqlite3."""

    def __init__(self, path: Path, numbers: Iterator[int]) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._numbers = numbers
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(f"CREATE TABLE leads (id INTEGER PRIMARY KEY, {', '.join(FIELDS)})")
        self._db.execute("CREATE UNIQUE INDEX by_email ON leads (Email)")

    def insert(self, count: int) -> None:
        """One transaction."""
        rows = [tuple(record(next(self._numbers)).values()) for _ in range(count)]
        marks = ", ".join("?" * len(FIELDS))
        self._db.execute("BEGIN IMMEDIATE")
        columns = ", ".join(FIELDS)
        self._db.executemany(f"INSERT INTO leads ({columns}) VALUES ({marks})", rows)
        self._db.execute("COMMIT")

    def find(self) -> None:
        """One SELECT by the index."""
        self._db.execute(
            "SELECT * FROM leads WHERE Email = ?", ("b11-5@zylker.example",)
        ).fetchall()


def measure(client: Connection, bare: Bare, calls: int, runs: int) -> dict[str, Any]:
    """All three measures; runs of both sides take turns."""
    numbers = iter(range(10**9))
    known = addresses(client)
    if not known:
        raise BenchmarkError("the table has no address")
    turn = iter(range(10**9))

    def insert(count: int) -> None:
        body = {"data": [record(next(numbers)) for _ in range(count)]}
        for one in client.post("/crm/v8/Leads", body)["data"]:
            if one["status"] != "success":
                raise BenchmarkError(f"a record was not stored: {one}")

    def search() -> None:
        address = known[next(turn) * 7919 % len(known)]
        path = f"/crm/v8/Leads/search?criteria={quote(f'(Email:equals:{address})')}"
        if client.get(path)["data"][0]["Email"] != address:
            raise BenchmarkError("another record was found")

    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "insert-1": (lambda: insert(1), lambda: bare.insert(1)),
        "insert-100": (lambda: insert(100), lambda: bare.insert(100)),
        "search-by-key": (search, bare.find),
    }
    results: dict[str, Any] = {}
    for name, (ours, reference) in ways.items():
        own: list[float] = []
        theirs: list[float] = []
        ours()
        for run in range(runs):
            theirs += milliseconds(reference, calls)
            own += milliseconds(ours, calls)
            say(f"{name}, run {run + 1}: p50 {statistics.median(own):.2f} ms")
        p50, bare_p50 = statistics.median(own), statistics.median(theirs)
        results[name] = {
            "reference": {"what": "sqlite3 of Python, empty table", "p50_ms": round(bare_p50, 3)},
            "ours": {
                "what": "one call over HTTP, durable when answered",
                "p50_ms": round(p50, 3),
                "p99_ms": round(statistics.quantiles(own, n=100)[98], 3),
                "max_ms": round(max(own), 3),
            },
            "ratio": round(p50 / bare_p50, 3),
            "target": target(p50, at_most=TARGETS_MS[name]),
        }
    return results


def main() -> None:
    parser = options(__doc__, rows=200, runs=3)
    parser.add_argument("--table", type=int, default=10_000_000, help="records of the large table")
    args = parser.parse_args()
    place = prepared(args.table, args.dir)
    with scratch(args.dir) as space:
        shutil.copytree(place, space / "data")
        bare = Bare(space / "bare.sqlite", iter(range(10**9)))
        with Server(space / "data", "--profile", "service") as server:
            results = measure(server.connect(), bare, args.rows, args.runs)
            memory = server.memory()
    parameters = {"calls": args.rows, "table": args.table, "runs": args.runs, "memory": memory}
    report("B11", parameters, results)


if __name__ == "__main__":
    main()
