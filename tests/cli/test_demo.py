"""`bulkwright demo`: the first command of a new user."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.program import MIXED, Run, refused


def test_the_demo_shows_a_job_from_file_to_result(run: Run, tmp_path: Path) -> None:
    """Each request, the job details, the skipped and the added rows; no file is left.

    It fits the usual width of a terminal.
    """
    before = sorted(tmp_path.iterdir())
    done = run("demo", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    for request in ("/crm/v2/upload", "/crm/bulk/v2/write", "/bulk-write/"):
        assert re.search(rf"(POST|GET ) (http://[0-9.:]+)?\S*{request}", done.stdout), request
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert '"status": "COMPLETED"' in done.stdout and "INVALID_DATA-" in done.stdout
    assert re.search(r"\n[0-9,]+ rows: [0-9,]+ ADDED, [0-9,]+ SKIPPED\n", done.stdout)
    assert sorted(tmp_path.iterdir()) == before


def test_the_demo_cuts_no_value_and_names_the_next_commands(run: Run) -> None:
    """Also where the terminal is narrow; what it names are commands that exist."""
    shown = run("demo", COLUMNS="40").stdout
    skipped, added = shown.partition("the first skipped rows")[2].split("the first added rows")
    rows = [line.split() for line in added.splitlines()[2:] if line.strip()]
    assert all("@" in row[0] and "…" not in row[0] for row in rows[:5]) and "…" not in skipped
    named = re.findall(r"^  bulkwright (\w+)", shown, re.MULTILINE)
    assert named == ["serve", "write"]
    assert all(run(name, "--help").returncode == 0 for name in named)


def test_the_demo_takes_a_file_of_leads(run: Run, mixed: Path) -> None:
    """A file that does not exist is named."""
    done = run("demo", mixed)
    assert mixed.read_text() == MIXED
    assert "\n4 rows: 2 ADDED, 2 SKIPPED\n" in done.stdout, done.stderr
    assert "There is no file missing.csv" in refused(run("demo", "missing.csv"))
