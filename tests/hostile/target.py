"""The service under attack: a real `bulkwright serve` with a worker, as in production.

No `--dev`: callbacks to loopback are forbidden, and nothing is served that was not set up.
"""

from __future__ import annotations

import csv
import inspect
import io
import json
import os
import re
import socket
import time
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import httpx2
from tests.hostile.case import Answered, Bare, Closed, Done, Logged, Rejection
from tests.support.deployment import Tenant
from tests.support.uploads import zipped

from bulkwright.domain import errors, read_errors, record_errors
from bulkwright.testing import ServerProcess
from bulkwright.zoho import problems

Json = dict[str, Any]

LEAST_PATIENCE = 60.0
CODES = {
    kind.code
    for module in (errors, read_errors, record_errors, problems)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, errors.BulkwrightError)
} - {"INTERNAL_ERROR"}
"""Every code that an answer may have."""
_TRACES = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|sqlite|SELECT |INSERT INTO|Errno|/tmp/|Exception",
    re.IGNORECASE,
)
_OWN_SHAPES = ("error", "x-error", "x-info")


class Target:
    """Calls the service; checks of every answer that it is a documented one."""

    def __init__(
        self,
        data: Path,
        tenant: Tenant,
        other: Tenant,
        tokens: Mapping[str, str],
        database: str = "",
    ) -> None:
        self.data = data
        self.tenant = tenant
        self.other = other
        """Another org, whose things are none of the tenant's business."""
        self._tokens = tokens
        self.acknowledged = 0
        """Uploads that were acknowledged."""
        self._server = ServerProcess(
            data, "--profile", "zoho", dev=False, log=data / "serve.log",
            environment={**os.environ, "BULKWRIGHT_DATABASE": database},
        )  # fmt: skip

    # The process

    def __enter__(self) -> Self:
        self._server.start()
        self.host, port = self._server.base_url.removeprefix("http://").split(":")
        self.port = int(port)
        self.http = httpx2.Client(
            verify=False, base_url=self._server.base_url, timeout=LEAST_PATIENCE
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._server.stop()

    @property
    def pid(self) -> int:
        """Of the server; its worker is its child."""
        return self._server.pid

    def log(self) -> str:
        """The stderr of the service."""
        return self._server.log

    # Calls

    def auth(self, token: str | None = None) -> dict[str, str]:
        """The header of a caller."""
        return {"Authorization": f"Zoho-oauthtoken {token or self.tenant.token}"}

    def upload(self, data: bytes, tenant: Tenant | None = None) -> str | Rejection:
        """The id of a new upload, or its rejection."""
        who = tenant or self.tenant
        headers = {"feature": "bulk-write", "X-CRM-ORG": str(who.org.id), **self.auth(who.token)}
        files = {"file": ("leads.zip", data)}
        answer = self.http.post("/crm/v2/upload", headers=headers, files=files)
        body = answer.json()
        if body.get("code") == "FILE_UPLOAD_SUCCESS":
            self.acknowledged += 1
            return str(body["details"]["file_id"])
        seen = self.judge(answer.status_code, answer.headers, answer.content)
        return Rejection("upload", seen.status, seen.code, seen.path)

    @cached_property
    def ready(self) -> str:
        """The id of an intact upload, for cases about other input."""
        made = self.upload(zipped())
        assert isinstance(made, str), made
        return made

    def create(self, body: Json | bytes) -> str | Rejection:
        """The id of a new job, or its rejection."""
        # Unlike httpx2, this writes what no JSON parser should take: NaN, lone surrogates.
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.post("/crm/bulk/v2/write", headers=self.auth(), content=content)
        if answer.status_code == 201:
            return str(answer.json()["details"]["id"])
        seen = self.judge(answer.status_code, answer.headers, answer.content)
        return Rejection("create", seen.status, seen.code, seen.path)

    def run(self, body: Json | bytes, keep: str = "") -> Done | Rejection:
        """Create a job and wait for its end; `keep` names a field whose values are returned."""
        made = self.create(body)
        return made if isinstance(made, Rejection) else self.outcome(made, keep)

    def outcome(self, job: str, keep: str = "") -> Done:
        """The outcome of a job, from its details, its result and its records."""
        details = self.ended(job)
        (resource,) = details["resource"]
        file = resource["file"]
        answer = self.http.get(details["result"]["download_url"], headers=self.auth())
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (member,) = archive.namelist()
            text = archive.read(member).decode("utf-8")
        # Whatever the case of its extension in the upload.
        assert (
            member.removesuffix(".csv") == f"{resource['module']['api_name']}-{file['name'][:-4]}"
        )
        _, *lines = csv.reader(io.StringIO(text, newline=""))
        rows = [line[-3:] for line in lines]
        counts = {"ADDED": "added", "UPDATED": "updated", "SKIPPED": "skipped"}
        for status, name in counts.items():
            assert [row[0] for row in rows].count(status) == file[f"{name}_count"]
        assert len(rows) == file["total_count"]
        module = resource["module"]["api_name"]
        kept = [self.record(module, row[1])[keep] for row in rows if keep and row[1]]
        answers = tuple(errors or status for status, _, errors in rows)
        return Done(answers, tuple(kept), file["name"], details["status"])

    def ended(self, job: str, tenant: Tenant | None = None) -> Json:
        """Job details after the end of a job, of the tenant unless another is given."""
        headers = self.auth(tenant.token) if tenant else self.auth()
        deadline = time.monotonic() + LEAST_PATIENCE
        while True:
            answer = self.http.get(f"/crm/bulk/v8/write/{job}", headers=headers)
            assert answer.status_code == 200, answer.text
            found: Json = answer.json()
            if found["status"] in ("COMPLETED", "FAILED"):
                return found
            assert time.monotonic() < deadline, f"stuck: {found}"
            time.sleep(0.01)

    def record(self, module: str, record_id: str) -> Json:
        """A record as it is stored."""
        answer = self.http.get(f"/crm/v2/{module}/{record_id}", headers=self.auth())
        found: Json = answer.json()["data"][0]
        return found

    def callback_outcome(self, job: str) -> Logged:
        """The outcome of the first attempt of a job's callback, from the log."""
        deadline = time.monotonic() + LEAST_PATIENCE
        line = re.compile(rf"job {job}: callback to \S+ (?:failed|given up), attempt 1: ([^;\n]*)")
        while (found := line.search(self.log())) is None:
            assert time.monotonic() < deadline, "the log does not mention the callback"
            time.sleep(0.01)
        return Logged(found[1])

    # Raw connections

    @cached_property
    def words(self) -> dict[str, str]:
        """The values of each `<word>` in a request that is written by hand."""
        job = self.create(insert(self.ready))
        assert isinstance(job, str), job
        self.ended(job)
        theirs = self.upload(zipped(), self.other)
        assert isinstance(theirs, str), theirs
        answer = self.http.post(
            "/crm/bulk/v2/write",
            headers=self.auth(self.other.token),
            json=insert(theirs),
        )
        their_job = str(answer.json()["details"]["id"])
        self.ended(their_job, self.other)
        return {
            "token": self.tenant.token,
            "org": str(self.tenant.org.id),
            "job": job,
            "their token": self.other.token,
            "their org": str(self.other.org.id),
            "their job": their_job,
            "their file": theirs,
            "client": self.tenant.client.client_id,
            "secret": self.tenant.secret,
            **self._tokens,
        }

    def filled(self, request: bytes) -> bytes:
        """A request with the words in it."""
        return re.sub(rb"<(\w+(?: \w+)?)>", self._word, request)

    def _word(self, found: re.Match[bytes]) -> bytes:
        word = self.words.get(found[1].decode())
        return found[0] if word is None else word.encode()

    def talk(self, *pieces: bytes, pause: float = 0.0, half: bool = False) -> bytes:
        """Send bytes as they are and read until the service closes the connection.

        `pause` are the seconds after each piece; `half` ends the sending side after the last.
        """
        received = b""
        with socket.create_connection((self.host, self.port), LEAST_PATIENCE * 2) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
                if half:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed while sending: the answer may have been sent already
            try:
                while block := connection.recv(65536):
                    received += block
            except ConnectionResetError:
                pass
        return received

    def parsed(self, data: bytes) -> tuple[Answered | Bare, ...]:
        """The answers in the bytes that were received from a connection."""
        answers: list[Answered | Bare] = []
        while data:
            head, end, data = data.partition(b"\r\n\r\n")
            assert end, head
            first, *lines = head.decode("latin-1").split("\r\n")
            status = int(first.split()[1])
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
            size = int(headers.get("content-length", 0))
            body, data = data[:size], data[size:]
            if status == 100:
                continue
            if not body and status >= 400:
                assert headers["connection"] == "close"
                answers.append(Bare(status))
            else:
                answers.append(self.judge(status, headers, body))
        return tuple(answers)

    def ask(
        self, *pieces: bytes, pause: float = 0.0, half: bool = False
    ) -> Answered | Bare | Closed:
        """The one answer to a request that is written by hand."""
        answers = self.parsed(self.talk(*pieces, pause=pause, half=half))
        assert len(answers) <= 1, answers
        return answers[0] if answers else Closed()

    # Checks

    @staticmethod
    def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answered:
        """An answer, checked to be a documented one."""
        assert status < 500, body
        assert headers["server"] == "bulkwright"
        text = body.decode("utf-8") if headers.get("content-type") != "application/zip" else ""
        shown = "".join(f"{name}: {value}\n" for name, value in headers.items()) + text
        assert not _TRACES.search(shown), shown
        if not body:
            assert status == 204
            return Answered(status, "")
        if headers["content-type"] == "application/zip":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                assert archive.testzip() is None
            return Answered(status, "zip")
        assert headers["content-type"].startswith("application/json"), headers
        answer = json.loads(text)
        if "code" not in answer:
            own = next((answer[key] for key in _OWN_SHAPES if key in answer), "details")
            return Answered(status, own)
        if status < 400 and answer["status"] != "error":
            return Answered(status, answer["code"])
        assert list(answer) == ["code", "details", "message", "status"]
        assert answer["status"] == "error" and answer["message"]
        assert answer["code"] in CODES
        return Answered(status, answer["code"], answer["details"].get("json_path", ""))

    # What must hold after every case

    def begin(self) -> None:
        """Count acknowledged uploads from what is kept now."""
        self.acknowledged = self._uploads()

    def _uploads(self) -> int:
        return sum(1 for _ in (self.data / "files" / "uploads").iterdir())

    def check_good_job(self) -> None:
        """A small sound job completes."""
        file_id = self.upload(zipped())
        assert isinstance(file_id, str), file_id
        done = self.run(insert(file_id))
        assert done == Done(("ADDED", "ADDED"), name="leads.csv")

    def check_leftovers(self) -> None:
        """Nothing half-written is left, and nothing is kept but what was acknowledged."""
        files = self.data / "files"
        deadline = time.monotonic() + LEAST_PATIENCE
        while left := [*(files / "incoming").iterdir(), *(files / "parts").iterdir()]:
            assert time.monotonic() < deadline, left
            time.sleep(0.01)
        assert self._uploads() == self.acknowledged
        assert list(self.data.parent.iterdir()) == [self.data]
        log = self.log()
        assert "Traceback" not in log and "unexpected error" not in log, log[-3000:]


def insert(file_id: object, *fields: str, module: str = "Leads", **changes: object) -> Json:
    """A request that inserts records; `changes` go into its resource, None takes a key out."""
    names = fields or ("Last_Name", "Company")
    resource: Json = {
        "type": "data",
        "module": module,
        "file_id": file_id,
        "field_mappings": [{"api_name": name, "index": i} for i, name in enumerate(names)],
    }
    resource |= changes
    return {
        "operation": "insert",
        "resource": [{k: v for k, v in resource.items() if v is not None}],
    }
