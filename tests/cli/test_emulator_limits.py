"""`bulkwright emulator faults` and `bulkwright emulator credits`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.support.program import Run, refused
from tests.support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of `serve --dev`."""
    with Served(tmp_path_factory.mktemp("emulator") / "data") as running:
        yield running


def test_fault_rules(run: Run, served: Served) -> None:
    """Added, listed with what they have done, and removed."""
    data = ("--data", str(served.data))
    rule = ("--path", "/crm/*/org", "--nth", "2", "--method", "GET")
    added = run("emulator", "faults", "add", "unavailable", *rule, *data)
    assert (added.returncode, added.stdout) == (0, "fault rule 1: unavailable\n"), added.stderr
    assert [served.http.get("/crm/v8/org").status_code for _ in range(3)] == [200, 503, 200]
    (shown,) = json.loads(run("emulator", "faults", "list", "--json", *data).stdout)
    assert (shown["matched"], shown["fired"], shown["times"]) == (3, 1, 1)
    assert "unavailable  GET" in run("emulator", "faults", "list", *data).stdout
    wrong = run("emulator", "faults", "add", "slow_body", *data)
    assert "needs `time`" in refused(wrong)
    assert run("emulator", "faults", "clear", "1", *data).returncode == 0
    assert run("emulator", "faults", "clear", *data).returncode == 0
    assert run("emulator", "faults", "list", *data).stdout == "none\n"


def test_credits(run: Run, served: Served) -> None:
    """Counted by an edition or a number, and no longer."""
    data = ("--data", str(served.data))
    assert run("emulator", "credits", *data).stdout == "nothing is counted\n"
    shown = run("emulator", "credits", "--edition", "enterprise", "--users", "10", *data)
    assert shown.stdout.startswith("credits 60,000, at_once ")
    run("emulator", "credits", "--credits", "1", *data)
    assert [served.http.get("/crm/v8/org").status_code for _ in range(2)] == [200, 429]
    spent = run("emulator", "credits", *data).stdout
    assert spent.startswith("credits 1, at_once ")
    assert spent.endswith(f"; org {served.org} has 0 left\n")
    off = run("emulator", "credits", "--off", "--json", *data)
    assert json.loads(off.stdout)["counted"] is False
    assert served.http.get("/crm/v8/org").status_code == 200
