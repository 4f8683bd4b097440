"""A server is killed while clients create with keys: what they repeat is there exactly once.

    .venv/bin/pytest tests/crash/test_idempotent_create.py -m long --timeout 3000   # 1,000 requests

A client repeats an upload, the creation of a job and an undo with their keys, over the Zoho API and
the own one in turn, until it gets a response. A request that was answered already is raced once
more by another client. `BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event, Thread
from uuid import uuid4

import httpx2
import pytest
from tests.crash.killed_jobs import SEED
from tests.crash.served_store import ServedStore, Upserts
from tests.support.processes import until
from tests.support.uploads import zipped

CLIENTS = 6
SECONDS = 60.0
_ADDRESS = "/api/v1"


@dataclass
class Made:
    """The ids that each key has been answered with, by kind."""

    uploads: dict[str, set[str]] = field(default_factory=dict)
    jobs: dict[str, set[str]] = field(default_factory=dict)
    undos: dict[str, set[str]] = field(default_factory=dict)


class Clients:
    """Clients of a server that is killed and started again at one address."""

    def __init__(self, served: Upserts) -> None:
        self.made = Made()
        self._http = httpx2.Client(
            verify=False, base_url=served.base_url, headers=dict(served.http.headers), timeout=10
        )
        self._org = served.org

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, number: int) -> None:
        """Upload a file, create its job, and undo it."""
        text, own = f"Last_Name,Email\nK{number},k{number}@x.example\n", bool(number % 2)
        if own:
            file = {"file": ("a.csv", text)}
            upload = self._twice(self.made.uploads, f"{_ADDRESS}/files", files=file)
            body = {"operation": "upsert", "module": "Leads", "find_by": "Email"}
            body["file_id"] = upload
            job = self._twice(self.made.jobs, f"{_ADDRESS}/jobs", json=body)
        else:
            headers = {"feature": "bulk-write", "X-CRM-ORG": self._org}
            zipped_file = {"file": ("a.zip", zipped(text))}
            upload = self._twice(
                self.made.uploads, "/crm/v2/upload", files=zipped_file, headers=headers
            )
            resource = {"type": "data", "module": "Leads", "find_by": "Email", "file_id": upload}
            wanted = {"operation": "upsert", "resource": [resource]}
            job = self._twice(self.made.jobs, "/crm/bulk/v2/write", json=wanted)
        assert until(lambda: self._status(job) == "COMPLETED", SECONDS, 0.05), job
        self._twice(self.made.undos, f"{_ADDRESS}/jobs/{job}/undo", json={"dry_run": False})

    def _twice(self, made: dict[str, set[str]], path: str, **request: object) -> str:
        """Send a request until it is answered, then once more; the id of what it has made."""
        key = str(uuid4())
        made[key] = {self._until_answered(path, key, **request) for _ in range(2)}
        return sorted(made[key])[0]

    def _until_answered(self, path: str, key: str, **request: object) -> str:
        headers = {**request.pop("headers", {}), "Idempotency-Key": key}  # type: ignore[dict-item]
        answers: list[httpx2.Response] = []

        def answered() -> bool:
            answer = self._try("POST", path, headers=headers, **request)
            if answer is None or answer.status_code >= 500:
                return False
            answers.append(answer)
            return True

        assert until(answered, SECONDS, 0.05), path
        assert answers[0].status_code in (200, 201), answers[0].text
        body = answers[0].json()
        return str(body["id"] if "id" in body else _id_of(body["details"]))

    def _status(self, job: str) -> str:
        answer = self._try("GET", f"/crm/bulk/v2/write/{job}")
        return "" if answer is None else str(answer.json().get("status"))

    def _try(self, method: str, path: str, **more: object) -> httpx2.Response | None:
        try:
            return self._http.request(method, path, **more)  # type: ignore[arg-type]
        except httpx2.TransportError:
            return None


def _id_of(details: dict[str, str]) -> str:
    return details.get("file_id") or details["id"]


def created_under_kills(store: ServedStore, clients: int, kills: int) -> None:
    """Create with keys while the server is killed; each key has made one thing."""
    chance, over, killed = random.Random(SEED), Event(), 0
    with store.server() as served, closing(Clients(served)) as calls:

        def kill() -> None:
            nonlocal killed
            while not over.is_set() and killed < kills:
                over.wait(chance.uniform(0.2, 1.5))
                served.kill()
                killed += 1
                served.start()

        killer = Thread(target=kill)
        killer.start()
        with ThreadPoolExecutor(CLIENTS) as threads:
            for future in as_completed([threads.submit(calls.run, n) for n in range(clients)]):
                future.result()
        over.set()
        killer.join()
        assert until(lambda: _open_jobs(store) == 0, SECONDS), served.log
    print(f"seed {SEED}, {killed} kills, {6 * clients} requests")
    _check(store, calls.made, clients)
    assert killed > 0


def _open_jobs(store: ServedStore) -> int:
    sql = "SELECT count(*) FROM jobs WHERE status NOT IN ('COMPLETED', 'FAILED')"
    return int(store.rows(sql)[0][0])


def _check(store: ServedStore, made: Made, clients: int) -> None:
    """Lost 0, doubled 0: what is stored is what was answered, once for each key."""
    kinds: dict[str, tuple[dict[str, set[str]], str]] = {
        "uploads": (made.uploads, "SELECT id FROM uploads"),
        "jobs": (made.jobs, "SELECT id FROM jobs WHERE operation = 'upsert'"),
        "undos": (made.undos, "SELECT job_id FROM undos"),
    }
    for kind, (answered, sql) in kinds.items():
        assert len(answered) == clients, kind
        assert {len(ids) for ids in answered.values()} == {1}, kind
        stored = sorted(str(row[0]) for row in store.rows(sql))
        assert stored == sorted(next(iter(ids)) for ids in answered.values()), kind
    actions = "SELECT count(*) FROM audit WHERE action = ?"
    for action in ("file-uploaded", "job-created", "job-undone"):
        assert store.rows(actions, action) == [(clients,)], action
    assert list(store.each_lead()) == []


@pytest.mark.slow
def test_what_is_created_with_a_key_under_kills_is_there_once(served_store: ServedStore) -> None:
    created_under_kills(served_store, 12, 3)


@pytest.mark.long
def test_a_thousand_requests_with_keys_under_kills(served_store: ServedStore) -> None:
    created_under_kills(served_store, 170, 40)
