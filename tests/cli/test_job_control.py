"""`bulkwright jobs abort`."""

from __future__ import annotations

from pathlib import Path

from tests.support.finished_jobs import Change, Jobs
from tests.support.program import Run, refused


def test_a_job_is_aborted_without_a_server(run: Run, jobs: Jobs, change: Change) -> None:
    """The command ends it itself, and says how to save the rows that were not stored."""
    aborted = run("jobs", "abort", str(jobs.half), "--data", "data")
    assert aborted.returncode == 0, aborted.stderr
    lines = aborted.stdout.splitlines()
    assert lines[0] == f"job {jobs.half}  FAILED ABORTED  added 2  updated 0  skipped 0  of 2 rows"
    saved = run(*lines[-1].split()[1:])
    assert saved.stdout.splitlines() == [f"{jobs.half}-failed.csv: 4 rows"]
    ((operator, detail),) = change(
        "SELECT operator, detail FROM audit WHERE action = 'job-aborted'"
    )
    assert operator and detail == str(jobs.half)
    again = run("jobs", "abort", str(jobs.half), "--data", "data")
    assert again.stdout == aborted.stdout


def test_a_job_that_waits_is_aborted(run: Run, jobs: Jobs) -> None:
    """No row of it is stored."""
    aborted = run("jobs", "abort", str(jobs.waiting), "--data", "data")
    assert "FAILED ABORTED  added 0" in aborted.stdout
    failed = run("jobs", "result", str(jobs.waiting), "--failed", "--data", "data")
    assert failed.stdout.endswith(": 6 rows\n")


def test_a_job_that_is_not_to_be_aborted(run: Run, jobs: Jobs, data: Path) -> None:
    """One that has ended, and one that does not exist."""
    del data
    assert "COMPLETED" in refused(run("jobs", "abort", str(jobs.done), "--data", "data"))
    assert "There is no job 7" in refused(run("jobs", "abort", "7", "--data", "data"))


def test_an_ended_job_is_deleted(run: Run, jobs: Jobs, data: Path) -> None:
    """With its files; records stay, and `check` finds nothing wrong."""
    deleted = run("jobs", "delete", str(jobs.done), "--data", "data")
    assert deleted.stdout.splitlines() == [
        f"deleted job {jobs.done} with its result; the records that it has stored stay",
        f"deleted its upload {jobs.uploads[jobs.done]}",
    ]
    assert not (data / "files" / "results" / f"{jobs.done}.zip").exists()
    assert "There is no job" in refused(run("jobs", "show", str(jobs.done), "--data", "data"))
    checked = run("check", "--data", "data")
    assert checked.returncode == 0, checked.stdout
    open_one = run("jobs", "delete", str(jobs.half), "--data", "data")
    assert "abort it first" in refused(open_one)
