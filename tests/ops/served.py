"""`bulkwright serve` as an operator runs it, and its metrics as Prometheus reads them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import zipped
from tests.crash.watching import children, until

INJECTED = Path(__file__).parents[1] / "faults" / "injected"


def injecting(folder: Path, **constants: dict[str, object]) -> dict[str, str]:
    """The environment of a process with other constants, by module, and faults on demand."""
    for name in ("full", "poison"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "setup.json").write_text(json.dumps(constants))
    return {**os.environ, "PYTHONPATH": str(INJECTED), "BULKWRIGHT_FAULTS": str(folder)}


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Scrape:
    """One page of metrics."""

    def __init__(self, page: str) -> None:
        self.families = {f.name: f for f in text_string_to_metric_families(page)}
        self._samples = {
            (s.name, frozenset(s.labels.items())): s.value
            for f in self.families.values()
            for s in f.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """The value of a sample; KeyError where there is none."""
        return self._samples[f"bulkwright_{name}", frozenset(labels.items())]

    def __contains__(self, name: str) -> bool:
        return any(known == f"bulkwright_{name}" for known, _ in self._samples)


class Served:
    """A server on a folder, with --dev unless told otherwise; leaving the block stops it."""

    def __init__(
        self,
        data: Path,
        *options: str,
        dev: bool = True,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.data = data
        self._log = data.parent / "log"
        command = [sys.executable, "-m", "bulkwright", "serve", "--port", "0", "--data", str(data)]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, *(["--dev"] if dev else []), *options],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.log
        self.port = int(line.rpartition(":")[2])
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        if dev:
            self.known: dict[str, Any] = json.loads((data / "dev-credentials.json").read_text())
            self.authorize(self.known["access_token"], str(self.known["org_id"]))

    def authorize(self, token: str, org: str) -> None:
        """Whom requests are from."""
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        self.org = org

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.process.terminate()
        self.said, _ = self.process.communicate(timeout=60)

    @property
    def log(self) -> str:
        """What the server and its workers have logged."""
        return self._log.read_text()

    @property
    def workers(self) -> list[int]:
        """The worker processes that live."""
        return children(self.process.pid, "worker")

    def stop(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def upload(self, text: str) -> httpx2.Response:
        """POST a CSV in a zip."""
        headers = {"feature": "bulk-write", "X-CRM-ORG": self.org}
        files = {"file": ("leads.csv.zip", zipped(text))}
        return self.http.post("/crm/v2/upload", headers=headers, files=files)

    def begin(self, text: str, callback: str | None = None) -> str:
        """The id of a new job that takes the columns whose names are those of fields."""
        file_id = self.upload(text).json()["details"]["file_id"]
        body: dict[str, Any] = {
            "operation": "insert",
            "resource": [{"type": "data", "module": "Leads", "file_id": file_id}],
        }
        if callback is not None:
            body["callback"] = {"url": callback, "method": "post"}
        made = self.http.post("/crm/bulk/v2/write", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["details"]["id"])

    def ended(self, job: str) -> None:
        """Wait until a job is COMPLETED."""
        path = f"/crm/bulk/v2/write/{job}"
        done = until(lambda: self.http.get(path).json()["status"] == "COMPLETED", pause=0.02)
        assert done, self.log

    def metrics(self, token: str | None = None) -> Scrape:
        """A scrape."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = self.http.get("/metrics", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return Scrape(answer.text)


def leads(rows: int, prefix: str = "a", bad: int = 0) -> str:
    """A CSV of leads; so many further ones have an e-mail that is none."""
    lines = [f"{prefix}{n},Zylker,{prefix}{n}@x.example" for n in range(rows)]
    lines += [f"{prefix}bad{n},Zylker,not an address" for n in range(bad)]
    return "\n".join(["Last_Name,Company,Email", *lines, ""])
