"""What commands print at a terminal, and to a reader that has gone."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.processes import clean_environment
from tests.support.program import Run

INSERT = ("--module", "Leads", "--operation", "insert", "--data", "d")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_terminal(folder: Path, columns: int, *line: str) -> tuple[int, str]:
    """Runs the program at a terminal of this width; returns its status and what it shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = clean_environment(TERM="xterm")
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", *line],
        cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the terminal has no writer any more
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    return process.wait(60), _CONTROL.sub("", shown.decode())


def test_a_job_has_a_progress_bar(tmp_path: Path) -> None:
    """With the name of the file, and its rows at the end; then the line that a pipe gets too."""
    name = "leads-of-a-very-long-name-2026.csv"
    (tmp_path / name).write_text("Last_Name\n" + "".join(f"n{i}\n" for i in range(3000)))
    status, shown = at_terminal(tmp_path, 90, "write", name, *INSERT)
    assert status == 0, shown
    assert "leads-of-a-very-long-na… " in shown and "3,000 rows" in shown and "━" in shown
    assert "added 3,000  updated 0  skipped 0  of 3,000 rows" in shown
    assert "Traceback" not in shown


def test_a_narrow_terminal_has_fewer_columns(run: Run, good: Path, tmp_path: Path) -> None:
    """The id stays whole; what can be left out is, from the right."""
    run("write", good, *INSERT)
    wide = at_terminal(tmp_path, 200, "jobs", "list", "--data", "d")[1]
    narrow = at_terminal(tmp_path, 80, "jobs", "list", "--data", "d")[1]
    assert "Code" in wide and "Code" not in narrow, "no job has a code"
    for columns, wanted in ((200, True), (70, False)):
        status, shown = at_terminal(tmp_path, columns, "jobs", "list", "--data", "d")
        title, row, *_ = shown.splitlines()
        assert status == 0 and re.match(r"[0-9]{15,} +COMPLETED", row)
        assert ("File" in title, good.name in row) == (wanted, wanted)


def test_the_errors_of_a_job_fit_a_terminal(run: Run, tmp_path: Path) -> None:
    """Each group with the first of its rows in a sentence; `write` names the command."""
    (tmp_path / "bad.csv").write_text("Last_Name,Email\nBoyle,none\nKay,b@x.example\nHill,no\n")
    done = run("write", "bad.csv", *INSERT)
    (line,) = [line for line in done.stdout.splitlines() if "jobs errors" in line]
    words = line.split()[1:]
    status, shown = at_terminal(tmp_path, 80, *words)
    assert status == 0 and shown.splitlines() == [
        "      2  INVALID_DATA  Email",
        "         row 1: Column Email: “none” is not an e-mail address.",
    ]
    assert "First row" in run(*words).stdout


def test_a_job_that_does_not_begin_leaves_no_bar(run: Run, tmp_path: Path) -> None:
    """The last thing at the terminal is the reason, in a line of its own."""
    run("init", "--company", "Zylker", "--email", "a@zylker.example", "--data", "d")
    (tmp_path / "bad.csv").write_text("Last_Name\nBoyle\n")
    arguments = ("--module", "Leads", "--operation", "upsert", "--data", "d")
    status, shown = at_terminal(tmp_path, 80, "write", "bad.csv", *arguments)
    *_, last = shown.splitlines()
    assert status == 1 and last.startswith("bulkwright: --operation upsert needs --find-by FIELD")


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("client list", "client_id"),
        ("user list", "user_id"),
        ("org list", "org_id"),
        ("token list", "token_id"),
        ("modules list", "api_name"),
        ("audit", "client_id"),
    ],
)
def test_no_list_cuts_an_id(run: Run, line: str, key: str) -> None:
    """In a pipe of any width; `--json` prints the same entries for other programs."""
    entries = json.loads(run(*line.split(), "--json", "--data", "d").stdout)
    shown = run(*line.split(), "--data", "d", COLUMNS="20").stdout.splitlines()[1:]
    assert entries and len(shown) == len(entries)
    for entry, row in zip(entries, shown, strict=True):
        assert (entry[key] or "") in [*row.split(), ""]


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize("line", ["modules list", "org list --json", "write --help"])
def test_a_reader_that_has_gone_is_no_error(tmp_path: Path, line: str) -> None:
    """As with `| head`: no message, and the status of a broken pipe."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "bulkwright", *line.split(), "--data=d"],
        cwd=tmp_path, stdout=theirs, stderr=subprocess.PIPE, check=False,
        env=clean_environment(PYTHONUNBUFFERED=""),
    )  # fmt: skip
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, b"")


COMPLETED = {
    "bash": "source ./script; COMP_WORDS=(bulkwright wri); COMP_CWORD=1; _bulkwright; "
    "echo ${COMPREPLY[@]}",
    "zsh": "autoload -Uz compinit; compinit -u -D; source ./script; "
    "print ${_comps[bulkwright]/_cyclopts_bulkwright/write}",
    "fish": "source ./script; complete -C 'bulkwright wri'",
}
"""How each shell shows that the script works. Zsh completes at a terminal only."""


@pytest.mark.parametrize("shell", COMPLETED)
def test_a_shell_completes_commands(run: Run, shell: str, tmp_path: Path) -> None:
    """The script knows commands and their options, and the shell uses it."""
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "bulkwright" in done.stdout and "find-by" in done.stdout
    (tmp_path / "script").write_text(done.stdout)
    if shutil.which(shell) is None:
        pytest.skip(f"NOT TESTED: {shell} is not installed")
    line = [shell, *(["-f"] if shell == "zsh" else []), "-c", COMPLETED[shell]]
    shown = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.split()[0] == "write", shown
