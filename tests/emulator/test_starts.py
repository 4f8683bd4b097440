"""What the start of a server decides: whether it has controls, and what a reset restores."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.served import Served, leads


def test_a_server_without_dev_has_no_controls(tmp_path: Path) -> None:
    """It answers as for any path that does not exist."""
    with Served(tmp_path / "data", dev=False) as served:
        for path in ("", "/requests", "/reset"):
            answer = served.http.get(f"/api/v1/emulator{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_PATH"), path
            assert served.http.post(f"/api/v1/emulator{path}").status_code == 404


def test_a_second_start_resets_to_what_it_found(tmp_path: Path) -> None:
    """What a folder held when its server started is kept."""
    with Emulated(tmp_path / "data") as first:
        first.http.post("/crm/v2/Leads", json={"data": [{"Last_Name": "Kept"}]})
        job = first.begin(leads(2))
        first.ended(job)
    with Emulated(tmp_path / "data") as second:
        url = second.details(job)["result"]["download_url"]
        second.http.post("/crm/v2/Leads", json={"data": [{"Last_Name": "Gone"}]})
        second.control("PUT", "/clock", json={"move": "30d"})  # deletes the result
        assert second.control("POST", "/reset").status_code == 204
        assert len(second.http.get("/crm/v2/Leads").json()["data"]) == 3
        assert second.http.get(url).status_code == 200


def test_the_token_of_the_credentials_file_does_not_expire_between_tests(tmp_path: Path) -> None:
    """A reset renews it, however long ago the server was started."""
    with Emulated(tmp_path / "data") as emulated:
        # The sweep at the start would delete an expired token.
        assert until(lambda: "deleted: " in emulated.log)
        with closing(sqlite3.connect(emulated.data / "bulkwright.sqlite", timeout=10)) as database:
            database.execute("UPDATE tokens SET expires_time = 1 WHERE kind = 'access'")
            database.commit()
        assert emulated.http.get("/crm/v2/org").status_code == 401
        assert emulated.control("POST", "/baseline").status_code == 204
        assert emulated.control("POST", "/reset").status_code == 204
        assert emulated.http.get("/crm/v2/org").status_code == 200
