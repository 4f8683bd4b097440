"""The commands `bulkwright emulator ...`: the controls for a shell and for other languages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.emulator.conftest import Emulated
from tests.support.program import program, refused

pytestmark = pytest.mark.parametrize("emulated", ["sqlite"], indirect=True)
"""The controls themselves are tested on each store."""


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> None:
    """Each test begins with the state at the start."""
    assert emulated.control("POST", "/reset").status_code == 204


def say(emulated: Emulated, folder: Path, *words: object) -> str:
    """Runs a command on the folder of the server; returns what it prints."""
    done = program(folder, "emulator", *words, "--data", emulated.data)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_records_are_seeded_and_reset(emulated: Emulated, tmp_path: Path) -> None:
    """To the state at the start, or to one that was named."""
    (tmp_path / "leads.csv").write_text("Last_Name\nBoyle\nKay\n")
    assert "added 2 records" in say(emulated, tmp_path, "seed", "Leads", "leads.csv")
    assert len(emulated.http.get("/crm/v2/Leads").json()["data"]) == 2
    say(emulated, tmp_path, "reset")
    assert emulated.http.get("/crm/v2/Leads").status_code == 204


def test_a_snapshot_is_saved_and_restored(emulated: Emulated, tmp_path: Path) -> None:
    """The credentials file has what opens the restored state."""
    (tmp_path / "leads.json").write_text('[{"Last_Name": "Boyle"}]')
    say(emulated, tmp_path, "seed", "Leads", "leads.json")
    say(emulated, tmp_path, "snapshot", "state.zip")
    say(emulated, tmp_path, "reset")
    try:
        say(emulated, tmp_path, "restore", "state.zip")
        emulated.authorize(emulated.access_token, emulated.org)
        assert len(emulated.http.get("/crm/v2/Leads").json()["data"]) == 1
    finally:
        say(emulated, tmp_path, "reset")
        emulated.authorize(emulated.access_token, emulated.org)


def test_clock_and_pace_are_shown_and_changed(emulated: Emulated, tmp_path: Path) -> None:
    """In the words of the controls."""
    said = say(emulated, tmp_path, "clock", "--set", "2031-05-06T12:00:00+00:00", "--frozen")
    assert "2031-05-06T12:00:00.000+00:00, and stands" in said
    assert "2031-05-06T14:00:00" in say(emulated, tmp_path, "clock", "--move", "2h")
    assert "stands" not in say(emulated, tmp_path, "clock", "--running")
    assert "2031" in say(emulated, tmp_path, "clock")
    assert "2031" not in say(emulated, tmp_path, "clock", "--real")
    assert "polls 2" in say(emulated, tmp_path, "pace", "polls", "--polls", 2)
    assert "held at ADDED" in say(emulated, tmp_path, "pace", "held", "--at", "ADDED")
    assert "real" in say(emulated, tmp_path, "pace", "real")


def test_requests_are_listed_and_saved(emulated: Emulated, tmp_path: Path) -> None:
    """As a table, as JSON, as a HAR."""
    emulated.http.get("/crm/v2/Leads")
    emulated.http.get("/crm/v8/settings/pipeline")
    assert "/crm/v8/settings/pipeline" in say(emulated, tmp_path, "requests", "--not-implemented")
    found = json.loads(say(emulated, tmp_path, "requests", "--status", "2xx", "--json"))
    assert [one["path"] for one in found] == ["/crm/v2/Leads"]
    say(emulated, tmp_path, "requests", "--har", "log.har")
    assert len(json.loads((tmp_path / "log.har").read_text())["log"]["entries"]) == 2


def test_another_org_is_made(emulated: Emulated, tmp_path: Path) -> None:
    """Its credentials are shown, one a line or as JSON."""
    assert "refresh_token" in say(emulated, tmp_path, "org", "Third")
    made = json.loads(say(emulated, tmp_path, "org", "Second", "--json"))
    headers = {"Authorization": f"Bearer {made['access_token']}"}
    org = emulated.http.get("/crm/v2/org", headers=headers).json()["org"][0]
    assert org["company_name"] == "Second"


def test_other_programs_read_json(emulated: Emulated, tmp_path: Path) -> None:
    """The answers of the controls; of what has no answer, what was done."""

    def value(*words: object) -> Any:
        return json.loads(say(emulated, tmp_path, *words, "--json"))

    (tmp_path / "leads.csv").write_text("Last_Name\nBoyle\n")
    seeded = value("seed", "Leads", "leads.csv")
    (record,) = emulated.http.get("/crm/v2/Leads").json()["data"]
    assert seeded == {"module": "Leads", "added": 1, "ids": [record["id"]]}
    clock = value("clock", "--set", "2031-05-06T12:00:00+00:00", "--frozen")
    assert (clock["now"], clock["frozen"]) == ("2031-05-06T12:00:00.000+00:00", True)
    assert value("pace", "polls", "--polls", 2)["polls"] == 2
    assert value("requests", "--har", "log.har") == {"file": "log.har"}
    fault = value("faults", "add", "unavailable", "--nth", 3)
    assert (fault["id"], fault["nth"], fault["fired"]) == ("1", 3, 0)
    assert value("faults", "clear", "1") == {"removed": "1"}
    assert value("faults", "clear") == {"removed": "all"}
    assert value("credits", "--credits", 9)["credits"] == 9
    assert value("credits", "--off")["counted"] is False
    try:
        assert value("snapshot", "state.zip") == {"file": "state.zip"}
        assert value("restore", "state.zip") == {"file": "state.zip"}
    finally:
        assert value("reset") == {"reset": True}
        emulated.authorize(emulated.access_token, emulated.org)
    assert value("baseline") == {"baseline": True}


def test_what_cannot_be_done_is_one_line(emulated: Emulated, tmp_path: Path) -> None:
    """Without a server, and where the server rejects it."""
    assert "serve --dev" in refused(program(tmp_path, "emulator", "reset", "--data", "none"))
    (tmp_path / "leads.csv").write_text("Company\nZylker\n")
    words = ("emulator", "seed", "Leads", "leads.csv", "--data", emulated.data)
    assert "MANDATORY_NOT_FOUND" in refused(program(tmp_path, *words))


def test_a_command_runs_with_a_server_of_its_own(tmp_path: Path) -> None:
    """Its variables say where the server is; its exit status is that of the command."""
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "Leads.csv").write_text("Last_Name\nBoyle\n")
    (tmp_path / "it.py").write_text(
        "import os, sys, json, urllib.request\n"
        "url = os.environ['BULKWRIGHT_URL'] + '/crm/v2/Leads'\n"
        "token = 'Bearer ' + os.environ['BULKWRIGHT_TOKEN']\n"
        "asked = urllib.request.Request(url, headers={'Authorization': token})\n"
        "print(json.load(urllib.request.urlopen(asked))['data'][0]['Last_Name'])\n"
        "sys.exit(7)\n"
    )
    words = ("emulator", "run", "--seed", "seed", "--", sys.executable, "it.py")
    done = program(tmp_path, *words)
    assert (done.returncode, done.stdout) == (7, "Boyle\n"), done.stderr
