"""`/healthz` and `/readyz`, and a stop without errors behind a balancer."""

from __future__ import annotations

import asyncio
import http.client
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.ops.test_metrics import broken
from tests.support.processes import until
from tests.support.served import Served, leads
from tests.support.uploads import zipped

from bulkwright.asgi import App, create_app
from bulkwright.settings import Settings
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.wiring import open_services

READY = (200, {"status": "ready"})


def ready(served: Served) -> tuple[int, dict[str, str]]:
    """Returns status and body of `/readyz`."""
    answer = served.http.get("/readyz")
    return answer.status_code, answer.json()


def sql(data: Path, statement: str) -> None:
    """Changes the database while the server runs."""
    with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=30)) as store, store:
        store.execute(statement)


def test_a_missing_migration(tmp_path: Path) -> None:
    """With an older database the server is not ready. With a newer one it is."""
    with Served(tmp_path / "data", "--workers", "0") as served:
        assert ready(served) == READY
        newest = "(SELECT max(number) FROM migrations)"
        sql(served.data, f"UPDATE migrations SET number = number + 100 WHERE number = {newest}")
        status, body = ready(served)
        assert (status, body["status"]) == (503, "not ready")
        assert body["reason"].startswith("store: migration ")
        assert body["reason"].endswith(" is not applied")
        sql(served.data, f"UPDATE migrations SET number = number - 100 WHERE number = {newest}")
        sql(served.data, f"INSERT INTO migrations SELECT 999, 'new', '', 0 FROM {newest}")
        assert ready(served) == READY


def test_unreachable_files(tmp_path: Path) -> None:
    """Their mount disappears and comes back; the log reports each once."""
    with Served(tmp_path / "data", "--workers", "0") as served:
        results, away = served.data / "files" / "results", tmp_path / "away"
        results.rename(away)
        for _ in range(3):
            assert ready(served)[1]["reason"] == "files: they cannot be reached"
        assert served.http.get("/healthz").status_code == 200
        away.rename(results)
        assert ready(served) == READY
    assert served.log.count("not ready: files: they cannot be reached") == 1
    assert served.log.count("ready again") == 1


async def asked(app: App, path: str, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Sends one GET to the app, without a network."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": list(headers), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def test_health_never_touches_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because a supervisor must not restart a process for a slow database. No header matters."""
    headers = ((b"authorization", b"Zoho-oauthtoken 1000.a.b"), (b"origin", b"https://x.example"))
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings) as services:
        app = create_app(services, settings, "http://127.0.0.1")
        monkeypatch.setattr(StdlibDatabase, "_connection", broken)
        assert asyncio.run(asked(app, "/healthz", *headers))[0] == 200
        status, body = asyncio.run(asked(app, "/readyz", *headers))
        assert status == 503 and b"store: the disk responds with an input/output error" in body


def test_a_store_that_hangs(tmp_path: Path) -> None:
    """Without an answer in a second it is not ready. Many requests use one thread only."""
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings) as services:
        app = create_app(services, settings, "http://127.0.0.1")
        hangs, looks = threading.Event(), []

        def wrong() -> None:
            looks.append(1)
            hangs.wait(300)

        services.readiness.problem = wrong  # type: ignore[method-assign]

        async def ask() -> list[tuple[int, bytes]]:
            try:
                return await asyncio.gather(*(asked(app, "/readyz") for _ in range(20)))
            finally:
                hangs.set()

        begun = time.monotonic()
        answers = asyncio.run(ask())
        assert time.monotonic() - begun < 15  # the check hangs for 20
        assert {status for status, _ in answers} == {503}
        assert all(b"store or files: no answer in 1 s" in body for _, body in answers)
        assert len(looks) == 1


class Balancer:
    """Sends requests while `/readyz` answers 200, on connections that it keeps."""

    def __init__(self, served: Served, request: Callable[[httpx2.Client], httpx2.Response]) -> None:
        self._served = served
        self._request = request
        self.good = 0
        self.bad: list[object] = []
        self.drained = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        base = f"http://127.0.0.1:{self._served.port}"
        with httpx2.Client(
            verify=False, base_url=base, headers=self._served.http.headers, timeout=20
        ) as client:
            try:
                while (response := client.get("/readyz")).status_code == 200:
                    # Here the server may receive the signal.
                    answer = self._request(client)
                    if answer.status_code in (200, 201):
                        self.good += 1
                    else:
                        self.bad.append(answer.text)
                if "draining" not in response.text:
                    self.bad.append(response.text)
            except Exception as error:
                self.bad.append(error)
        self.drained.set()

    def join(self) -> None:
        """Waits until it has sent its last request."""
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_a_stop_fails_no_request_of_a_balancer(tmp_path: Path) -> None:
    """While it drains, it answers all requests, `/readyz` with 503, and keeps no connection."""
    with Served(tmp_path / "data", "--drain-seconds", "5") as served:
        job = served.begin(leads(5))
        served.ended(job)
        upload = {"feature": "bulk-write", "X-CRM-ORG": served.org}
        balancers = [
            Balancer(served, lambda client: client.get(f"/crm/bulk/v2/write/{job}")),
            Balancer(served, lambda client: client.get("/crm/v2/Leads")),
            Balancer(
                served,
                lambda client: client.post(
                    "/crm/v2/upload", headers=upload, files={"file": ("a.zip", zipped())}
                ),
            ),
        ]
        assert until(lambda: all(b.good > 10 for b in balancers)), [b.bad[:1] for b in balancers]
        stopped = time.monotonic()
        served.terminate()
        for balancer in balancers:
            assert balancer.drained.wait(4.5), "it is still ready"
        answer = served.http.get("/readyz")
        assert answer.json()["reason"].startswith("draining")
        assert answer.status_code == 503 and answer.headers["connection"] == "close"
        assert served.http.get("/healthz").status_code == 200
        assert served.http.get(f"/crm/bulk/v2/write/{job}").status_code == 200
        assert served.process.wait(300) == 0
        assert time.monotonic() - stopped >= 5
        for balancer in balancers:
            balancer.join()
            assert balancer.bad == []
    assert "Traceback" not in served.log


def test_requests_in_progress_are_answered_without_draining_too(tmp_path: Path) -> None:
    """At the stop, half of each upload has arrived; the server waits for the other half."""
    with Served(tmp_path / "data") as served:
        body, kind = multipart(zipped())
        headers = {
            "Authorization": served.http.headers["authorization"], "Content-Type": kind,
            "feature": "bulk-write", "X-CRM-ORG": served.org, "Content-Length": str(len(body)),
        }  # fmt: skip
        uploads = []
        for _ in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
            connection.putrequest("POST", "/crm/v2/upload")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body[: len(body) // 2])
            uploads.append(connection)
        time.sleep(0.3)
        served.terminate()
        time.sleep(0.5)
        for connection in uploads:
            connection.send(body[len(body) // 2 :])
        for connection in uploads:
            with closing(connection), connection.getresponse() as answer:
                assert answer.status == 200, answer.read()
        assert served.process.wait(300) == 0
    assert "Traceback" not in served.log


def test_a_second_signal_ends_the_draining(tmp_path: Path) -> None:
    """Ctrl-C twice."""
    with Served(tmp_path / "data", "--drain-seconds", "60") as served:
        begun = time.monotonic()
        served.terminate()
        assert until(lambda: ready(served)[0] == 503)
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(300) == 0
        assert time.monotonic() - begun < 15


def multipart(data: bytes) -> tuple[bytes, str]:
    """Returns a form with one file, and its content type."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"
