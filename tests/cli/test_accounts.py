"""`bulkwright init`, `bulkwright token` and the program itself."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.processes import clean_environment
from tests.support.program import Run, refused

from bulkwright import __version__

INIT = ("init", "--company", "Zylker", "--email", "p@x.example", "--data", "d")


def test_init_shows_credentials_once(run: Run) -> None:
    """Org, client, secret and refresh token; the second time it fails."""
    made = run(*INIT, "--time-zone", "Europe/Berlin")
    assert made.returncode == 0, made.stderr
    values = dict(line.split() for line in made.stdout.splitlines())
    assert list(values) == ["org_id", "client_id", "client_secret", "refresh_token"]
    assert re.fullmatch(r"[0-9]{8,9}", values["org_id"])
    assert values["client_id"].startswith("1000.") and values["refresh_token"].startswith("1000.")
    assert "already has an org" in refused(run(*INIT))


def test_secrets_are_stored_as_hashes(run: Run, tmp_path: Path) -> None:
    """The database does not contain the secrets that init has shown."""
    values = dict(line.split() for line in run(*INIT).stdout.splitlines())
    stored = b"".join(p.read_bytes() for p in (tmp_path / "d").rglob("*") if p.is_file())
    assert values["client_id"].encode() in stored
    for secret in ("client_secret", "refresh_token"):
        assert values[secret].encode() not in stored


def test_init_rejects_an_unknown_time_zone(run: Run) -> None:
    """It leaves no incomplete org."""
    for zone in ("Mars/Olympus", "", "Europe", "../zone"):
        assert "time zone" in refused(run(*INIT, "--time-zone", zone))
    assert run(*INIT).returncode == 0


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize("more", [(), ("--scope", "ZohoCRM.bulk.READ"), ("--refresh",)])
def test_a_token_is_printed_alone(run: Run, more: tuple[str, ...]) -> None:
    """So that a script can read it; each one is new."""
    tokens = {run("token", "create", "--data", "d", *more).stdout for _ in range(2)}
    assert len(tokens) == 2
    assert all(re.fullmatch(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}\n", t) for t in tokens)


def test_commands_need_a_folder(run: Run) -> None:
    """One line names the folder; nothing is created."""
    for command in (
        ("token", "create"),
        ("modules", "list"),
        ("records", "export", "--module", "X"),
    ):
        assert "not a Bulkwright data folder" in refused(run(*command, "--data", "nowhere"))


def test_version_and_help(run: Run) -> None:
    """Version and commands of the program."""
    assert run("--version").stdout.strip() == __version__
    text = run("--help").stdout
    for command in (
        "demo",
        "serve",
        "worker",
        "write",
        "jobs",
        "modules",
        "records",
        "token",
        "init",
    ):
        assert command in text


BOTH_SEE_NO_ORG = """
import os, sys, time
from pathlib import Path
from bulkwright.store.accounts import AccountStore

look, here = AccountStore.orgs, Path(os.environ["MARKS"])

def orgs(self):
    found = look(self)
    (here / str(os.getpid())).touch()
    until = time.monotonic() + 3
    while not found and len(list(here.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    return found

AccountStore.orgs = orgs
sys.argv = ["bulkwright", *sys.argv[1:]]
from bulkwright.cli import main
main()
"""
"""The command, which waits after its look for an org until another command has looked too."""


@pytest.mark.parametrize(
    "line",
    [INIT, ("write", "f.csv", "--module", "Leads", "--operation", "insert", "--data", "d")],
    ids=lambda line: line[0],
)
def test_two_commands_at_once_create_one_org(tmp_path: Path, line: tuple[str, ...]) -> None:
    """Each looks again when no other can create one."""
    (tmp_path / "f.csv").write_text("Last_Name\nBoyle\n")
    marks = tmp_path / "marks"
    marks.mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", BOTH_SEE_NO_ORG, *line],
            cwd=tmp_path, env=clean_environment() | {"MARKS": str(marks)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    errors = [process.communicate()[1] for process in started]
    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM orgs").fetchone() == (1,), errors
    refused = 1 if line is INIT else 0
    assert sorted(process.returncode for process in started) == [0, refused], errors
