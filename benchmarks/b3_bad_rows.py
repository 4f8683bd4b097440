"""B3: what bad rows cost: 2, 20 and 50 % of them against the same file without any.

    python benchmarks/b3_bad_rows.py [--rows N] [--runs K] [--operation NAME] [--dir DIR]

Each run writes all four files, one after the other, each into a new store. The reference is our own
time for the clean file: a bad row costs its line in the result instead of a record, and must not
cost more. How many rows are bad is counted in the CSV itself, without the service.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from b1_sqlite import ours
from data import COLUMNS_16, Dataset, bad_rows, make_apart
from harness import (
    Finished,
    expect_statuses,
    expect_stored,
    options,
    peak_floor_mb,
    read_once,
    report,
    say,
    scratch,
    target,
    times,
)

FRACTIONS = (0.0, 0.02, 0.2, 0.5)
OPERATIONS = ("insert", "insert-checked", "upsert-new")
TARGET = 1.2


def measure(rows: int, runs: int, operation: str, folder: Path) -> dict[str, dict[str, Any]]:
    """All fractions, taking turns; one measure for each that has bad rows."""
    archives: dict[float, Path] = {}
    refused: dict[float, int] = {}
    seen: dict[float, list[Finished]] = {fraction: [] for fraction in FRACTIONS}
    for fraction in FRACTIONS:
        dataset = Dataset(rows, bad=fraction)
        say(f"{fraction:.0%} bad: data")
        refused[fraction] = bad_rows(make_apart(dataset, folder))
        archives[fraction] = make_apart(dataset, folder, zipped=True)
        read_once(archives[fraction])
    with scratch(folder) as space:
        for run in range(runs):
            for fraction, archive in archives.items():
                data, result, bad = space / "data", space / "result.zip", refused[fraction]
                done = ours(data, archive, result, operation, skips=bad > 0)
                expect_statuses(result, {"ADDED": rows - bad, "SKIPPED": bad})
                expect_stored(data, rows - bad)
                shutil.rmtree(data)
                seen[fraction].append(done)
                say(f"run {run + 1}: {fraction:.0%} bad: {done.seconds:.2f} s")
    clean = figures(seen[0.0])
    measures = {}
    for fraction in FRACTIONS[1:]:
        own = figures(seen[fraction])
        ratio = own["median_s"] / clean["median_s"]
        measures[f"{fraction:.0%} bad"] = {
            "reference": {"what": "bulkwright write of the file without bad rows", **clean},
            "ours": {"what": "bulkwright write", "bad_rows": refused[fraction], **own},
            "ratio": round(ratio, 3),
            "target": target(ratio, at_most=TARGET),
            "peak_floor_mb": peak_floor_mb(),
        }
    return measures


def figures(runs: list[Finished]) -> dict[str, Any]:
    """Times and peak memory of some runs."""
    return {
        **times([done.seconds for done in runs]),
        "peak_mb": max(done.peak_mb for done in runs),
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--operation", choices=OPERATIONS, default="insert")
    args = parser.parse_args()
    parameters = {
        "rows": args.rows,
        "columns": len(COLUMNS_16),
        "runs": args.runs,
        "operation": args.operation,
    }
    report("B3", parameters, measure(args.rows, args.runs, args.operation, args.dir))


if __name__ == "__main__":
    main()
