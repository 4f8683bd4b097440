"""`bulkwright jobs undo`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.program import Run, refused


def test_a_job_is_undone(run: Run, good: Path) -> None:
    """First as a dry run; the command that it prints saves the list of the records."""
    more = ("--module", "Leads", "--operation", "insert", "--data", "data")
    made = run("write", good, *more)
    assert made.returncode == 0, made.stderr
    (job,) = json.loads(run("jobs", "list", "--data", "data", "--json").stdout)
    dry = run("jobs", "undo", job["job_id"], "--dry-run", "--data", "data")
    assert dry.returncode == 0, dry.stderr
    assert "dry run of the undo of job" in dry.stdout
    assert "removed 2  restored 0  kept 0" in dry.stdout
    line = dry.stdout.splitlines()[-1]
    assert line.startswith("nothing was changed; to undo it: bulkwright jobs undo")
    undone = run(*line.partition("bulkwright ")[2].split())
    assert undone.returncode == 0, undone.stderr
    words = undone.stdout.splitlines()[-1].split("bulkwright ")[1].split()
    assert run(*words).returncode == 0
    undo = words[words.index("result") + 1]
    assert f"; undo: job {undo}\n" in run("jobs", "show", job["job_id"], "--data", "data").stdout
    assert "was undone by" in refused(run("jobs", "undo", job["job_id"], "--data", "data"))
    assert "There is no job 7" in refused(run("jobs", "undo", "7", "--data", "data"))
    listed = run("jobs", "list", "--data", "data").stdout
    assert listed.count("undo") == 2


def test_a_diff_is_saved(run: Run, good: Path, tmp_path: Path) -> None:
    """It says what the job has changed, and after an undo that it is not known any more."""
    more = ("--module", "Leads", "--operation", "insert", "--data", "data")
    assert run("write", good, *more).returncode == 0
    (job,) = json.loads(run("jobs", "list", "--data", "data", "--json").stdout)
    target = tmp_path / "diff.csv"
    saved = run("jobs", "diff", job["job_id"], "--data", "data", "-o", target)
    assert saved.returncode == 0, saved.stderr
    header, *lines = target.read_text().splitlines()
    assert header == "record_id,change,field,before,after,note"
    assert {line.split(",")[1] for line in lines} == {"ADDED"}
    assert run("jobs", "undo", job["job_id"], "--data", "data").returncode == 0
    assert "is not kept" in refused(run("jobs", "diff", job["job_id"], "--data", "data"))
