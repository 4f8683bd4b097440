"""`run.py`: what it starts works in the user's folder and gets the user's signals."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.processes import clean_environment

ROOT = Path(__file__).parents[2]
CODE = "import run, sys; run.set_up = lambda kind: None; sys.exit(run.main())"
"""The script without its installation."""

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv" / "bin" / "bulkwright").is_file(), reason="there is no .venv beside run.py"
)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `python3 run.py` with these arguments in a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        cwd=folder,
        env=clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_paths_mean_where_the_user_stands(tmp_path: Path) -> None:
    """And the exit status is that of the program."""
    with start(tmp_path, "bulkwright", "jobs", "list", "--data", "nowhere") as process:
        assert "nowhere is not a Bulkwright data folder" in process.communicate()[1]
    assert process.returncode == 1
    (tmp_path / "f.csv").write_text("Last_Name\nBoyle\n")
    line = ("write", "f.csv", "--module", "Leads", "--operation", "insert", "--data", "D")
    with start(tmp_path, "bulkwright", *line) as process:
        assert "added 1" in process.communicate()[0]
    assert (tmp_path / "D" / "bulkwright.sqlite").is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    """Not only the script: nothing listens on the port any more."""
    with start(tmp_path, "bulkwright", "serve", "--dev", "--data", "D", "--port", "0") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        assert process.stdout.readline() == "credentials: D/dev-credentials.json\n"
        assert process.stdout.readline() == f"console: {url}/\n"
        assert process.stdout.readline() == f"endpoints: {url}/docs\n"
        process.send_signal(number)
        process.communicate(timeout=300)
    assert process.returncode == 0
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0
