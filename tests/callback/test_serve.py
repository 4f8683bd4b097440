"""Callbacks of a real server: its own process, killed when it hurts most."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from tests.callback.receivers import Receiver, answer, hang, later
from tests.conftest import zipped


class Served:
    """`bulkwright serve` on a folder, in a process group of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        self._data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bulkwright", "serve", "--data", str(data), "--port", "0",
             *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def ready(self) -> httpx2.Client:
        """A client with a token, once the server answers."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.process.communicate()
        known = json.loads((self._data / "dev-credentials.json").read_text())
        headers = {"Authorization": f"Zoho-oauthtoken {known['access_token']}"}
        self.org_id = str(known["org_id"])
        return httpx2.Client(base_url=line.split()[1], headers=headers, timeout=20)

    def job(self, client: httpx2.Client, url: str) -> str:
        """A new job with a callback."""
        sent = client.post(
            "/crm/v2/upload",
            headers={"feature": "bulk-write", "X-CRM-ORG": self.org_id},
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

    def kill(self) -> None:
        """kill -9, its workers too."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)

    def stop(self) -> str:
        """SIGTERM; what it had to say on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        return said


def wait_for(receiver: Receiver, count: int) -> None:
    """Wait until so many letters have arrived."""
    deadline = time.monotonic() + 15
    while len(receiver.letters) < count:
        assert time.monotonic() < deadline, "no callback"
        time.sleep(0.01)


def test_killed_between_sending_and_noting_it(tmp_path: Path) -> None:
    """K78: the letter is out, the server is killed before the answer: it is sent again, alike."""
    with Receiver(hang, answer(200)) as receiver:
        first = Served(tmp_path / "data", "--dev")
        with first.ready() as client:
            job = first.job(client, receiver.url)
            wait_for(receiver, 1)
        first.kill()
        second = Served(tmp_path / "data", "--dev")
        with second.ready() as client:
            wait_for(receiver, 2)
            details = client.get(f"/crm/bulk/v3/write/{job}")
        said = second.stop()
    one, two = receiver.letters
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body == details.content
    assert details.json()["status"] == "COMPLETED"
    assert f"job {job}: callback to 127.0.0.1:{receiver.port} delivered, attempt 2" in said
    assert "s3cret" not in said


def test_a_slow_receiver_costs_the_server_nothing(tmp_path: Path) -> None:
    """K68: while a callback hangs, jobs go on and the API answers; a stop does not wait for it."""
    with Receiver(later(answer(200), 20.0)) as receiver:
        served = Served(tmp_path / "data", "--dev")
        with served.ready() as client:
            for _ in range(3):
                job = served.job(client, receiver.url)
                begun = time.monotonic()
                while client.get(f"/crm/bulk/v3/write/{job}").json()["status"] != "COMPLETED":
                    assert time.monotonic() - begun < 5
                    time.sleep(0.01)
            wait_for(receiver, 1)
        begun = time.monotonic()
        served.stop()
        assert time.monotonic() - begun < 8


def test_a_bad_entry_of_the_allow_list_is_refused(tmp_path: Path) -> None:
    """A slip in --callback-allow ends the start with one line that names it."""
    served = Served(tmp_path / "data", "--dev", "--callback-allow", "everything")
    _, said = served.process.communicate(timeout=20)
    assert served.process.returncode == 1
    assert (
        said.strip().splitlines()[-1].endswith("--callback-allow: 'everything' is not host:port.")
    )
