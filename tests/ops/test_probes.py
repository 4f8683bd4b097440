"""`/healthz` and `/readyz`, and a stop that a balancer can follow."""

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
from tests.conftest import zipped
from tests.crash.watching import until
from tests.ops.served import Served, leads
from tests.ops.test_metrics import broken

from bulkwright.api.app import App, create_app
from bulkwright.config import Settings
from bulkwright.store.sqlite.stdlib import StdlibDatabase
from bulkwright.wiring import open_services

READY = (200, {"status": "ready"})


def ready(served: Served) -> tuple[int, dict[str, str]]:
    """What the server says of itself."""
    answer = served.http.get("/readyz")
    return answer.status_code, answer.json()


def sql(data: Path, statement: str) -> None:
    """Change the database behind the server's back."""
    with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=30)) as store, store:
        store.execute(statement)


def test_a_migration_that_is_lacking(tmp_path: Path) -> None:
    """An older database was put in place: not ready. A newer one is being rolled out: ready."""
    with Served(tmp_path / "data", "--workers", "0") as served:
        assert ready(served) == READY
        newest = "(SELECT max(number) FROM migrations)"
        sql(served.data, f"UPDATE migrations SET number = number + 100 WHERE number = {newest}")
        status, told = ready(served)
        assert (status, told["status"]) == (503, "not ready")
        assert told["reason"].startswith("store: migration ")
        assert told["reason"].endswith(" is not applied")
        sql(served.data, f"UPDATE migrations SET number = number - 100 WHERE number = {newest}")
        sql(served.data, f"INSERT INTO migrations SELECT 999, 'new', '', 0 FROM {newest}")
        assert ready(served) == READY


def test_files_that_cannot_be_reached(tmp_path: Path) -> None:
    """Their mount is gone, and comes back; the log tells of both, once."""
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
    """One GET, without a network in between."""
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
    """Whatever headers come along; a supervisor must not restart what a database holds up."""
    headers = ((b"authorization", b"Zoho-oauthtoken 1000.a.b"), (b"origin", b"https://x.example"))
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings) as services:
        app = create_app(services, settings, "http://127.0.0.1")
        monkeypatch.setattr(StdlibDatabase, "_connection", broken)
        assert asyncio.run(asked(app, "/healthz", *headers))[0] == 200
        status, body = asyncio.run(asked(app, "/readyz", *headers))
        assert status == 503 and b"store: the disk answers with an input/output error" in body


def test_a_store_that_hangs(tmp_path: Path) -> None:
    """No answer within a second is one: no. However many ask, one thread waits."""
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings) as services:
        app = create_app(services, settings, "http://127.0.0.1")
        hangs, looks = threading.Event(), []

        def wrong() -> None:
            looks.append(1)
            hangs.wait(20)

        services.readiness.wrong = wrong  # type: ignore[method-assign]

        async def ask() -> list[tuple[int, bytes]]:
            try:
                return await asyncio.gather(*(asked(app, "/readyz") for _ in range(20)))
            finally:
                hangs.set()

        begun = time.monotonic()
        answers = asyncio.run(ask())
        assert time.monotonic() - begun < 5
        assert {status for status, _ in answers} == {503}
        assert all(b"store or files: no answer in 1 s" in body for _, body in answers)
        assert len(looks) == 1


class Balancer:
    """Sends requests as long as `/readyz` says yes, on connections that it keeps."""

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
        with httpx2.Client(base_url=base, headers=self._served.http.headers, timeout=20) as client:
            try:
                while (said := client.get("/readyz")).status_code == 200:
                    # Here the server may be told to stop.
                    answer = self._request(client)
                    if answer.status_code in (200, 201):
                        self.good += 1
                    else:
                        self.bad.append(answer.text)
                if "draining" not in said.text:
                    self.bad.append(said.text)
            except Exception as error:
                self.bad.append(error)
        self.drained.set()

    def join(self) -> None:
        """Wait until it has sent its last request."""
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_a_stop_breaks_no_request_of_a_balancer(tmp_path: Path) -> None:
    """While it drains all is served, `/readyz` says no, and connections are not kept."""
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
        served.stop()
        for balancer in balancers:
            assert balancer.drained.wait(4.5), "still told that it is ready"
        answer = served.http.get("/readyz")
        assert answer.json()["reason"].startswith("draining")
        assert answer.status_code == 503 and answer.headers["connection"] == "close"
        assert served.http.get("/healthz").status_code == 200
        assert served.http.get(f"/crm/bulk/v2/write/{job}").status_code == 200
        assert served.process.wait(20) == 0
        assert time.monotonic() - stopped >= 5
        for balancer in balancers:
            balancer.join()
            assert balancer.bad == []
    assert "Traceback" not in served.log


def test_requests_under_way_are_answered_without_draining_too(tmp_path: Path) -> None:
    """Half of each upload has come when the stop comes; the other half is waited for."""
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
        served.stop()
        time.sleep(0.5)
        for connection in uploads:
            connection.send(body[len(body) // 2 :])
        for connection in uploads:
            with closing(connection), connection.getresponse() as answer:
                assert answer.status == 200, answer.read()
        assert served.process.wait(20) == 0
    assert "Traceback" not in served.log


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """Who presses Ctrl-C twice means it."""
    with Served(tmp_path / "data", "--drain-seconds", "60") as served:
        begun = time.monotonic()
        served.stop()
        assert until(lambda: ready(served)[0] == 503)
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(20) == 0
        assert time.monotonic() - begun < 15


def multipart(data: bytes) -> tuple[bytes, str]:
    """A form with one file, and its content type."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"
