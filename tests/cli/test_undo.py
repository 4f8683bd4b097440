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
    dry = run("jobs", "undo", job["id"], "--dry-run", "--data", "data")
    assert dry.returncode == 0, dry.stderr
    assert "dry run of the undo of job" in dry.stdout
    assert "removed 2  restored 0  kept 0" in dry.stdout
    undone = run("jobs", "undo", job["id"], "--data", "data")
    assert undone.returncode == 0, undone.stderr
    words = undone.stdout.splitlines()[-1].split("bulkwright ")[1].split()
    assert run(*words).returncode == 0
    assert "was undone by" in refused(run("jobs", "undo", job["id"], "--data", "data"))
    assert "There is no job 7" in refused(run("jobs", "undo", "7", "--data", "data"))
    listed = run("jobs", "list", "--data", "data").stdout
    assert listed.count("undo") == 2
