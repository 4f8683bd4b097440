"""Talks to a driver program: a process that uses one SDK and tells what its objects said."""

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

Told = dict[str, Any]
"""What an SDK said: `class`, `http`, and what each getter of the object returned."""

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
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def initialise(self, who: Told, kept: str = "") -> Told:
        """Initialise the SDK; `{}` when nothing was raised. `kept` stands in its token store.

        Again is possible, but not with a grant code after a success: Node's 8.0 fails then.
        """
        self._org_id = who["org_id"]
        self.store.write_text(kept, "utf-8")
        return self._step("initialise", store=str(self.store), **who)

    def upload(
        self, data: bytes, *, name: str = "leads.zip", feature: str = "bulk-write", org_id: str = ""
    ) -> Told:
        """Upload a file."""
        place = self.folder / name
        place.write_bytes(data)
        who = org_id or self._org_id
        return self._step("upload", path=str(place), feature=feature, org_id=who)

    def file_id(self, data: bytes) -> str:
        """The id of a new upload."""
        told = self.upload(data)
        assert told["class"] == "SuccessResponse", told
        return digits(told["details"]["file_id"])

    def create(self, operation: str, resource: Told, **more: object) -> Told:
        """Create a job with one resource."""
        return self._step(
            "create", request={"operation": operation, "resource": [resource], **more}
        )

    def job_id(self, operation: str, resource: Told, **more: object) -> str:
        """The id of a new job."""
        told = self.create(operation, resource, **more)
        assert (told.get("class"), told.get("code")) == ("SuccessResponse", "SUCCESS"), told
        return digits(told["details"]["id"])

    def details(self, job_id: str) -> Told:
        """Get a job's details."""
        return self._step("details", job_id=job_id)

    def done(self, job_id: str) -> Told:
        """Poll a job's details until it is COMPLETED."""
        deadline = time.monotonic() + _JOB_SECONDS
        while True:
            told = self.details(job_id)
            if told.get("status") == "COMPLETED":
                return told
            waiting = told.get("status") in ("ADDED", "INPROGRESS")
            assert waiting and time.monotonic() < deadline, told
            time.sleep(0.03)

    def download(self, url: str) -> tuple[Told, Path]:
        """Download a result; the file is there only if the SDK gave one."""
        into = self.folder / "result.zip"
        into.unlink(missing_ok=True)
        return self._step("download", url=url, into=str(into)), into

    def tokens(self) -> list[dict[str, str]]:
        """What the SDK's own token store keeps."""
        header, *rows = self.store.read_text("utf-8").splitlines()
        names = header.split(",")
        return [dict(zip(names, row.split(","), strict=True)) for row in rows if row]

    def _step(self, name: str, **arguments: object) -> Told:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": name, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        watch = threading.Timer(_STEP_SECONDS, self._process.kill)
        watch.start()
        try:
            # Some SDKs print on their own account; our lines are marked.
            for line in self._process.stdout:
                if line.startswith(b"@ "):
                    told: Told = json.loads(line[2:])
                    return told
        finally:
            watch.cancel()
        said = (self.folder / "stderr.txt").read_text("utf-8", "replace")
        raise AssertionError(f"the driver ended in {name}:\n{said[-2000:]}")


def digits(number: object) -> str:
    """An id as text, in whatever type the SDK gave it."""
    return str(number["bigint"]) if isinstance(number, dict) else str(number)
