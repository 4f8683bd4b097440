"""`write --all-or-nothing` and `write --priority`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.program import Run, refused

INSERT = ("--module", "Leads", "--operation", "insert")


def test_nothing_of_a_file_with_a_refused_row_stays(run: Run, mixed: Path) -> None:
    """The check of the data folder finds nothing that would not fit."""
    done = run("write", mixed, *INSERT, "--data", "d", "--all-or-nothing")
    assert done.returncode == 1, done.stderr
    assert "TOO_MANY_ERRORS" in done.stdout and "added 0  updated 0  skipped 2" in done.stdout
    assert "nothing of the job stays" in done.stdout
    jobs = json.loads(run("jobs", "list", "--data", "d", "--json").stdout)
    assert [job["operation"] for job in jobs] == ["undo", "insert"]
    checked = run("check", "--data", "d")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    dry = run("write", mixed, *INSERT, "--data", "d", "--all-or-nothing", "--dry-run")
    assert (dry.returncode, "added 0" in dry.stdout) == (1, True)


def test_all_rows_of_a_good_file_are_stored(run: Run, good: Path) -> None:
    done = run("write", good, *INSERT, "--data", "d", "--all-or-nothing", "--priority", "high")
    assert done.returncode == 0, done.stderr
    more = ("--data", "d", "--all-or-nothing", "--max-errors", "1")
    assert "leave out --max-errors" in refused(run("write", good, *INSERT, *more))
