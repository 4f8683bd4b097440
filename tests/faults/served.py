"""A real server with its workers, a client of it, and the faults that come over both."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
from tests.conftest import zipped
from tests.crash.checker import COLUMNS, Checker
from tests.crash.test_kill_worker import free
from tests.crash.watching import Watch, children, until

CONSTANTS: dict[str, dict[str, object]] = {
    "bulkwright.domain.limits": {
        "CHUNK_ROWS": 100,
        "LEASE_SECONDS": 1.5,
        "HINDERED_MOST_SECONDS": 0.5,
    },
    "bulkwright.store.sqlite.driver": {
        "BUSY_SECONDS": 1.5,
        "WAL_BYTES": 4 * 1024 * 1024,
        "CHECKPOINT_ROWS": 50,
    },
    "bulkwright.serve": {"_RESTART_SECONDS": 0.1, "_DRAIN_SECONDS": 5.0},
}
"""Small chunks and short waits; everything else is as it is."""

HEADER = (*COLUMNS, "Description")
"""What the checker knows, and something that takes room."""

KEYS = {"code", "details", "message", "status"}
"""Of every error of the Zoho side."""


def leads(rows: int, prefix: str = "a", filler: int = 0) -> str:
    """A CSV of leads with keys that begin so, each row with a Last_Name of its own."""
    lines = [",".join(HEADER)]
    lines += [f"{prefix}{n},{prefix}{n}@x.example,{n},City,{'x' * filler}" for n in range(rows)]
    return "\n".join(lines) + "\n"


class Served:
    """`bulkwright serve --dev` on a folder; leaving the block stops it and proves it sound."""

    def __init__(
        self,
        data: Path,
        folder: Path,
        *,
        workers: int = 1,
        constants: dict[str, dict[str, object]] | None = None,
        **more: Any,
    ) -> None:
        self.data = data
        self.foreseen = True
        """Whether the log must do without a traceback."""
        self.faults = folder / "faults"
        for name in ("full", "poison"):
            (self.faults / name).mkdir(parents=True)
        (self.faults / "shifts").touch()
        (self.faults / "setup.json").write_text(
            json.dumps(CONSTANTS if constants is None else constants)
        )
        self._log = folder / "log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent / "injected"),
            "BULKWRIGHT_FAULTS": str(self.faults),
        }
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bulkwright", "serve", "--dev", "--port", "0",
                 "--workers", str(workers), "--data", str(data)],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment, **more,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.log
        self.url = line.split()[1]
        known = json.loads((data / "dev-credentials.json").read_text())
        self.token, self.org = known["access_token"], str(known["org_id"])
        # `ready` is about requests: the workers are just being started.
        until(lambda: len(self.workers) >= workers)
        headers = {"Authorization": f"Zoho-oauthtoken {self.token}"}
        self.http = httpx2.Client(base_url=self.url, headers=headers, timeout=90)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            self.http.close()
            self.go_on()
            self.process.terminate()
            self.process.communicate(timeout=60)
        if kind is None and self.foreseen:
            assert "Traceback" not in self.log

    @property
    def log(self) -> str:
        """What the server and its workers have said."""
        return self._log.read_text()

    @property
    def workers(self) -> list[int]:
        """The worker processes that live."""
        return children(self.process.pid, "worker")

    def check(self) -> None:
        """Every job has ended, every row is answered once, the store is what the results say."""
        self.go_on()
        # Parts go just after the job has ended, and what a paused worker began when it goes on.
        until(lambda: not self.files("parts") | self.files("incoming"))
        faults = [str(fault) for fault in Checker(self.data).check(self.url, self.token)]
        assert not faults, faults[:5]

    def go_on(self) -> None:
        """Wake up the workers that were stopped."""
        for pid in self.workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    # The client

    def upload(self, text: str) -> httpx2.Response:
        """An upload and its answer."""
        return self.http.post(
            "/crm/v2/upload",
            headers={"feature": "bulk-write", "X-CRM-ORG": self.org},
            files={"file": ("leads.csv.zip", zipped(text))},
        )

    def file_id(self, text: str) -> str:
        """The id of an upload that was acknowledged."""
        answer = self.upload(text)
        assert answer.status_code == 200, (answer.text, self.log)
        return str(answer.json()["details"]["file_id"])

    def ask(self, file_id: str, operation: str = "upsert") -> httpx2.Response:
        """A request for a job, and its answer."""
        mappings = [{"api_name": name, "index": n} for n, name in enumerate(HEADER)]
        resource = {"type": "data", "module": "Leads", "file_id": file_id, "find_by": "Email"}
        body = {"operation": operation, "resource": [{**resource, "field_mappings": mappings}]}
        return self.http.post("/crm/bulk/v2/write", json=body)

    def ask_by_header(self, file_id: str) -> httpx2.Response:
        """A request for a job that takes the columns whose names are those of fields."""
        resource = {"type": "data", "module": "Leads", "file_id": file_id, "find_by": "Email"}
        return self.http.post(
            "/crm/bulk/v2/write", json={"operation": "upsert", "resource": [resource]}
        )

    def begin(self, text: str) -> str:
        """The id of a new job."""
        answer = self.ask(self.file_id(text))
        assert answer.status_code == 201, (answer.text, self.log)
        return str(answer.json()["details"]["id"])

    def details(self, job: str) -> dict[str, Any]:
        """Get Bulk Write Job Details."""
        answer = self.http.get(f"/crm/bulk/v2/write/{job}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, job: str, seconds: float = 60.0) -> str:
        """The status that a job ends with."""
        final = ("COMPLETED", "FAILED")
        assert until(lambda: self.details(job)["status"] in final, seconds, 0.02), self.log
        return str(self.details(job)["status"])

    def download(self, job: str) -> httpx2.Response:
        """The result of a job."""
        return self.http.get(f"/v2/crm/org{self.org}/bulk-write/{job}/{job}.zip")

    def rows(self, job: str) -> list[dict[str, str]]:
        """The rows of a result."""
        answer = self.download(job)
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (member,) = archive.namelist()
            text = io.StringIO(archive.read(member).decode(), newline="")
        return list(csv.DictReader(text))

    def works(self, prefix: str, seconds: float = 60.0) -> None:
        """A new job goes from its upload to its result."""
        job = self.begin(leads(20, prefix))
        assert self.ended(job, seconds) == "COMPLETED"
        assert [row["STATUS"] for row in self.rows(job)] == ["ADDED"] * 20

    def answers(self) -> None:
        """The service is up: what needs no writing is answered at once."""
        for path in ("/healthz", "/readyz", "/crm/v2/org"):
            begun = time.monotonic()
            assert self.http.get(path).status_code == 200
            assert time.monotonic() - begun < 5

    # From outside

    def number(self, sql: str) -> int:
        """The one number that a query of the database answers."""
        with closing(sqlite3.connect(self.data / "bulkwright.sqlite", timeout=30)) as store:
            (row,) = store.execute(sql).fetchall()
            return int(row[0] or 0)

    def files(self, area: str) -> set[str]:
        """What lies in a folder of the file area."""
        return {path.name for path in (self.data / "files" / area).iterdir()}

    def flag(self, name: str, *, on: bool = True) -> None:
        """Begin or end a fault that is injected."""
        if on:
            (self.faults / name).touch()
        else:
            (self.faults / name).unlink()


def is_coded(answer: httpx2.Response) -> bool:
    """Whether this is the documented envelope of an error of the server, and no more."""
    said = answer.json()
    assert set(said) == KEYS, said
    assert "Traceback" not in answer.text and "sqlite" not in answer.text.lower()
    return answer.status_code == 500 and said["code"] == "INTERNAL_ERROR"


def waits(served: Served, holds: Callable[[], bool], seconds: float) -> None:
    """Something holds for so long, all the time."""
    assert not until(lambda: not holds(), seconds, 0.05), served.log


def holder(served: Served, job: str) -> int:
    """The process that has claimed a job."""
    with closing(sqlite3.connect(served.data / "bulkwright.sqlite", timeout=30)) as store:
        ((name,),) = store.execute(f"SELECT lease_holder FROM jobs WHERE id = {job}")
    return int(name.rpartition("/")[2])


def pause(served: Served, pid: int) -> None:
    """Stop a worker between two transactions, else it would hold the lock for all."""
    watch = Watch(served.data)
    for _ in range(1000):
        os.kill(pid, signal.SIGSTOP)
        if free(watch):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
    raise AssertionError("never between two transactions")
