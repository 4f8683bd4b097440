"""`--json`: standard output is one JSON value, for other programs. Ids in it are strings."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_org_import import answers
from tests.support.finished_jobs import Change, Jobs
from tests.support.program import Run

from bulkwright.cli import app

Call = Callable[..., str]
INIT = ("init", "--company", "Zylker", "--email", "me@zylker.example", "--data", "data")


def value(run: Run, *words: str) -> Any:
    """What a command prints."""
    done = run(*words, "--json", "--data", "data")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs a command in this process, on the folder `d` or `data`; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("BULKWRIGHT_"):
            monkeypatch.delenv(name)

    def called(*words: str) -> str:
        folder = "d" if (tmp_path / "d").exists() else "data"
        line = [*words, "--data", folder]
        app(line, result_action="return_value", exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return called


def test_what_is_made(run: Run) -> None:
    """Orgs, users and clients, with their secrets."""
    made = run(*INIT, "--json")
    first = json.loads(made.stdout)
    assert list(first) == ["org_id", "client_id", "client_secret", "refresh_token"]
    assert isinstance(first["org_id"], str) and "not shown again" in made.stderr
    user = value(run, "user", "add", "kay@zylker.example", "--last-name", "Kay")
    assert [one["user_id"] for one in value(run, "user", "list")][1:] == [user["user_id"]]
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
    assert (aborted["job_id"], aborted["code"], aborted["added"]) == (str(jobs.half), "ABORTED", 2)
    undone = value(run, "jobs", "undo", str(jobs.half), "--dry-run")
    assert undone["status"] == "COMPLETED" and undone["operation"] == "undo"
    deleted = value(run, "jobs", "delete", str(jobs.done))
    assert deleted["job_id"] == str(jobs.done) and deleted["had_result"] is True
    assert deleted["upload_ids"] == [str(jobs.uploads[jobs.done])]
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
    assert (first["job_id"], first["dry_run"], first["added"]) == (None, True, 1)
    done = run(*words, "--json", "--data", "data")
    assert done.returncode == 3 and "skipped 2" in done.stderr
    job = json.loads(done.stdout)
    assert (job["status"], job["added"], job["updated"], job["skipped"]) == ("COMPLETED", 1, 0, 2)
    assert job["reasons"] == [{"code": "INVALID_DATA", "column": "Email", "rows": 2}]
    assert [one["job_id"] for one in value(run, "jobs", "list")] == [job["job_id"]]


@pytest.mark.usefixtures("org")
def test_what_is_done_to_users(call: Call) -> None:
    """The id of the user, the new state, and what ended by it."""
    email = "kay@x.example"
    user = json.loads(call("user", "add", email, "--last-name", "Kay", "--json"))["user_id"]
    ended = {"revoked_tokens": 1, "ended_sessions": 0}
    call("token", "create", "--user", email)
    assert json.loads(call("user", "deactivate", email, "--json")) == {
        "user_id": user, "state": "inactive", **ended,
    }  # fmt: skip
    active = {"user_id": user, "state": "active"}
    assert json.loads(call("user", "activate", email, "--json")) == active
    assert call("user", "activate", email) == f"user {email} is active\n"
    call("token", "create", "--user", email)
    assert call("user", "deactivate", email) == "revoked 1 token, ended 0 sessions\n"
    assert json.loads(call("user", "remove", email, "--json"))["state"] == "removed"


@pytest.mark.usefixtures("org")
def test_a_new_password(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is not among what is printed."""
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n" * 2))
    shown = json.loads(call("user", "password", "p@x.example", "--json"))
    assert list(shown) == ["user_id", "revoked_tokens", "ended_sessions"]
    assert call("user", "password", "p@x.example").startswith("revoked 0 tokens")


