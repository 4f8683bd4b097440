"""`write` is stopped by a signal, or runs twice at once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.processes import clean_environment, processes_with, start, until
from tests.support.program import Run

LEADS = ("--module", "Leads", "--operation", "insert", "--data", "d")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_done(run: Run, tmp_path: Path, number: signal.Signals) -> None:
    """The output says how much; the same command continues, and every row is stored once."""
    count = 800_000
    (tmp_path / "f.csv").write_text("Last_Name\n" + "".join(f"n{i}\n" for i in range(count)))
    line = ("write", "f.csv", *LEADS)
    code = (
        "import os, sys\n"
        "from bulkwright.cli import main, report\n"
        "from bulkwright.events.events import ChunkCommitted\n"
        "counted = report.ReasonCounter.observe\n"
        "def observe(self, event):\n"
        "    counted(self, event)\n"
        "    if isinstance(event, ChunkCommitted):\n"
        "        report.ReasonCounter.observe = counted\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "report.ReasonCounter.observe = observe\n"
        "sys.argv = ['bulkwright', *sys.argv[1:]]\n"
        "main()\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *line],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = process.stderr
    assert process.returncode == 130, errors
    stopped = re.search(r"stopped. ([0-9,]+) rows of job ([0-9]+) are done and kept", errors)
    assert stopped is not None, errors
    assert 0 < int(stopped[1].replace(",", "")) < count
    again = run(*line)
    assert again.returncode == 0, again.stderr
    assert f"continuing job {stopped[2]}" in again.stdout
    assert f"added {count:,}" in again.stdout


@pytest.mark.parametrize("library", ["executemany", "collect"])
def test_ctrl_c_inside_of_a_library_ends_the_chunk(tmp_path: Path, library: str) -> None:
    """ADBC and Polars have handlers of their own for it. The command says what is kept."""
    count = 800_000
    (tmp_path / "f.csv").write_text("Last_Name\n" + "".join(f"n{i}\n" for i in range(count)))
    code = (
        "import os, signal, sys, threading, time, traceback\n"
        "def press():\n"
        "    names = set()\n"
        f"    while not {{'write_records', {library!r}}} <= names:\n"
        "        time.sleep(0.001)\n"
        "        frame = sys._current_frames()[threading.main_thread().ident]\n"
        "        names = {one.name for one in traceback.extract_stack(frame)}\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=press, daemon=True).start()\n"
        "sys.argv = ['bulkwright', *sys.argv[1:]]\n"
        "from bulkwright.cli import main; main()\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, "write", "f.csv", *LEADS],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    stopped = re.search(r"stopped. ([0-9,]+) rows of job ([0-9]+) are done", process.stderr)
    assert process.returncode == 130 and stopped is not None, process
    assert 0 < int(stopped[1].replace(",", "")) < count


def test_a_signal_before_the_first_row(tmp_path: Path) -> None:
    """One line, no traceback."""
    code = (
        "import os, signal\n"
        "from bulkwright.cli import write_task\n"
        "write_task.WriteTask.fingerprint = lambda self: os.kill(os.getpid(), signal.SIGINT)\n"
        "import sys; sys.argv = ['bulkwright', *sys.argv[1:]]\n"
        "from bulkwright.cli import main; main()\n"
    )
    (tmp_path / "f.csv").write_text("Last_Name\nBoyle\n")
    done = subprocess.run(
        [sys.executable, "-c", code, "write", "f.csv", *LEADS],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert done.stderr.splitlines() == [
        "bulkwright: stopped. What is stored is kept; the same command continues where it stopped."
    ]


def test_two_equal_commands_at_once_are_one_job(run: Run, tmp_path: Path) -> None:
    """The rows are stored once, and both report the same job."""
    (tmp_path / "f.csv").write_text("Last_Name\n" + "".join(f"n{i}\n" for i in range(20_000)))
    line = ("write", "f.csv", *LEADS)
    assert run("write", "f.csv", *LEADS, "--dry-run").returncode == 0
    both = [start(*line, cwd=tmp_path, env=clean_environment()) for _ in range(2)]
    ended = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    jobs = {re.findall(r"^job ([0-9]+)", output, re.MULTILINE)[0] for output, _ in ended}
    listed = run("jobs", "list", "--data", "d")
    assert len(re.findall("COMPLETED", listed.stdout)) == len(jobs), listed.stderr
    if len(jobs) == 2:  # one of them began after the other had ended, and says so
        assert any("an equal file was written into Leads before" in out for out, _ in ended)


def test_a_dry_run_names_no_job(run: Run, tmp_path: Path) -> None:
    """The job that is created later has the next id."""
    (tmp_path / "f.csv").write_text("Last_Name,Email\nBoyle,none\n")
    dry = run("write", "f.csv", *LEADS, "--dry-run")
    assert dry.returncode == 3
    assert not re.search("[0-9]{15}", dry.stdout)
    assert "INVALID_DATA  Email" in dry.stdout and "nothing was stored" in dry.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "command", [("intercept", "--", "true"), ("emulator", "run", "--", "true"), ("demo",)]
)
def test_a_server_that_is_starting_ends_too(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    """Its folder is deleted."""
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("these tests were started by nohup: every program that they start ignores it")
    with start(*command, env=clean_environment(TMPDIR=str(tmp_path)), cwd=tmp_path) as process:
        assert until(lambda: [*tmp_path.glob("bulkwright-*/*")])
        process.send_signal(number)
        assert process.wait(60) == 128 + number, process.communicate()
    assert [path.name for path in tmp_path.iterdir()] == []
    assert processes_with(str(tmp_path)) == []


def test_signals_reach_the_command_of_emulator_run(tmp_path: Path) -> None:
    """It ends as it wants to, and the server after it."""
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    line = ("emulator", "run", "--", sys.executable, "-c", code)
    with start(*line, env=clean_environment(TMPDIR=str(tmp_path)), cwd=tmp_path) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 7
    assert [path.name for path in tmp_path.iterdir()] == []
