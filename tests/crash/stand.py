"""A deployment under attack: a real server with its workers, a client, and kills.

The client does what a sound client does: it repeats a request without a response. Like a service
manager it starts the server again when it has ended. All that it sees goes into a journal, which
the checker compares with what is there in the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
from tests.crash.rows import Rows
from tests.crash.victim import ROWS, Strike, Victim
from tests.support.checker import Checker, Fault, Store
from tests.support.journal import Journal
from tests.support.model import COLUMNS
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.uploads import zipped

FINAL = ("COMPLETED", "FAILED")
STUCK_SECONDS = 60.0
"""A job that has not ended by then, without further kills, never ends."""
LOOK_SECONDS = 0.03
"""The pause between two looks at the store: each opens it, beside the processes under test."""


class Stand(Victim):
    """One deployment, from its start to the checker's findings."""

    def __init__(
        self, folder: Path, template: Path, *, fault: str = "", seed: int = 0, workers: int = 1
    ) -> None:
        super().__init__(folder, template, fault=fault, workers=workers)
        self.journal = Journal()
        self.rows = Rows(random.Random(seed))
        self._keyed: list[tuple[str, str]] = []
        """Of each request that was repeated with one key: how to find what it has made."""
        self._receiver = Receiver()
        self._over = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        self.start()
        self._poller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._poller.join(10)
        self.stop()
        self._receiver.__exit__()
        self.http.close()

    # The client

    def upload(self, text: str) -> str:
        """Upload a CSV, until it is acknowledged; the id of the file."""
        data = zipped(text)
        digest = hashlib.sha256(data).hexdigest()
        key = self._key("SELECT id FROM uploads WHERE sha256 = ?", digest)
        while True:
            place = len(self.journal.uploads)
            self.journal.uploads.append((digest, None))
            headers = {"feature": "bulk-write", "X-CRM-ORG": self.org, **key}
            files = {"file": ("leads.zip", data)}
            answer = self._try("POST", "/crm/v2/upload", headers=headers, files=files)
            if answer is not None:
                file_id = str(answer.json()["details"]["file_id"])
                self.journal.uploads[place] = (digest, file_id)
                return file_id

    def create(
        self, operation: str, file_id: str, module: str = "Leads", *, callback: bool = False
    ) -> int:
        """Ask for a job, until that is acknowledged; its id."""
        mappings = [{"api_name": name, "index": n} for n, name in enumerate(_columns(module))]
        body: dict[str, Any] = {
            "operation": operation,
            "resource": [
                {"type": "data", "module": module, "file_id": file_id, "find_by": "Email",
                 "field_mappings": mappings}
            ],
        }  # fmt: skip
        if callback:
            body["callback"] = {"url": self._receiver.url, "method": "post"}
        key = self._key("SELECT job_id FROM resources WHERE file_id = ?", file_id)
        while True:
            place = len(self.journal.creates)
            self.journal.creates.append((file_id, operation, None))
            answer = self._try("POST", "/crm/bulk/v2/write", json=body, headers=key)
            if answer is None:
                # If it was received: one job after the other.
                until(self._quiet, STUCK_SECONDS, LOOK_SECONDS)
            else:
                self.job = int(answer.json()["details"]["id"])
                self.journal.creates[place] = (file_id, operation, self.job)
                return self.job

    def _key(self, sql: str, value: str) -> dict[str, str]:
        """The header with a key, for every second request of a kind; `sql` finds what it makes."""
        place = self.journal.creates if "resources" in sql else self.journal.uploads
        if len(place) % 2:
            return {}
        self._keyed.append((sql, value))
        return {"Idempotency-Key": f"{len(self._keyed)}"}

    def _made_twice(self) -> list[Fault]:
        """What a key has made more than once."""
        store, faults = Store(self.data), []
        for sql, value in self._keyed:
            if (count := len(store.rows(sql, value))) > 1:
                faults.append(Fault("doubled", "V12", None, f"{count} of one key: {sql} {value}"))
        store.close()
        return faults

    def _try(self, method: str, path: str, **more: Any) -> httpx2.Response | None:
        """One call; None if it is unknown whether the server received it."""
        self.attend()
        try:
            answer = self.http.request(method, path, **more)
        except (
            httpx2.TransportError,
            RuntimeError,
        ):  # or another thread has just closed the client
            until(lambda: not self._server.running, 2)
            self.attend()
            return None
        assert answer.status_code in (200, 201), answer.text
        return answer

    def run(
        self, operation: str, *strikes: Strike, rows: int = ROWS, callback: bool = False,
        seconds: float = STUCK_SECONDS,
    ) -> int:  # fmt: skip
        """A job from its upload to its end, its callback and its result, under these strikes."""
        self.strike(*strikes)
        job = self.begin(operation, rows, callback=callback)
        self.finish(job, seconds)
        if strikes and until(lambda: all(self.struck(s) for s in strikes), 30):
            # One of them may have come down after the end.
            until(self._quiet, seconds, LOOK_SECONDS)
        return job

    def begin(self, operation: str, rows: int, *, callback: bool = False) -> int:
        """A job that has been asked for, and its answer."""
        self.job = None
        return self.create(operation, self.upload(self.rows.csv(rows)), callback=callback)

    def finish(self, job: int, seconds: float = STUCK_SECONDS) -> None:
        """Wait until a job, and every other that was requested, has ended and was reported."""
        if until(self._quiet, seconds, LOOK_SECONDS) and self._status(job) == "COMPLETED":
            self._download(job)

    def _quiet(self) -> bool:
        self.attend()
        with suppress(Exception):
            store = Store(self.data)
            try:
                open_jobs = store.rows(
                    "SELECT id FROM jobs WHERE status NOT IN ('COMPLETED', 'FAILED')"
                )
                pending = store.rows("SELECT id FROM outbox WHERE state = 'pending'")
                return not open_jobs and not pending
            finally:
                store.close()
        return False

    def _status(self, job: int) -> str:
        store = Store(self.data)
        try:
            rows = store.rows("SELECT status FROM jobs WHERE id = ?", job)
            return rows[0]["status"] if rows else ""
        finally:
            store.close()

    def _known(self, job: int) -> bool:
        return self._status(job) != ""

    def _download(self, job: int) -> None:
        link = f"/v2/crm/org{self.org}/bulk-write/{job}/{job}.zip"
        answer = self._try("GET", link)
        if answer is not None:
            self.journal.results.append((job, hashlib.sha256(answer.content).hexdigest()))

    def _poll(self) -> None:
        """Ask for the details of the job at hand, again and again, as a dashboard does."""
        before: tuple[int, str, int, int, int] | None = None
        while not self._over.wait(0.01):
            job = self.job
            if job is None:
                continue
            with suppress(httpx2.HTTPError, RuntimeError):
                answer = self.http.get(f"/crm/bulk/v2/write/{job}")
                if answer.status_code != 200:
                    continue
                details = answer.json()
                file = details["resource"][0]["file"]
                added, updated, skipped = (
                    file.get(f"{name}_count") or 0 for name in ("added", "updated", "skipped")
                )
                seen = (job, str(details["status"]), added, updated, skipped)
                if seen != before:
                    self.journal.polls.append(seen)
                    before = seen

    def forget(self, strike: Strike) -> None:
        """Let the time of a job and its upload be over, under a strike."""
        self.job, self._plan = None, []
        name = f"Boyle{len(self.journal.uploads)}"  # so that no two files are equal
        file_id = self.upload(f"Last_Name,Email\n{name},p@zylker.example\n")
        job = self.create("insert", file_id, "Contacts")
        self.finish(job)
        self.journal.swept.append((job, file_id))
        self.strike(strike)
        with closing(sqlite3.connect(self.data / "bulkwright.sqlite", timeout=30)) as store, store:
            store.execute(f"UPDATE jobs SET finished_time = 1 WHERE id = {job}")
            store.execute(f"UPDATE uploads SET created_time = 1 WHERE id = {file_id}")
        until(lambda: self.struck(strike), STUCK_SECONDS)
        until(lambda: self._quiet() and not self._known(job), STUCK_SECONDS, LOOK_SECONDS)

    def take_over(self, strike: Strike) -> int:
        """A worker is paused, the job is given up by another, and the paused one continues."""
        self.job = None
        self.strike(strike)
        job = self.create("insert", self.upload(self.rows.csv(ROWS)))
        self.journal.may_fail.append(job)
        until(lambda: self.struck(strike), STUCK_SECONDS)
        with closing(sqlite3.connect(self.data / "bulkwright.sqlite", timeout=30)) as store, store:
            store.execute(
                f"UPDATE jobs SET attempts = 9, progress = 999999, lease_until = 0 WHERE id = {job}"
            )
        until(lambda: self._status(job) in FINAL, STUCK_SECONDS)
        for pid in self.workers():
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.3)  # nothing is to happen now
        return job

    # The check

    def check(self) -> list[Fault]:
        """Let a day pass, sweep as the product does, and call the checker."""
        self.strike()
        until(self._quiet, STUCK_SECONDS, LOOK_SECONDS)
        past = time.time() - 3 * 24 * 3600
        for path in list((self.data / "files").glob("*/*")):
            os.utime(path, (past, past))
        self._swept()
        for letter in self._receiver.letters:
            number = int(letter_job(letter.body))
            self.journal.letters.append((number, letter.headers["webhook-id"]))
        self.journal.save(self.data.parent / "journal.json")
        return [*self._made_twice(), *Checker(self.data, self.journal).check(self.url, self.token)]

    def _swept(self) -> None:
        """Wait for a sweep that began after now, and is over."""
        sweeps = self._sweeps()
        until(lambda: self._sweeps() > sweeps + 1, STUCK_SECONDS)

    def _sweeps(self) -> int:
        self.attend()
        return self.hits.get("P14-sweep-after", 0)


def letter_job(body: bytes) -> str:
    """The job that a callback reports."""
    return str(json.loads(body)["id"])


def _columns(module: str) -> Sequence[str]:
    return COLUMNS if module == "Leads" else COLUMNS[:2]
