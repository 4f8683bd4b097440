"""A server that is killed during a bulk read: the next one reads again, and nothing is doubled."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.served import Served, leads

ROWS = 25_000


def begun(served: Served, callback: str) -> str:
    """The id of a new bulk read of all leads."""
    body = {"query": {"module": "Leads"}, "callback": {"url": callback, "method": "post"}}
    answer = served.http.post("/crm/bulk/v2/read", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"][0]["details"]["id"])


def killed_while_reading(served: Served, data: Path, callback: str) -> str:
    """The id of a bulk read that the kill of its server interrupted."""
    for _ in range(10):
        job = begun(served, callback)
        parts = data / "files" / "parts" / job
        assert until(lambda: parts.exists() and any(parts.iterdir()), pause=0.001)  # noqa: B023
        served.kill()
        with closing(sqlite3.connect(data / "bulkwright.sqlite")) as database:
            if database.execute("SELECT status FROM jobs WHERE id = ?", [job]).fetchone() == (
                "INPROGRESS",
            ):
                found = database.execute("SELECT 1 FROM ledger WHERE job_id = ?", [job])
                assert found.fetchall() == []
                return job
        served.start()
    raise AssertionError("each read ended before its server was killed")


@pytest.mark.slow
def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Every record is in the CSV once, no part stays, and the callback is sent."""
    data = tmp_path / "data"
    served = Served(data)
    served.start()
    served.ended(served.begin(leads(ROWS)))
    with Receiver() as receiver:
        job = killed_while_reading(served, data, receiver.url)
        with served:
            path = f"/crm/bulk/v2/read/{job}"
            assert until(lambda: state(served, path) == "COMPLETED", 200)
            assert until(lambda: job in letters(receiver)), "no callback"
            assert letters(receiver)[job] == served.http.get(path).content
            parts = data / "files" / "parts" / job
            assert until(lambda: not parts.exists() or not any(parts.iterdir())), "parts stay"
            answer = served.http.get(f"{path}/result")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        text = archive.read(f"{job}.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    ids = [int(row["id"]) for row in rows]
    assert ids == sorted(set(ids)) and len({row["Email"] for row in rows}) == ROWS == len(rows)


def state(served: Served, path: str) -> str:
    """The state of a bulk read."""
    found: dict[str, Any] = served.http.get(path).json()["data"][0]
    return str(found["state"])


def letters(receiver: Receiver) -> dict[str, bytes]:
    """The callbacks that arrived, by job."""
    return {json.loads(one.body)["data"][0]["id"]: one.body for one in receiver.letters}
