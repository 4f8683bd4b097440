"""Snapshots between servers of one kind, on each store."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from tests.support.postgres import Server
from tests.support.processes import until
from tests.support.uploads import zipped

from bulkwright.testing import BulkwrightServer, ControlFailed
from bulkwright.testing.emulator import isolated_server

Start = Callable[[], BulkwrightServer]
PARTS = {
    "modules": [
        {"api_name": "Parts", "fields": [{"api_name": "Name", "data_type": "text"}]},
        {"api_name": "Leads", "fields": [{"api_name": "Shoe_Size", "data_type": "integer"}]},
    ]
}


@pytest.fixture(params=["sqlite", "postgres"])
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Starts a server on a store of its own."""
    postgres: Server | None = None
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
    with ExitStack() as stack:

        def start() -> BulkwrightServer:
            options = () if postgres is None else ("--database", postgres.database())
            data = tmp_path / f"server{len([*tmp_path.glob('server*.log')])}"
            return stack.enter_context(isolated_server(data, *options))

        yield start


def call(server: BulkwrightServer, method: str, path: str, **more: object) -> httpx2.Response:
    """Calls the API as the development user."""
    return httpx2.request(
        method, server.base_url + path, headers=server.headers, verify=False, timeout=60,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def write(server: BulkwrightServer, text: str) -> str:
    """The id of a job that has ended: an upsert of leads by their e-mail."""
    headers = {**server.headers, "feature": "bulk-write", "X-CRM-ORG": server.org_id}
    sent = httpx2.post(
        f"{server.base_url}/crm/v8/upload", headers=headers, verify=False, timeout=60,
        files={"file": ("leads.zip", zipped(text))},
    ).json()  # fmt: skip
    resource = {
        "type": "data", "module": {"api_name": "Leads"}, "file_id": sent["details"]["file_id"],
        "find_by": "Email",
    }  # fmt: skip
    body = {"operation": "upsert", "resource": [resource]}
    job = str(call(server, "POST", "/crm/bulk/v8/write", json=body).json()["details"]["id"])
    assert until(lambda: call(server, "GET", f"/crm/bulk/v8/write/{job}").json()["status"] in
                 ("COMPLETED", "FAILED"))  # fmt: skip
    return job


def apply_modules(server: BulkwrightServer, folder: Path) -> None:
    """Adds a module, and a field to another one."""
    (folder / "parts.json").write_text(json.dumps(PARTS))
    place = [*server._command[server._command.index("--data") :][:2]]
    if "--database" in server._command:
        place += server._command[server._command.index("--database") :][:2]
    line = [sys.executable, "-m", "bulkwright", "modules", "apply", str(folder / "parts.json"),
            *place]  # fmt: skip
    subprocess.run(line, check=True, capture_output=True)


def test_the_whole_state_moves_to_another_server(begun: Start, tmp_path: Path) -> None:
    """Modules, records, jobs, files, and what an undo needs. A reset restores the state there."""
    one, other = begun(), begun()
    other.seed("Leads", [{"Last_Name": "Own"}])
    other.take_baseline()
    apply_modules(one, tmp_path)
    write(one, "Last_Name,Email,Shoe_Size\nBoyle,b@x.example,44\n")
    job = write(one, "Last_Name,Email,Shoe_Size\nKay,b@x.example,45\n")
    one.seed("Parts", [{"Name": "Screw"}])
    records, details = one.records("Leads"), call(one, "GET", f"/crm/bulk/v8/write/{job}").json()
    one.save_snapshot(tmp_path / "state.zip")

    other.load_snapshot(tmp_path / "state.zip")
    assert other.records("Leads") == records
    assert [part["Name"] for part in other.records("Parts")] == ["Screw"]
    assert call(other, "GET", f"/crm/bulk/v8/write/{job}").json() == details
    assert call(other, "GET", details["result"]["download_url"]).status_code == 200
    made = call(other, "POST", f"/api/v1/jobs/{job}/undo")
    assert made.status_code in (201, 202), made.text
    assert until(lambda: [lead["Shoe_Size"] for lead in other.records("Leads")] == [44])
    (new,) = other.seed("Leads", [{"Last_Name": "New"}])
    assert new not in {record["id"] for record in records}
    write(other, "Last_Name,Email,Shoe_Size\nMore,m@x.example,40\n")
    assert len(other.records("Leads")) == 3
    other.reset()
    assert [lead["Last_Name"] for lead in other.records("Leads")] == ["Own"]
    write(other, "Last_Name,Email\nMore,m@x.example\n")
    assert len(other.records("Leads")) == 2
    with pytest.raises(ControlFailed, match="INVALID_MODULE"):
        other.records("Parts")
    one.load_snapshot(tmp_path / "state.zip")
    assert one.records("Leads") == records


def test_a_snapshot_that_cannot_be_used_changes_nothing(begun: Start, tmp_path: Path) -> None:
    """Of another database, of another store, or of another version."""
    server = begun()
    server.seed("Leads", [{"Last_Name": "Boyle"}])
    server.save_snapshot(tmp_path / "state.zip")
    with zipfile.ZipFile(tmp_path / "state.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    known = json.loads(members["dev-credentials.json"])
    foreign = {"dev-credentials.json": json.dumps(known | {"client_id": "1000.NONE"}).encode()}
    changes = [foreign, {"database": b"SQLite format 3\0" + bytes(5000)}, {"database": b"x"},
               {"database": zipped("a\n")}, {"database": b""}]  # fmt: skip
    for changed in changes:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for name, content in (members | changed).items():
                archive.writestr(name, content)
        with pytest.raises(ControlFailed, match="INVALID_SNAPSHOT"):
            server.load_snapshot(tmp_path / "x.zip")
        assert len(server.records("Leads")) == 1
