"""Input that no command expects: one line, exit status 1 or 2, no traceback, no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.processes import clean_environment
from tests.support.program import Run, refused

WRITE = ("--module", "Leads", "--operation", "insert", "--data", "d")
INIT = ("init", "--company", "Zylker", "--email", "p@x.example", "--data", "d")


def one_line(folder: Path, *line: str | bytes) -> str:
    """Runs a command that fails and returns the line that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bulkwright", *line], cwd=folder, env=clean_environment(),
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    error = done.stderr.decode()
    assert done.returncode in (1, 2), error
    assert error.startswith("bulkwright: ") and error.count("\n") == 1, error
    return error


def test_an_argument_that_is_not_utf_8(initialised: Path, tmp_path: Path) -> None:
    """It is named. The name of a file may be one: it is not stored as text."""
    line = ("client", "add", b"x\xff", "--kind", "self", "--data", str(initialised))
    assert "x\\udcff' is not text in utf-8" in one_line(tmp_path, *line)


@pytest.mark.parametrize(
    "line",
    [
        ("jobs", "list", "--most", "9" * 30),
        ("jobs", "list", "--most=-1"),
        ("audit", "--most", "0"),
        ("callbacks", "list", "--most=-1"),
        ("token", "create", "--expires-in", "9" * 12),
        ("token", "create", "--expires-in", "0"),
        ("org", "--priority", "9" * 30),
        ("serve", "--port", "99999"),
    ],
    ids=" ".join,
)
def test_numbers_out_of_their_range(
    initialised: Path, tmp_path: Path, line: tuple[str, ...]
) -> None:
    """They are refused, whichever store would overflow."""
    one_line(tmp_path, *line, "--data", str(initialised))


@pytest.mark.parametrize(
    "url", ["postgresql://u:p%zz@127.0.0.1/x", "postgresql://a b/?x=y", "postgresql://h/x?nope=1"]
)
def test_a_database_that_is_no_url(tmp_path: Path, url: str) -> None:
    """The line names the option, and holds nothing of the URL."""
    for line in (("jobs", "list"), ("worker",), ("serve",)):
        error = one_line(tmp_path, *line, "--database", url)
        assert "--database" in error and "p%zz" not in error


def test_brackets_inside_each_other(run: Run, tmp_path: Path) -> None:
    """In a mapping, and in the settings."""
    (tmp_path / "f.csv").write_text("Last_Name\nBoyle\n")
    (tmp_path / "m.json").write_text("[" * 100_000)
    assert "bracket" in refused(run("write", "f.csv", *WRITE, "--mapping", "m.json"))
    (tmp_path / "bulkwright.toml").write_text("a = " + "[" * 5_000)
    assert "bracket" in refused(run("jobs", "list", "--data", "d"))


def test_the_result_is_not_the_input(run: Run, tmp_path: Path) -> None:
    """A command never replaces the file that it reads."""
    text = "Last_Name,City\nBoyle,Rome\n"
    (tmp_path / "f.csv").write_text(text)
    (tmp_path / "same.csv").symlink_to("f.csv")
    for name in ("f.csv", "./f.csv", "same.csv"):
        assert "input file" in refused(run("write", "f.csv", *WRITE, "--result", name))
    assert (tmp_path / "f.csv").read_text() == text


def test_an_option_with_the_name_of_a_command_stands_in_the_settings_file(
    run: Run, tmp_path: Path
) -> None:
    """`org`, `client`, `user` and `token` are both."""
    assert run(*INIT).returncode == 0
    settings = tmp_path / "bulkwright.toml"
    for text, line, words in (
        ("org = 5", ("jobs", "list"), "There is no org 5"),
        ('org = "five"', ("jobs", "list"), "five"),
        ('client = "nope"', ("token", "list"), "There is no client nope"),
        ('user = "nope"', ("token", "list"), "nope"),
    ):
        settings.write_text(text)
        done = run(*line, "--data", "d")
        assert done.returncode in (1, 2) and words in done.stderr, (text, done)


def test_what_is_deactivated_gets_no_tokens(run: Run) -> None:
    """A token that would be dead from its first moment is not created."""
    values = dict(line.split() for line in run(*INIT).stdout.splitlines())
    client = values["client_id"]
    at = ("--data", "d")
    assert run("client", "deactivate", client, *at).returncode == 0
    for more in ((), ("--refresh",), ("--code",), ("--client", client)):
        assert "deactivated" in refused(run("token", "create", *more, *at))
    assert run("client", "activate", client, *at).returncode == 0
    assert run("user", "add", "k@x.example", "--last-name", "Kay", *at).returncode == 0
    assert run("user", "deactivate", "k@x.example", *at).returncode == 0
    assert "deactivated" in refused(run("token", "create", "--user", "k@x.example", *at))
    assert run("token", "create", *at).returncode == 0
