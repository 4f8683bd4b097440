"""A client of a live service that runs its jobs: upload, create, wait for the end, download."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import httpx2
from tests.support.live import Live
from tests.support.processes import until
from tests.support.uploads import zipped

Json = dict[str, Any]


class Caller:
    """Calls a live service as the user of its development credentials."""

    def __init__(self, live: Live) -> None:
        self.org = live.org_id
        self.auth = live.headers
        self.http = httpx2.Client(
            verify=False, base_url=live.base_url, headers=self.auth, timeout=30
        )
        self.files = live.data / "files"

    def upload(self, data: bytes | None = None, version: str = "v2") -> str:
        """The id of a new upload."""
        headers = {"feature": "bulk-write", "X-CRM-ORG": self.org}
        files = {"file": ("leads.zip", zipped() if data is None else data)}
        answer = self.http.post(f"/crm/{version}/upload", headers=headers, files=files)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["details"]["file_id"])

    def create(self, body: Json, version: str = "v2") -> str:
        """The id of a new job."""
        answer = self.http.post(f"/crm/bulk/{version}/write", content=json.dumps(body))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["details"]["id"])

    def insert(self, file_id: str, **changes: Any) -> Json:
        """A sound create request; `changes` go to its root."""
        mappings = [{"api_name": "Last_Name", "index": 0}]
        resource = {"type": "data", "module": "Leads", "file_id": file_id}
        return {"operation": "insert", "resource": [resource | {"field_mappings": mappings}],
                **changes}  # fmt: skip

    def details(self, job: str, version: str = "v2") -> Json:
        """Job details."""
        found: Json = self.http.get(f"/crm/bulk/{version}/write/{job}").json()
        return found

    def ended(self, job: str, version: str = "v8") -> Json:
        """Job details after the job's end."""
        final = ("COMPLETED", "FAILED")
        assert until(lambda: self.details(job, version)["status"] in final, pause=0.03)
        return self.details(job, version)

    def result(self, url: str) -> dict[str, list[dict[str, str]]]:
        """The rows of a result, by the name of their CSV."""
        answer = self.http.get(url)
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {
                name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8"))))
                for name in archive.namelist()
            }
