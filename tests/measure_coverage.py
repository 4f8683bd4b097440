"""Coverage of branches by package: `python3 run.py coverage [ARGUMENT OF PYTEST ...]`.

Runs the tests with coverage of the processes that they start, and prints a table. It exits with the
status of pytest if that is not 0, and with 1 if a package is below its floor. A killed process
writes no data, so that figures are a little too low.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {"pipeline": 95, "store": 95, "service": 92, "zoho": 92, "cli": 85}
"""Per cent of lines and branches that the tests must reach."""
PYTEST = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--cov", "--cov-report=",
          "--timeout=1800")  # fmt: skip


def main() -> int:
    """Run the tests, print the table, compare it with the floors, and return the exit status.

    With `--report` no test is run: the data of the last run is used.
    """
    status = 0
    if sys.argv[1:] != ["--report"]:
        status = subprocess.run(
            [sys.executable, "-m", "pytest", *PYTEST, *sys.argv[1:]], cwd=ROOT, check=False
        ).returncode
        if status:
            print(f"pytest ended with status {status}", file=sys.stderr)
        if status > 1:  # pytest was interrupted, or there was no test
            return status
    rates = by_package(measured())
    below = []
    for package, (reached, possible) in sorted(rates.items()):
        rate, floor = 100 * reached / possible, FLOORS.get(package)
        note = "" if floor is None else f"  floor {floor}"
        if floor is not None and rate < floor:
            below.append(package)
            note += "  BELOW"
        print(f"{package:14} {rate:6.1f} %  {possible - reached:5} of {possible:5} missed{note}")
    if below:
        print(f"below the floor: {', '.join(below)}", file=sys.stderr)
    return status or (1 if below else 0)


def measured() -> dict[str, dict[str, int]]:
    """The counts of coverage, by file."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run(
            [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)],
            cwd=ROOT,
            check=True,
        )
        files = json.loads(report.read_text())["files"]
    return {name: file["summary"] for name, file in files.items()}


def by_package(files: dict[str, dict[str, int]]) -> dict[str, tuple[int, int]]:
    """Reached and existing lines and branches, by the folder below bulkwright."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, counted in files.items():
        parts = name.replace("\\", "/").partition("bulkwright/")[2].split("/")
        package = parts[0] if len(parts) > 1 else "(top)"
        sums[package][0] += counted["covered_lines"] + counted.get("covered_branches", 0)
        sums[package][1] += counted["num_statements"] + counted.get("num_branches", 0)
    return {name: (reached, all_) for name, (reached, all_) in sums.items() if all_}


if __name__ == "__main__":
    sys.exit(main())
