"""B14: on SQLite, what it costs that jobs can be undone, and what unchanged rows save.

    python benchmarks/b14_steering.py [--rows N] [--runs K] [--dir DIR]

An upsert of known rows, all of which change, is run with images of the records (as jobs do) and
without (`--keep-images 0`); then the upsert with images is undone, and the file is upserted into a
store that holds its records already. The four take turns, each from a copy of the same filled
store. `cpu_ratio` compares CPU times, which other processes disturb less than wall times.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from b1_sqlite import ours
from data import COLUMNS_16, Dataset, make_apart
from harness import (
    BenchmarkError,
    Finished,
    bulkwright,
    expect_statuses,
    median,
    options,
    read_once,
    report,
    say,
    scratch,
    target,
    timed,
    times,
)

TARGETS = {"images": 1.15, "undo": 1.0, "unchanged": 0.6}
WHAT = {
    "images": ("upsert of known rows, with images of the records", "the same without images"),
    "undo": ("undo of that upsert", "that upsert"),
    "unchanged": (
        "upsert of rows that change nothing",
        "upsert of the same rows, all of which change",
    ),
}


def undo(data: Path, count: int) -> Finished:
    """One run of the undo of the only upsert of a store."""
    listed = timed([*bulkwright(), "jobs", "list", "--most", "1", "--data", data])
    found = re.search(r"^(\d+)", listed.stdout, re.MULTILINE)
    if found is None:
        raise BenchmarkError(f"there is no job: {listed.stdout}{listed.stderr}")
    done = timed([*bulkwright(), "jobs", "undo", found[1], "--data", data])
    if done.code or f"restored {count:,}" not in done.stdout:
        raise BenchmarkError(f"not undone: {done.stdout}{done.stderr[-2000:]}")
    return done


def measure(rows: int, runs: int, folder: Path) -> dict[str, dict[str, Any]]:
    """All four, taking turns."""
    say("data")
    archive = make_apart(Dataset(rows), folder, zipped=True)
    before = make_apart(Dataset(rows, generation=1), folder, zipped=True)
    found: dict[str, list[Finished]] = {"plain": [], "images": [], "undo": [], "unchanged": []}
    with scratch(folder) as space:
        filled = space / "filled"
        ours(filled, before, space / "filled.zip", "upsert-new")
        read_once(archive)
        read_once(before)
        for run in range(runs):
            for name, source in (("plain", archive), ("images", archive), ("unchanged", before)):
                data, result = space / f"{run}-{name}", space / f"{run}.zip"
                shutil.copytree(filled, data)
                keep = "0" if name == "plain" else "7d"
                found[name].append(ours(data, source, result, "upsert-match", keep_images=keep))
                expect_statuses(result, {"UPDATED": rows})
                if name == "images":
                    found["undo"].append(undo(data, rows))
                shutil.rmtree(data)
            say(f"run {run + 1}: " + ", ".join(f"{n} {r[-1].cpu_s} s" for n, r in found.items()))
    against = {"images": "plain", "undo": "images", "unchanged": "images"}
    return {
        name: {
            "ours": _side(WHAT[name][0], found[name]),
            "reference": _side(WHAT[name][1], found[other]),
            "ratio": round(_wall(found[name]) / _wall(found[other]), 3),
            "cpu_ratio": round(_cpu(found[name]) / _cpu(found[other]), 3),
            "target": target(_wall(found[name]) / _wall(found[other]), at_most=TARGETS[name]),
        }
        for name, other in against.items()
    }


def _wall(runs: list[Finished]) -> float:
    return median([done.seconds for done in runs])


def _cpu(runs: list[Finished]) -> float:
    return median([done.cpu_s for done in runs])


def _side(what: str, runs: list[Finished]) -> dict[str, Any]:
    return {
        "what": what,
        **times([done.seconds for done in runs]),
        "cpu_s": [done.cpu_s for done in runs],
        "median_cpu_s": _cpu(runs),
    }


def main() -> None:
    args = options(__doc__, rows=1_000_000, runs=3).parse_args()
    parameters = {"rows": args.rows, "columns": len(COLUMNS_16), "runs": args.runs}
    report("B14", parameters, measure(args.rows, args.runs, args.dir))


if __name__ == "__main__":
    main()
