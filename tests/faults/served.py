"""A real server with its workers, a client of it, and injected faults."""

from __future__ import annotations

import csv
import io
import os
import signal
import sqlite3
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import ClassVar, Self

import httpx2
from tests.support.checker import Checker
from tests.support.model import COLUMNS
from tests.support.processes import fault_environment, until
from tests.support.served import Served
from tests.support.watch import Watch, free

CONSTANTS: dict[str, dict[str, object]] = {
    "bulkwright.domain.limits": {
        "CHUNK_ROWS": 100,
        "LEASE_SECONDS": 1.5,
        "BLOCKED_MOST_SECONDS": 0.5,
    },
    "bulkwright.store.sqlite.driver": {"WAL_BYTES": 4 * 1024 * 1024, "CHECKPOINT_ROWS": 50},
    "bulkwright.store.sqlite.write_lock": {"BUSY_SECONDS": 1.5},
    "bulkwright.runtime.supervisor": {"_RESTART_SECONDS": 0.1, "_DRAIN_SECONDS": 5.0},
}
"""Small chunks and short waits; nothing else is changed."""

HEADER = (*COLUMNS, "Description")
"""Columns that the checker knows, and one that takes space."""

KEYS = {"code", "details", "message", "status"}
"""The keys of every error response of the Zoho API."""


def leads(rows: int, prefix: str = "a", filler: int = 0) -> str:
    """Returns a CSV of leads whose keys have a prefix, each row with its own Last_Name."""
    lines = [",".join(HEADER)]
    lines += [f"{prefix}{n},{prefix}{n}@x.example,{n},City,{'x' * filler}" for n in range(rows)]
    return "\n".join(lines) + "\n"


class FaultedServer(Served):
    """`bulkwright serve --dev` on a folder, with a client, that meets injected faults.

    Its jobs find records by Email. Leaving the block checks the deployment and stops the server.
    """

    operation = "upsert"
    mapped: ClassVar[Mapping[str, object]] = {
        "find_by": "Email",
        "field_mappings": [{"api_name": name, "index": n} for n, name in enumerate(HEADER)],
    }

    def __init__(
        self,
        data: Path,
        folder: Path,
        *,
        workers: int = 1,
        constants: dict[str, dict[str, object]] | None = None,
        user: int | None = None,
    ) -> None:
        self.foreseen = True
        """Whether the log may have no traceback."""
        self.faults = folder / "faults"
        environment = fault_environment(self.faults, CONSTANTS if constants is None else constants)
        (self.faults / "shifts").touch()
        super().__init__(
            data,
            "--workers",
            str(workers),
            "--free-disk-mib",
            "0",  # the disks of these tests are small
            log=folder / "log",
            timeout=90.0,
            environment=environment,
            user=user,
        )
        self._worker_count = workers

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_for_workers(self._worker_count)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            if raised[0] is None:
                self.check()
        finally:
            self.resume_workers()
            super().__exit__(*raised)
        if raised[0] is None and self.foreseen:
            assert "Traceback" not in self.log, self.log[-9000:]

    def check(self) -> None:
        """Checks that all jobs have ended, each row has a line, and the store fits the results."""
        self.resume_workers()
        # Parts are deleted just after the job has ended; a paused worker deletes its own when it
        # continues.
        until(lambda: not self.files("parts") | self.files("incoming"))
        faults = [
            str(fault) for fault in Checker(self.data).check(self.base_url, self.access_token)
        ]
        assert not faults, faults[:5]

    def resume_workers(self) -> None:
        """Continues the workers that were stopped."""
        for pid in self.workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    # The client

    def ended(
        self, job: str, seconds: float = 300.0, statuses: Sequence[str] = ("COMPLETED", "FAILED")
    ) -> str:
        """Waits for the end of a job and returns its status."""
        return super().ended(job, seconds, statuses)

    def download(self, job: str) -> httpx2.Response:
        """Downloads the result of a job."""
        return self.http.get(f"/v2/crm/org{self.org}/bulk-write/{job}/{job}.zip")

    def rows(self, job: str) -> list[dict[str, str]]:
        """Returns the rows of a result."""
        answer = self.download(job)
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            (member,) = archive.namelist()
            text = io.StringIO(archive.read(member).decode(), newline="")
        return list(csv.DictReader(text))

    def works(self, prefix: str, seconds: float = 60.0) -> None:
        """Checks that a new job works from its upload to its result."""
        job = self.begin(leads(20, prefix))
        assert self.ended(job, seconds) == "COMPLETED"
        assert [row["STATUS"] for row in self.rows(job)] == ["ADDED"] * 20

    def answers(self, *, ready: bool = True) -> None:
        """Checks that the service responds at once to a request that writes nothing.

        Unless it has to be `ready`, `/readyz` may report what is wrong.
        """
        for path in ("/healthz", "/crm/v2/org", *(("/readyz",) if ready else ())):
            begun = time.monotonic()
            assert self.http.get(path).status_code == 200
            assert time.monotonic() - begun < 5

    # Direct access

    def number(self, sql: str) -> int:
        """Returns the single number of a query."""
        with closing(sqlite3.connect(self.data / "bulkwright.sqlite", timeout=30)) as store:
            (row,) = store.execute(sql).fetchall()
            return int(row[0] or 0)

    def files(self, area: str) -> set[str]:
        """Returns the names in a folder of the file area."""
        return {path.name for path in (self.data / "files" / area).iterdir()}

    def flag(self, name: str, *, on: bool = True) -> None:
        """Begins or ends an injected fault."""
        if on:
            (self.faults / name).touch()
        else:
            (self.faults / name).unlink()


def is_coded(answer: httpx2.Response) -> bool:
    """Returns whether a response is exactly the documented error of the server."""
    said = answer.json()
    assert set(said) == KEYS, said
    assert "Traceback" not in answer.text and "sqlite" not in answer.text.lower()
    return answer.status_code == 500 and said["code"] == "INTERNAL_ERROR"


def waits(served: FaultedServer, holds: Callable[[], bool], seconds: float) -> None:
    """Checks that `holds()` stays true for `seconds`."""
    assert not until(lambda: not holds(), seconds, 0.05), served.log


def holder(served: FaultedServer, job: str) -> int:
    """Returns the id of the process that has claimed a job."""
    with closing(sqlite3.connect(served.data / "bulkwright.sqlite", timeout=30)) as store:
        ((name,),) = store.execute(f"SELECT lease_holder FROM jobs WHERE id = {job}")
    return int(name.rpartition("/")[2])


def pause(served: FaultedServer, pid: int) -> None:
    """Stops a worker between two transactions, so that it does not hold the write lock."""
    watch = Watch(served.data)
    for _ in range(1000):
        os.kill(pid, signal.SIGSTOP)
        if free(watch):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
    raise AssertionError("never between two transactions")
