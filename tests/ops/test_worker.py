"""A worker without a server, as in a container of its own: `worker --metrics`."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
from tests.support.processes import fault_environment, free_port, start, until
from tests.support.served import Scrape, Served, leads


@contextmanager
def worker(
    data: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[httpx2.Client]:
    """Runs a worker that listens; yields a client of it."""
    port = free_port()
    line = ("worker", "--data", data, "--metrics", f"127.0.0.1:{port}", *options)
    process = start(*line, env=environment)
    try:
        with httpx2.Client(verify=False, base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            assert until(lambda: answers(client))
            yield client
    finally:
        process.terminate()
        _, log = process.communicate(timeout=300)
    # The signal may arrive before its handler is set.
    assert process.returncode in (0, -signal.SIGTERM) and "Traceback" not in log, log


def answers(client: httpx2.Client) -> bool:
    """Returns whether a worker listens."""
    try:
        return client.get("/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_it_reports_its_own_work(tmp_path: Path) -> None:
    """The server of the same folder has not started it, and does not count its work."""
    with (
        Served(tmp_path / "data", "--workers", "0") as served,
        worker(served.data) as client,
    ):
        served.ended(served.begin(leads(7)))
        assert until(lambda: rows(client) == 7)
        assert client.get("/healthz").json() == {"status": "ok"}
        unknown = client.get("/anything")
        assert unknown.status_code == 404 and unknown.headers["x-content-type-options"] == "nosniff"
        assert served.metrics()("rows_total", outcome="ADDED") == 0


def rows(client: httpx2.Client) -> float:
    """Returns the number of rows that the worker has added."""
    return Scrape(client.get("/metrics").text)("rows_total", outcome="ADDED")


def test_a_token_closes_its_metrics_but_not_its_health(tmp_path: Path) -> None:
    """A kubelet has no token."""
    with worker(tmp_path / "data", "--metrics-token", "open-sesame") as client:
        for wrong in ("", "Bearer open-sesam", "Bearer", "Bearer öpen"):
            refused = client.get("/metrics", headers=[(b"Authorization", wrong.encode())])
            assert refused.status_code == 401 and "bulkwright_" not in refused.text
        answer = client.get("/metrics", headers={"Authorization": "Bearer open-sesame"})
        assert answer.status_code == 200 and "bulkwright_rows_total" in answer.text
        assert client.get("/healthz").status_code == 200


def test_its_health_is_503_while_its_loop_hangs(tmp_path: Path) -> None:
    """Another connection holds the database's lock, and the worker waits."""
    constants = {"bulkwright.domain.limits": {"WORKER_SILENT_SECONDS": 1.0}}
    environment = fault_environment(tmp_path / "faults", constants)
    with worker(tmp_path / "data", environment=environment) as client:
        file = tmp_path / "data" / "bulkwright.sqlite"
        assert until(file.is_file, 15)
        with closing(sqlite3.connect(file, timeout=15)) as store:
            store.execute("BEGIN IMMEDIATE")
            assert until(lambda: client.get("/healthz").status_code == 503)
            assert client.get("/healthz").json()["reason"].startswith("no event for")
            store.rollback()
        assert until(lambda: client.get("/healthz").status_code == 200)


def test_an_invalid_or_used_address(tmp_path: Path) -> None:
    """The worker does not start, and one line names the address."""
    with Served(tmp_path / "data", "--workers", "0") as served:
        for address, message in (
            ("everywhere", "'everywhere' is not ADDRESS:PORT"),
            (f"127.0.0.1:{served.port}", "Address already in use"),
        ):
            command = [sys.executable, "-m", "bulkwright", "worker", "--data", str(served.data)]
            done = subprocess.run(
                [*command, "--metrics", address], capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 1
            assert message in done.stderr and "Traceback" not in done.stderr


def test_workers_of_a_server_ignore_metrics(tmp_path: Path) -> None:
    """They inherit its environment, which may have BULKWRIGHT_METRICS."""
    address = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "BULKWRIGHT_METRICS": address}
    with Served(tmp_path / "data", "--workers", "2", environment=environment) as served:
        for n in range(4):
            served.ended(served.begin(leads(3, f"p{n}-")))
        assert until(lambda: served.metrics()("rows_total", outcome="ADDED") == 12)
        assert served.metrics()("workers") == 2
        with httpx2.Client(verify=False, base_url=f"http://{address}") as client:
            assert not answers(client)
    assert "starting another" not in served.log