@pytest.mark.usefixtures("org")
def test_what_is_done_to_clients(call: Call) -> None:
    """The id of the client, the new state, and what ended by it."""
    client = json.loads(call("client", "add", "Load", "--kind", "self", "--json"))["client_id"]
    call("token", "create", "--client", client)
    assert json.loads(call("client", "deactivate", client, "--json")) == {
        "client_id": client, "state": "inactive", "revoked_tokens": 1, "ended_sessions": 0,
    }  # fmt: skip
    active = {"client_id": client, "state": "active"}
    assert json.loads(call("client", "activate", client, "--json")) == active
    assert call("client", "activate", client) == f"client {client} is active\n"
    assert call("client", "deactivate", client).startswith("revoked 0 tokens")
    assert json.loads(call("client", "remove", client, "--json"))["state"] == "removed"


@pytest.mark.usefixtures("org")
def test_what_is_done_to_orgs(call: Call) -> None:
    """The id of the org, the new state, and what ended by it."""
    more = ("--company", "Acme", "--email", "me@acme.example", "--json")
    org = json.loads(call("org", "add", *more))["org_id"]
    assert json.loads(call("org", "deactivate", org, "--json")) == {
        "org_id": org, "state": "inactive", "revoked_tokens": 1, "ended_sessions": 0,
    }  # fmt: skip
    active = {"org_id": org, "state": "active"}
    assert json.loads(call("org", "activate", org, "--json")) == active
    assert call("org", "activate", org) == f"org {org} is active\n"
    assert call("org", "deactivate", org) == "revoked 0 tokens, ended 0 sessions\n"
    removed = {"org_id": org, "state": "removed", "files": 0}
    assert json.loads(call("org", "remove", org, "--yes", "--json")) == removed


def test_an_id_and_a_time_have_one_form_in_all_lists(call: Call, jobs: Jobs) -> None:
    """The key of an id names its kind, and times are those of the API."""
    call("client", "add", "Load", "--kind", "self")
    call("token", "create")
    ids = {
        "org list": "org_id", "user list": "user_id", "client list": "client_id",
        "token list": "token_id", "jobs list": "job_id",
    }  # fmt: skip
    found = {words: json.loads(call(*words.split(), "--json")) for words in (*ids, "audit")}
    found["org"] = [json.loads(call("org", "--json"))]
    kinds = {one[key]: key for words, key in ids.items() for one in found[words]}
    assert kinds[str(jobs.done)] == "job_id"
    for words, rows in found.items():
        assert rows, words
        for key, value in ((key, value) for row in rows for key, value in row.items()):
            if isinstance(value, str) and value in kinds:
                assert key == kinds[value] or (key == "owner_id" and kinds[value] == "user_id")
            if value and key in ("created", "expires", "last_used", "time"):
                assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}[+-][0-9:]{5}", value), words


@pytest.mark.usefixtures("org")
def test_tokens(call: Call) -> None:
    """The key says what kind it is. What is revoked is named, or counted."""
    user = json.loads(call("user", "list", "--json"))[0]["user_id"]
    kinds: dict[str, tuple[str, ...]] = {
        "access_token": (), "refresh_token": ("--refresh",), "code": ("--code",),
    }  # fmt: skip
    for key, options in kinds.items():
        made = json.loads(call("token", "create", *options, "--json"))
        assert list(made) == [key, "client_id", "user_id"] and made["user_id"] == user
        assert len(call("token", "create", *options).split()) == 1
    first, second, *_ = (one["token_id"] for one in json.loads(call("token", "list", "--json")))
    assert json.loads(call("token", "revoke", first, "--json")) == {"token_ids": [first]}
    assert call("token", "revoke", second) == f"revoked {second}\n"
    client = made["client_id"]
    ended = json.loads(call("token", "revoke", "--client", client, "--json"))
    assert ended["client_id"] == client and ended["revoked_tokens"] > 0
    assert json.loads(call("token", "revoke", "--user", "p@x.example", "--json")) == {
        "user_id": user, "revoked_tokens": 0, "ended_sessions": 0,
    }  # fmt: skip


