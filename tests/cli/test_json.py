"""`--json`: standard output is one JSON value, for other programs. Ids in it are strings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.finished_jobs import Jobs
from tests.support.program import Run

INIT = ("init", "--company", "Zylker", "--email", "me@zylker.example", "--data", "data")


def value(run: Run, *words: str) -> Any:
    """What a command prints."""
    done = run(*words, "--json", "--data", "data")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_made(run: Run) -> None:
    """Orgs, users and clients, with their secrets."""
    made = run(*INIT, "--json")
    first = json.loads(made.stdout)
    assert list(first) == ["org_id", "client_id", "client_secret", "refresh_token"]
    assert isinstance(first["org_id"], str) and "not shown again" in made.stderr
    user = value(run, "user", "add", "kay@zylker.example", "--last-name", "Kay")
    assert [one["user"] for one in value(run, "user", "list")][1:] == [user["user_id"]]
    client = value(run, "client", "add", "Load", "--kind", "self")
    rotated = value(run, "client", "rotate", client["client_id"])
    assert rotated["client_id"] == client["client_id"]
    assert rotated["client_secret"] != client["client_secret"]
    org = value(run, "org")
    assert (org["org_id"], org["users"], org["state"]) == (first["org_id"], 2, "active")
    second = value(run, "org", "add", "--company", "Acme", "--email", "me@acme.example")
    assert {one["org_id"] for one in value(run, "org", "list")} == {
        first["org_id"], second["org_id"],
    }  # fmt: skip


def test_what_is_done_to_jobs(run: Run, jobs: Jobs, data: Path) -> None:
    """Abort, undo, delete, and a sweep."""
    del data
    aborted = value(run, "jobs", "abort", str(jobs.half))
    assert (aborted["id"], aborted["code"], aborted["added"]) == (str(jobs.half), "ABORTED", 2)
    undone = value(run, "jobs", "undo", str(jobs.half), "--dry-run")
    assert undone["status"] == "COMPLETED" and undone["operation"] == "undo"
    deleted = value(run, "jobs", "delete", str(jobs.done))
    assert deleted["id"] == str(jobs.done) and deleted["had_result"] is True
    assert deleted["uploads"] == [str(jobs.uploads[jobs.done])]
    assert set(value(run, "sweep")) >= {"uploads", "results", "jobs"}


def test_what_is_written(run: Run, tmp_path: Path) -> None:
    """Counts and all reasons; what people read is on standard error."""
    (tmp_path / "leads.csv").write_text("Last_Name,Email\nBoyle,b@x.example\nKay,none\nHill,none\n")
    words = (
        "write",
        "leads.csv",
        "--module",
        "Leads",
        "--operation",
        "upsert",
        "--find-by",
        "Email",
    )
    tried = run(*words, "--json", "--dry-run", "--data", "data")
    assert tried.returncode == 3, tried.stderr
    first = json.loads(tried.stdout)
    assert (first["id"], first["dry_run"], first["added"]) == (None, True, 1)
    done = run(*words, "--json", "--data", "data")
    assert done.returncode == 3 and "skipped 2" in done.stderr
    job = json.loads(done.stdout)
    assert (job["status"], job["added"], job["updated"], job["skipped"]) == ("COMPLETED", 1, 0, 2)
    assert job["reasons"] == [{"code": "INVALID_DATA", "column": "Email", "rows": 2}]
    assert [one["id"] for one in value(run, "jobs", "list")] == [job["id"]]
