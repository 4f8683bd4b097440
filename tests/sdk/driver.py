"""Runs a driver program: a process that uses one SDK and reports what its objects returned."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Report = dict[str, Any]
"""What an SDK returned: `class`, `http`, and the value of each getter of the object."""

_STEP_SECONDS = 60
_JOB_SECONDS = 60


class Driver:
    """A running driver program, in a folder of its own."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.folder = folder
        self.store = folder / "tokens.csv"
        self._org_id = ""
        self._errors = (folder / "stderr.txt").open("wb")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
            env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()  # `intercept` deletes its folder before it ends
        self._process.communicate()
        self._errors.close()

    def initialise(self, who: Report, stored: str = "") -> Report:
        """Initialise the SDK with `stored` as its token store; `{}` if nothing was raised.

        It can be repeated, but not with a grant code after a success: Node's 8.0 fails then.
        """
        self._org_id = who["org_id"]
        self.store.write_text(stored, "utf-8")
        return self._step("initialise", store=str(self.store), **who)

    def upload(
        self, data: bytes, *, name: str = "leads.zip", feature: str = "bulk-write", org_id: str = ""
    ) -> Report:
        """Upload a file."""
        place = self.folder / name
        place.write_bytes(data)
        who = org_id or self._org_id
        return self._step("upload", path=str(place), feature=feature, org_id=who)

    def file_id(self, data: bytes) -> str:
        """The id of a new upload."""
        report = self.upload(data)
        assert report["class"] == "SuccessResponse", report
        return digits(report["details"]["file_id"])

    def create(self, operation: str, *resources: Report, **more: object) -> Report:
        """Create a job."""
        return self._step("create", request={"operation": operation, "resource": resources, **more})

    def job_id(self, operation: str, *resources: Report, **more: object) -> str:
        """The id of a new job."""
        report = self.create(operation, *resources, **more)
        assert (report.get("class"), report.get("code")) == ("SuccessResponse", "SUCCESS"), report
        return digits(report["details"]["id"])

    def details(self, job_id: str) -> Report:
        """Get a job's details."""
        return self._step("details", job_id=job_id)

    def done(self, job_id: str, status: str = "COMPLETED") -> Report:
        """Poll a job's details until it has ended with a status."""
        deadline = time.monotonic() + _JOB_SECONDS
        while True:
            report = self.details(job_id)
            if report.get("status") == status:
                return report
            waiting = report.get("status") in ("ADDED", "INPROGRESS")
            assert waiting and time.monotonic() < deadline, report
            time.sleep(0.03)

    def download(self, url: str) -> tuple[Report, Path]:
        """Download a result; the file exists only if the SDK returned one."""
        return self._saved("download", url=url)

    def record(self, module: str, record_id: str) -> Report:
        """Get a record."""
        return self._step("record", module=module, record_id=record_id)

    def call(self, name: str, module: str, **arguments: object) -> Report:
        """Call a method of RecordOperations."""
        return self._step("call", method=name, module=module, **arguments)

    def query(self, text: str) -> Report:
        """Run a COQL query."""
        return self._step("query", text=text)

    def create_read(self, request: Report) -> Report:
        """Create a bulk read, with a callback."""
        return self._step("create_read", request=request)

    def read_done(self, job_id: str) -> Report:
        """Poll the details of a bulk read until it is COMPLETED."""
        deadline = time.monotonic() + _JOB_SECONDS
        while True:
            report = self._step("read_details", job_id=job_id)
            (job,) = report["data"]
            if job["state"] == "COMPLETED":
                return report
            waiting = job["state"] in ("ADDED", "IN PROGRESS")
            assert waiting and time.monotonic() < deadline, report
            time.sleep(0.03)

    def read_result(self, job_id: str) -> tuple[Report, Path]:
        """Download the result of a bulk read, as `download` does."""
        return self._saved("read_result", job_id=job_id)

    def tokens(self) -> list[dict[str, str]]:
        """The rows of the SDK's own token store."""
        header, *rows = self.store.read_text("utf-8").splitlines()
        names = header.split(",")
        return [dict(zip(names, row.split(","), strict=True)) for row in rows if row]

    def _saved(self, step: str, **arguments: object) -> tuple[Report, Path]:
        into = self.folder / "result.zip"
        into.unlink(missing_ok=True)
        return self._step(step, into=str(into), **arguments), into

    def _step(self, name: str, **arguments: object) -> Report:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": name, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        watch = threading.Timer(_STEP_SECONDS, self._process.kill)
        watch.start()
        try:
            # Some SDKs print lines of their own; those of the driver are marked.
            for line in self._process.stdout:
                if line.startswith(b"@ "):
                    report: Report = json.loads(line[2:])
                    return report
        finally:
            watch.cancel()
        errors = (self.folder / "stderr.txt").read_text("utf-8", "replace")
        raise AssertionError(f"the driver ended in {name}:\n{errors[-2000:]}")


def digits(number: object) -> str:
    """An id as text, from the type in which the SDK returned it."""
    return str(number["bigint"]) if isinstance(number, dict) else str(number)
