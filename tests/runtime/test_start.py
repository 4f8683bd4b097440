"""What a process imports before it has anything to do: a start must stay short."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.processes import clean_environment, until

LATE = (
    "bulkwright.client",
    "bulkwright.description",
    "bulkwright.domain.criteria",
    "bulkwright.domain.record_write",
    "bulkwright.domain.value_rules",
    "bulkwright.formats",
    "bulkwright.pipeline",
    "bulkwright.ports",
    "bulkwright.service.coql",
    "bulkwright.service.jobs",
    "bulkwright.service.passwords",
    "bulkwright.service.record",
    "bulkwright.service.setup",
    "bulkwright.service.signin",
    "bulkwright.service.uploads",
    "bulkwright.store.claims",
    "bulkwright.store.criteria_sql",
    "bulkwright.store.record",
    "bulkwright.testing",
    "bulkwright.zoho.handlers",
    "bulkwright.zoho.oauth.",
    "bulkwright.zoho.parse",
    "rich",
)
"""The beginnings of the names of modules that no server needs before its first request."""
SOON = {
    "bulkwright.formats.csv.blocks",
    "bulkwright.service.record_call",
    "bulkwright.zoho.oauth.visitor",
    "bulkwright.zoho.parse.criteria",
    "bulkwright.zoho.parse.jobs",
    "bulkwright.zoho.parse.records",
}
"""Some of those that a server imports soon after its start. (The report has no line for a module
that a function imports by its name, only for what that module imports.)"""


def command(*arguments: object) -> list[str]:
    """The program; on stderr it reports each module that it imports."""
    return [sys.executable, "-X", "importtime", "-m", "bulkwright", *map(str, arguments)]


def imported(report: str) -> set[str]:
    """The modules in such a report."""
    return set(re.findall(r"^import time:.*\| +([\w.]+)$", report, re.MULTILINE))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The imports of a server on a folder that was served before: until ready, and soon after."""
    folder = tmp_path_factory.mktemp("served")
    serve = command("serve", "--dev", "--data", folder / "d", "--port", 0, "--workers", 0)
    path = folder / "stderr"
    for _ in range(2):
        with path.open("w") as stderr:
            process = subprocess.Popen(
                serve, stdout=subprocess.PIPE, stderr=stderr, env=clean_environment(), text=True
            )
        with process:
            assert process.stdout is not None and process.stdout.readline().startswith("ready")
            first = imported(path.read_text())
            complete = until(lambda: imported(path.read_text()) >= SOON)
            process.send_signal(signal.SIGTERM)
        assert (process.returncode, complete) == (0, True)
    return first, imported(path.read_text())


def test_a_server_starts_without_what_it_does_not_need(served: tuple[set[str], set[str]]) -> None:
    """Each module costs a millisecond or more, before anything is served."""
    first, _ = served
    assert "bulkwright.zoho.routes" in first
    assert [name for name in sorted(first) if name.startswith(LATE)] == []


def test_a_server_imports_the_rest_soon_after(served: tuple[set[str], set[str]]) -> None:
    """So that no client waits for it. What only operators use is never imported."""
    _, soon = served
    assert soon >= SOON
    assert soon.isdisjoint({"bulkwright.service.administration", "polars", "rich"})


@pytest.mark.parametrize(
    ("arguments", "late"),
    [
        (("--version",), ("bulkwright.domain", "bulkwright.store", "bulkwright.settings")),
        (
            ("org", "list", "--data", "d"),
            ("bulkwright.formats", "bulkwright.zoho"),
        ),
    ],
)
def test_a_command_imports_what_it_needs(
    tmp_path: Path, arguments: tuple[str, ...], late: tuple[str, ...]
) -> None:
    """The version needs no database, and a list of orgs no reader of files."""
    if "d" in arguments:
        made = ("init", "--company", "Zylker", "--email", "p@x.example", "--data", "d")
        subprocess.run(command(*made), cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        command(*arguments), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = imported(done.stderr)
    assert "bulkwright.cli" in found
    assert [name for name in sorted(found) if name.startswith(late)] == []


def test_a_write_into_a_data_folder_imports_no_http_client(tmp_path: Path) -> None:
    """It makes no request; the client of the API took a tenth of its start."""
    (tmp_path / "leads.csv").write_text("Last_Name\nBoyle\n")
    write = command("write", "leads.csv", "--module", "Leads", "--operation", "insert")
    done = subprocess.run(
        [*write, "--data", "d"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    modules = imported(done.stderr)
    assert "bulkwright.pipeline.run" in modules
    late = ("bulkwright.client", "httpx2", "bulkwright.zoho", "bulkwright.web", "granian")
    assert [name for name in modules if name.startswith(late)] == []
