"""The benchmarks still work: scripts once, on tiny files. Their figures are not looked at.

The scripts of `LONG` do what others do in another order or on the other store; the long form runs
them too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chromium import missing

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs the sqlite3 shell")

MEASURES = {
    "B1": {"insert", "upsert-match"},
    "B2": {"upsert-match"},
    "B3": {"2% bad", "20% bad", "50% bad"},
    "B4": {"insert"},
    "B5": {"worker-peak", "worker-growth", "time-per-row"},
    "B6": {"throughput", "during-job"},
    "B7": {"upsert-match"},
    "B7-postgres": {"upsert-match"},
    "B8": {"start-prepared", "start-empty", "api-memory"},
    "B9": {"bulkwright, 2% bad", "sqlite3-shell, 2% bad"},
    "B11": {"insert-1", "insert-100", "search-by-key"},
    "B12": {"sqlite", "postgres"},
    "B13": {"plugin-start", "reset-p50"},
    "B14": {"images", "undo", "unchanged"},
    "B15": {"sqlite", "postgres"},
    "B16": {"list", "columns"},
    "B10": {"sqlite-p50", "sqlite-p99", "postgres-p50", "postgres-p99"},
}


LONG = ("b3", "b5", "b7-postgres", "b10", "b12", "b14", "b15", "b16")
SCRIPTS = [name.lower() for name in MEASURES]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """`benchmarks/run` with some words."""
    return subprocess.run(
        [sys.executable, BENCHMARKS / "run", *words], capture_output=True, text=True, timeout=540
    )


@pytest.fixture(scope="module")
def short() -> subprocess.CompletedProcess[str]:
    """One short run of all scripts but the long ones."""
    # Not below pytest's own folder: another pytest may close that to the user of PostgreSQL.
    with tempfile.TemporaryDirectory() as folder:
        return run(*(name for name in SCRIPTS if name not in LONG), "--short", "--dir", folder)


@pytest.fixture(scope="module")
def lines(short: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Its lines."""
    return [json.loads(line) for line in short.stdout.splitlines()]


@pytest.mark.slow
def test_every_script_does_its_work(
    short: subprocess.CompletedProcess[str], lines: list[dict[str, Any]]
) -> None:
    assert short.returncode == 0, short.stderr
    assert measures(lines) == {n: m for n, m in MEASURES.items() if n.lower() not in LONG}


@pytest.mark.long
def test_the_long_scripts_do_their_work(tmp_path: Path) -> None:
    """B16 only where a browser is installed."""
    scripts = [name for name in LONG if name != "b16" or not missing()]
    with tempfile.TemporaryDirectory() as folder:
        done = run(*scripts, "--short", "--dir", folder)
    assert done.returncode == 0, done.stderr
    found = measures([json.loads(line) for line in done.stdout.splitlines()])
    assert found == {n: m for n, m in MEASURES.items() if n.lower() in scripts}


def test_every_script_is_run_by_a_test() -> None:
    listed = {path.name.partition("_")[0] for path in BENCHMARKS.glob("b*_*.py")}
    assert listed == {name.partition("-")[0] for name in SCRIPTS}


def measures(lines: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The measures of lines, by their benchmark."""
    seen: dict[str, set[str]] = {}
    for line in lines:
        seen.setdefault(line["benchmark"], set()).add(line["measure"])
    return seen


@pytest.mark.slow
def test_every_line_is_whole_in_itself(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        assert line["machine"]["cores"] >= 1
        assert {"bulkwright", "polars", "sqlite_shell"} <= set(line["versions"])
        assert {"commit", "dirty", "parameters", "ratio", "target"} <= set(line)
        if line["target"]:
            assert type(line["target"]["met"]) is bool
            assert line["target"]["measured"] > 0
        if line["benchmark"] != "B9":
            assert line["ours"]["what"]
    timed = [line for line in lines if line["benchmark"] in ("B1", "B3", "B4", "B5", "B7")]
    for line in timed:
        for side in ("reference", "ours"):
            assert min(line[side]["times_s"]) > 0
        assert line["ratio"] > 0


@pytest.mark.slow
def test_peers_differ_by_the_outcome_of_every_row(lines: list[dict[str, Any]]) -> None:
    peers = {line["peer"]: line for line in lines if line["benchmark"] == "B9"}
    for line in peers.values():
        assert line["loaded"] + line["explained"] + line["lost"] == line["rows"]
    ours, shell = peers["bulkwright"], peers["sqlite3-shell"]
    assert ours["explained"] == ours["bad_rows"] == shell["bad_rows"] > 0
    assert shell["bad_loaded"] + shell["lost"] == shell["bad_rows"]


@pytest.mark.slow
def test_the_table_ends_the_run(short: subprocess.CompletedProcess[str]) -> None:
    assert "B8 api-memory" in short.stderr
    assert "B9 peer" in short.stderr
    assert short.stderr.endswith("these figures mean nothing\n")


def test_a_script_that_fails_fails_the_run(tmp_path: Path) -> None:
    done = run("b4", "--short", "--dir", tmp_path, "--", "--no-such-option")
    assert done.returncode == 1
    assert "b4 ended with 2" in done.stderr
    assert done.stdout == ""


def test_an_unknown_benchmark_is_refused_by_name() -> None:
    done = run("b1", "b99")
    assert done.returncode == 2
    assert "b99" in done.stderr


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module b9_peers, and nothing of the benchmarks left imported."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import b9_peers

    yield b9_peers
    for name in set(sys.modules) - before:
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_row_that_is_nowhere_counts_as_lost(peers: Any) -> None:
    contest = peers.Contest(1_000, 0.1)
    wrong = contest.wrong()
    good = set(range(1, 1_001)) - wrong.keys()
    nothing_lost = peers.fate(contest, good, wrong)
    peers.expect_every_row_reported(nothing_lost)
    one_lost = peers.fate(contest, good - {1}, wrong)
    assert (one_lost["lost"], one_lost["good_lost"]) == (1, 1)
    with pytest.raises(peers.BenchmarkError):
        peers.expect_every_row_reported(one_lost)
    let_in = peers.fate(contest, good | {min(wrong)}, wrong)
    assert (let_in["bad_loaded"], let_in["explained"]) == (1, len(wrong) - 1)
    with pytest.raises(peers.BenchmarkError):
        peers.fate(contest, [*good, 1], wrong)


def test_the_file_of_the_peers_is_wrong_where_it_says(peers: Any, tmp_path: Path) -> None:
    contest = peers.Contest(2_000, 0.1)
    rows = contest.make(tmp_path).read_text(encoding="utf-8").splitlines()[1:]
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        email, name = row.split(",")[1:3]
        found = {
            "bad date": "2025-02-31" in row,
            "bad number": "about 40" in row,
            "too long": len(name) > 80,
            "mandatory missing": not name,
            "duplicate key": email in seen,
        }
        seen.add(email)
        assert [kind for kind, holds in found.items() if holds] == [
            kind for kind in [contest.kind(number)] if kind
        ]