def test_callbacks(call: Call, jobs: Jobs, change: Change) -> None:
    """The secret, as the text has it; a delivery with the keys of the own API."""
    assert json.loads(call("callbacks", "secret", "--json")) == {
        "secret": call("callbacks", "secret").strip()
    }
    change("UPDATE jobs SET callback_url = ? WHERE id = ?", "http://r.example/", jobs.done)
    shown = json.loads(call("callbacks", "replay", str(jobs.done), "--json"))
    expected = {"job_id": str(jobs.done), "state": "pending", "attempts": 0, "last_error": None}
    assert expected.items() <= shown.items()
    change("DELETE FROM outbox")
    again = f"the callback of job {jobs.done} will be sent again\n"
    assert call("callbacks", "replay", str(jobs.done)) == again


def test_where_rows_are_saved(call: Call, jobs: Jobs, tmp_path: Path) -> None:
    """The file, and how many rows it has where that is known."""
    job = str(jobs.twice)
    whole = json.loads(call("jobs", "result", job, "--json"))
    assert whole == {"job_id": job, "file": f"{job}.zip"} and (tmp_path / whole["file"]).is_file()
    full = json.loads(call("jobs", "result", job, "--full", "--json"))
    assert full == {"job_id": job, "file": f"{job}-full.csv", "rows": 6}
    assert call("jobs", "result", job, "--full") == f"{job}-full.csv: 6 rows\n"
    diff = json.loads(call("jobs", "diff", job, "-o", "changes.csv", "--json"))
    assert diff == {"job_id": job, "file": "changes.csv"} and (tmp_path / "changes.csv").is_file()
    assert call("jobs", "diff", job, "-o", "changes.csv") == "changes.csv\n"


@pytest.mark.usefixtures("org")
def test_modules_that_are_added(call: Call, tmp_path: Path) -> None:
    """From a file, from a table, and from the answers of Zoho: modules, and what is left out."""
    described = {"fields": [{"api_name": "Colour", "data_type": "text"}]}
    document = {"modules": [{"api_name": "Parts", **described}]}
    (tmp_path / "parts.json").write_text(json.dumps(document))
    applied = json.loads(call("modules", "apply", "parts.json", "--json"))
    (parts,) = applied["modules"]
    assert parts["api_name"] == "Parts" and applied["omitted"] == []
    assert json.loads(call("modules", "apply", "parts.json", "--json"))["modules"] == []
    assert call("modules", "apply", "parts.json") == "nothing to change\n"
    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as connection:
        connection.execute("CREATE TABLE items (no INTEGER PRIMARY KEY, name TEXT, photo BLOB)")
    (offered,) = json.loads(call("modules", "from-table", "items", "--dry-run", "--json"))
    assert (offered["existed"], offered["dry_run"], offered["omitted"]) == (False, True, ["photo"])
    (created,) = json.loads(call("modules", "from-table", "items", "--json"))
    assert created == {**offered, "dry_run": False}
    assert created["fields"] == json.loads(call("modules", "show", "items", "--json"))
    assert call("modules", "from-table", "items").startswith("items updated: ")
    imported = json.loads(call("modules", "import-zoho", *answers(tmp_path), "--json"))
    assert imported["undescribed"] == ["Visits"]
    leads = next(one for one in imported["modules"] if one["api_name"] == "Leads")
    assert (leads["outcome"], leads["fields"], len(leads["omitted"])) == ("replaced", 16, 3)


@pytest.mark.usefixtures("org")
def test_an_org_that_is_adopted(call: Call, tmp_path: Path) -> None:
    """It is no development org any more."""
    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as connection:
        connection.execute("UPDATE orgs SET dev = 1")
        connection.commit()
    shown = json.loads(call("org", "adopt", "--json"))
    assert shown == {
        "org_id": shown["org_id"], "dev": False, "revoked_tokens": 1, "ended_sessions": 0,
    }  # fmt: skip
