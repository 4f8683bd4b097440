"""The pytest plugin, as a project uses it: in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.processes import processes_with, until

OTHERS_OFF = ("-p", "no:randomly", "-p", "no:schemathesis", "-p", "no:cacheprovider")
PYTEST = (sys.executable, "-m", "pytest", "-q", *OTHERS_OFF)

STATE = """
def test_one(bulkwright_server):
    assert bulkwright_server.records("Leads") == []
    (record,) = bulkwright_server.seed("Leads", [{"Last_Name": "Boyle", "Annual_Revenue": 12.5}])
    (found,) = bulkwright_server.records("Leads")
    assert (found["id"], found["Last_Name"], found["Annual_Revenue"]) == (record, "Boyle", 12.5)
    bulkwright_server.clock.freeze("2031-05-06T12:00:00+00:00")
    bulkwright_server.pace("held", at="ADDED")


def test_two(bulkwright_server):
    assert bulkwright_server.records("Leads") == []
    assert bulkwright_server.requests() == []
    assert bulkwright_server.clock.now.year < 2031
    assert bulkwright_server.jobs() == []
"""


def run(folder: Path, text: str, *options: str, ini: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a file of tests with the plugin."""
    write(folder, text, ini)
    command = [*PYTEST, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def write(folder: Path, text: str, ini: str = "") -> None:
    """Writes a project: a file of tests, and its settings of pytest."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")


def test_each_test_begins_with_the_state_at_the_start(tmp_path: Path) -> None:
    """Whatever the test before has left."""
    done = run(tmp_path, STATE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_every_process_of_xdist_has_its_server(tmp_path: Path) -> None:
    """On a port of its own."""
    text = """
import os
from pathlib import Path

def test_one(bulkwright_server):
    Path(os.environ["PYTEST_XDIST_WORKER"]).write_text(bulkwright_server.base_url)
    bulkwright_server.seed("Leads", [{"Last_Name": "One"}])
    assert len(bulkwright_server.records("Leads")) == 1

test_two = test_one
"""
    done = run(tmp_path, text, "-p", "xdist", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len({path.read_text() for path in tmp_path.glob("gw*")}) == 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")], ids=["one", "xdist"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_server(
    tmp_path: Path, number: signal.Signals, options: tuple[str, ...]
) -> None:
    """Nor its workers. The project may start a server of its own, too."""
    text = """
import time
from pathlib import Path
from bulkwright.testing import temporary_server

def test_it(bulkwright_server):
    with temporary_server() as own:
        own.seed("Leads", [{"Last_Name": "Boyle"}])
        assert bulkwright_server.records("Leads") == []
        Path("ready").touch()
        time.sleep(60)
"""
    write(tmp_path, text)
    line = [*PYTEST, *options, f"--basetemp={tmp_path / 'base'}"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=-3, stderr=-3) as process:
        assert until((tmp_path / "ready").exists)
        assert len(processes_with(str(tmp_path))) >= 2
        process.send_signal(number)
    assert until(lambda: processes_with(str(tmp_path)) == [])


def test_the_session_may_prepare_the_state_of_each_test(tmp_path: Path) -> None:
    """By a folder of records, and by a fixture."""
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "Leads.csv").write_text("Last_Name,Email\nBoyle,boyle@x.example\n")
    (seed / "02-Contacts.json").write_text('[{"Last_Name": "Kay"}]')
    text = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def prepared(bulkwright_session):
    bulkwright_session.seed("Accounts", [{"Account_Name": "Zylker"}])
    bulkwright_session.take_baseline()

@pytest.mark.parametrize("number", [1, 2])
def test_it(bulkwright_server, number):
    assert [r["Email"] for r in bulkwright_server.records("Leads")] == ["boyle@x.example"]
    assert [r["Last_Name"] for r in bulkwright_server.records("Contacts")] == ["Kay"]
    assert len(bulkwright_server.records("Accounts")) == 1
    bulkwright_server.seed("Leads", [{"Last_Name": "Gone"}])
"""
    done = run(tmp_path, text, ini="bulkwright_seed = seed")
    assert done.returncode == 0, done.stdout + done.stderr


def test_options_of_the_server_come_from_the_settings_of_pytest(tmp_path: Path) -> None:
    """As `bulkwright serve` takes them."""
    text = """
def test_it(bulkwright_server):
    assert "--layout-mandatory" in bulkwright_server._command
"""
    done = run(tmp_path, text, ini="bulkwright_options = --layout-mandatory --profile service")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_imports_nothing_before_its_first_test(tmp_path: Path) -> None:
    """pytest imports it in every run, also where no test uses it."""
    text = """
import sys

HEAVY = ("bulkwright.testing.emulator", "http.client", "httpx2", "polars", "msgspec", "granian")

def test_it():
    assert [name for name in HEAVY if name in sys.modules] == []
    assert len([name for name in sys.modules if name.startswith("bulkwright")]) == 4
"""
    done = run(tmp_path, text)
    assert done.returncode == 0, done.stdout + done.stderr
