"""What commands print at a terminal, and to a reader that has gone."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
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
    for columns, wanted in ((200, True), (70, False)):
        status, shown = at_terminal(tmp_path, columns, "jobs", "list", "--data", "d")
        title, row, *_ = shown.splitlines()
        assert status == 0 and re.match(r"[0-9]{15,} +COMPLETED", row)
        assert ("File" in title, good.name in row) == (wanted, wanted)


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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(run: Run, shell: str) -> None:
    """The script knows commands and their options."""
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "bulkwright" in done.stdout and "find-by" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)
