"""`bulkwright serve` as an operator runs it, and its metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

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

    operation = "insert"
    """Of its jobs."""
    mapped: ClassVar[Mapping[str, object]] = {}
    """What the resource of a job has beside its file; without mappings the header names fields."""

    def __init__(
        self,
        data: Path,
        *options: str,
        log: Path | None = None,
        timeout: float = 30.0,
        **more: Any,
    ) -> None:
        super().__init__(data, *options, log=log or data.parent / "log", **more)
        self.http = httpx2.Client(verify=False, timeout=timeout)
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

    def file_id(self, text: str) -> str:
        """The id of a new upload."""
        sent = self.upload(text)
        assert sent.status_code == 200, (sent.text, self.log)
        return str(sent.json()["details"]["file_id"])

    def ask(self, file_id: str, callback: str | None = None, **changes: object) -> httpx2.Response:
        """POST a job; `changes` go into its resource, None removes a key."""
        resource = {"type": "data", "module": "Leads", "file_id": file_id, **self.mapped, **changes}
        body: dict[str, Any] = {
            "operation": self.operation,
            "resource": [{k: v for k, v in resource.items() if v is not None}],
        }
        if callback is not None:
            body["callback"] = {"url": callback, "method": "post"}
        return self.http.post("/crm/bulk/v2/write", json=body)

    def begin(self, text: str, callback: str | None = None) -> str:
        """The id of a new job on a new upload."""
        made = self.ask(self.file_id(text), callback)
        assert made.status_code == 201, (made.text, self.log)
        return str(made.json()["details"]["id"])

    def details(self, job: str) -> dict[str, Any]:
        """The details of a job."""
        answer = self.http.get(f"/crm/bulk/v2/write/{job}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(
        self, job: str, seconds: float = 300.0, statuses: Sequence[str] = ("COMPLETED",)
    ) -> str:
        """Wait until a job has one of these statuses, and return it."""
        assert until(lambda: self.details(job)["status"] in statuses, seconds, 0.02), self.log
        return str(self.details(job)["status"])

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
