"""`bulkwright serve` as an operator runs it, and its metrics as Prometheus reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from tests.support.processes import until
from tests.support.uploads import zipped

from bulkwright.testing import ServerProcess


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


class Served(ServerProcess):
    """A server on a folder, and a client of it; leaving the block stops the server."""

    def __init__(
        self,
        data: Path,
        *options: str,
        dev: bool = True,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        log = data.parent / "log"
        super().__init__(
            data, *options, dev=dev, log=log, environment=environment, directory=directory
        )
        self.http = httpx2.Client(timeout=30)
        self.org = ""

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the server is ready, and call it as the development user from then on."""
        super().wait_ready(seconds)
        self.http.base_url = self.base_url
        if self.dev:
            self.known = self.credentials
            self.authorize(self.access_token, self.org_id)

    def authorize(self, token: str, org: str) -> None:
        """Send requests as the user of this token, to this org."""
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        self.org = org

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.stop()

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
    """A CSV of leads; `bad` further ones have an invalid e-mail."""
    lines = [f"{prefix}{n},Zylker,{prefix}{n}@x.example" for n in range(rows)]
    lines += [f"{prefix}bad{n},Zylker,not an address" for n in range(bad)]
    return "\n".join(["Last_Name,Company,Email", *lines, ""])
