"""Callbacks of a server in its own process, which is killed at the worst moments."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
from tests.support.receivers import Receiver, answer, hang, later
from tests.support.uploads import zipped

from bulkwright.testing import ServerProcess


def client_of(served: ServerProcess) -> httpx2.Client:
    """A client with the token of the development user."""
    return httpx2.Client(base_url=served.base_url, headers=served.headers, timeout=20)


def new_job(served: ServerProcess, client: httpx2.Client, url: str) -> str:
    """Creates a job with a callback to `url`; returns its id."""
    sent = client.post(
        "/crm/v2/upload",
        headers={"feature": "bulk-write", "X-CRM-ORG": served.org_id},
        files={"file": ("leads.csv.zip", zipped())},
    )
    resource = {"type": "data", "module": "Leads", "file_id": sent.json()["details"]["file_id"]}
    body = {
        "operation": "insert",
        "callback": {"url": url, "method": "post"},
        "resource": [resource],
    }
    made = client.post("/crm/bulk/v3/write", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["details"]["id"])


def wait_for(receiver: Receiver, count: int) -> None:
    """Waits until `count` requests have arrived."""
    deadline = time.monotonic() + 15
    while len(receiver.letters) < count:
        assert time.monotonic() < deadline, "no callback"
        time.sleep(0.01)


def test_killed_between_sending_and_recording(tmp_path: Path) -> None:
    """The request is sent, the server is killed before the response: it is sent again."""
    with Receiver(hang, answer(200)) as receiver:
        served = ServerProcess(tmp_path / "data")
        served.start()
        with client_of(served) as client:
            job = new_job(served, client, receiver.url)
            wait_for(receiver, 1)
        served.kill()
        with served, client_of(served) as client:
            wait_for(receiver, 2)
            details = client.get(f"/crm/bulk/v3/write/{job}")
        said = served.log
    one, two = receiver.letters
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body == details.content
    assert details.json()["status"] == "COMPLETED"
    assert f"job {job}: callback to 127.0.0.1:{receiver.port} delivered, attempt 2" in said
    assert "s3cret" not in said


def test_a_slow_receiver_delays_nothing_else(tmp_path: Path) -> None:
    """While a callback hangs, jobs continue, the API answers, and a stop does not wait."""
    with (
        Receiver(later(answer(200), 20.0)) as receiver,
        ServerProcess(tmp_path / "data") as served,
    ):
        with client_of(served) as client:
            for _ in range(3):
                job = new_job(served, client, receiver.url)
                begun = time.monotonic()
                while client.get(f"/crm/bulk/v3/write/{job}").json()["status"] != "COMPLETED":
                    assert time.monotonic() - begun < 5
                    time.sleep(0.01)
            wait_for(receiver, 1)
        begun = time.monotonic()
        served.stop()
        assert time.monotonic() - begun < 8


def test_an_invalid_entry_of_the_allow_list_is_rejected(tmp_path: Path) -> None:
    """An error in --callback-allow ends the start with one line that names it."""
    served = ServerProcess(tmp_path / "data", "--callback-allow", "everything")
    served.spawn()
    assert served.wait(20) == 1
    last = served.log.strip().splitlines()[-1]
    assert last.endswith("--callback-allow: 'everything' is not host:port.")
