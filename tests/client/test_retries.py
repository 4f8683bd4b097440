"""A client repeats a call while the service is busy or away, but nothing that could happen twice.

The server sends prepared answers over a socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from tests.support.uploads import zipped

from bulkwright import ApiError, AsyncClient, Client
from bulkwright.client import core
from bulkwright.client.core import Core
from bulkwright.wire.own import StopAfter

CUT = 0
"""Instead of a status: the connection is closed without an answer."""
BODIES = {
    "/upload": {"status": "success", "details": {"file_id": "11", "created_time": ""}},
    "/write": {"status": "success", "details": {"id": "22"}},
    "/fields": {"fields": []},
}


class Scripted(ThreadingHTTPServer):
    """Answers by a script of statuses and headers, then with success."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, dict[str, str]]] = []
        self.seen: list[tuple[str, str | None, bytes]] = []
        """The end of the path, the idempotency key and the body of each request."""

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        """Note it, and answer by the script."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = "/" + self.path.partition("?")[0].rpartition("/")[2]
        self.server.seen.append((path, self.headers.get("Idempotency-Key"), body))
        status, headers = self.server.script.pop(0) if self.server.script else (200, {})
        if status == CUT:
            self.close_connection = True
            return
        answer = BODIES[path] if status == 200 else {"status": "error", "code": f"C{status}"}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A server; pauses that it does not ask for are short."""
    monkeypatch.setattr(core, "_FIRST_PAUSE_SECONDS", 0.001)
    with Scripted() as made:
        Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@contextmanager
def connected(server: Scripted, **account: Any) -> Iterator[Client]:
    """A client that has had an answer."""
    with Client(server.url, token="t", org_id="1", **account) as client:
        client.fields("Leads")
        server.seen.clear()
        yield client


BUSY: list[tuple[int, dict[str, str]]] = [
    (429, {"Retry-After": "0"}),
    (503, {}),
    (429, {"Retry-After": "nonsense"}),
]
AWAY: list[tuple[int, dict[str, str]]] = [(500, {}), (502, {}), (504, {}), (CUT, {})]


@pytest.mark.parametrize(
    "answers", [BUSY[:2], AWAY, [BUSY[0], *AWAY]], ids=["busy", "away", "both"]
)
def test_calls_are_repeated(server: Scripted, tmp_path: Path, answers: list[Any]) -> None:
    """Also those that create something: with the same key and the whole body."""
    path = tmp_path / "a.zip"
    path.write_bytes(zipped())
    with connected(server) as client:
        server.script = [*answers]
        assert client.fields("Leads") == []
        server.seen.clear()
        server.script = [*answers]
        assert client.upload(path) == "11"
        assert {(key is None, zipped() in body) for _, key, body in server.seen} == {(False, True)}
        server.script = [*answers]
        assert client.create("insert", "Leads", "11") == "22"
    uploads = [key for path, key, _ in server.seen if path == "/upload"]
    creates = [key for path, key, _ in server.seen if path == "/write"]
    for keys in (uploads, creates):
        assert len(keys) == len(answers) + 1
        assert len(set(keys)) == 1
    assert uploads[0] != creates[0]


def test_a_call_is_repeated_as_often_as_asked(server: Scripted) -> None:
    """Then its error is raised."""
    with connected(server, retries=2) as client:
        server.script = [(503, {})] * 3
        with pytest.raises(ApiError, match="C503"):
            client.fields("Leads")
        assert len(server.seen) == 3
        server.script = [(CUT, {})] * 3
        with pytest.raises(httpx2.TransportError):
            client.fields("Leads")
    assert len(server.seen) == 6


def test_other_errors_are_final(server: Scripted) -> None:
    """The same call would have the same answer."""
    with connected(server) as client:
        for status in (400, 403, 404, 409, 501):
            server.script = [(status, {})]
            with pytest.raises(ApiError, match=f"C{status}"):
                client.fields("Leads")
    assert len(server.seen) == 5


def test_a_service_that_wants_a_long_pause_is_not_called_again(server: Scripted) -> None:
    """A quota of a day, for example: the error comes at once."""
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    with connected(server) as client:
        for header in ("86400", tomorrow, "nonsense"):
            server.script = [(429, {"Retry-After": header})]
            with pytest.raises(ApiError, match="C429"):
                client.fields("Leads")
        now = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
        server.script = [(429, {"Retry-After": now})]
        assert client.fields("Leads") == []


def test_an_address_that_has_never_answered_is_not_called_again(server: Scripted) -> None:
    """It is probably wrong."""
    server.script = [(CUT, {})]
    with Client(server.url, token="t") as client, pytest.raises(httpx2.TransportError):
        client.fields("Leads")
    assert len(server.seen) == 1


def test_nothing_is_created_twice_at_zoho(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zoho does not know the key, so a request that may have had its effect is not repeated."""
    with connected(server) as client:
        monkeypatch.setattr(client._core, "is_zoho", True)
        for uncertain in AWAY:
            server.script = [uncertain]
            with pytest.raises((ApiError, httpx2.TransportError)):
                client.create("insert", "Leads", "11")
        assert len(server.seen) == len(AWAY)
        server.script = [*BUSY[:2]]
        assert client.create("insert", "Leads", "11") == "22"


def test_the_async_client_repeats_too(server: Scripted) -> None:
    """With the same core."""

    async def run() -> list[dict[str, Any]]:
        async with AsyncClient(server.url, token="t") as client:
            server.script = [(503, {}), (200, {}), (CUT, {}), (429, {"Retry-After": "0"})]
            await client.fields("Leads")
            return await client.fields("Leads")

    assert asyncio.run(run()) == []
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.zohoapis.com", True), ("https://www.zohoapis.eu/", True),
        ("https://sandbox.zohoapis.in", True), ("https://www.zohoapis.com.au", True),
        ("http://127.0.0.1:8080", False), ("https://zohoapis-like.example", False),
    ],
)  # fmt: skip
def test_the_data_centres_of_zoho_are_known(url: str, expected: bool) -> None:
    """There a job has at most 25,000 rows."""
    assert Core(url, token="t").is_zoho is expected


def test_zoho_has_no_dry_run(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is sent: there it would be a real run."""
    with connected(server) as client:
        monkeypatch.setattr(client._core, "is_zoho", True)
        for option in ({"dry_run": True}, {"on_error": StopAfter(stop_after=1)}):
            with pytest.raises(ValueError, match="Zoho has no dry_run"):
                client.write([{"a": 1}], module="Leads", **option)
        assert server.seen == []
        client.write([{"a": 1}], module="Leads", delimiter=";")
        assert [path for path, _, _ in server.seen] == ["/upload", "/write"]


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"<html>", b'{"a":"\xff"}', b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b"{}"],
    ids=["empty", "list", "html", "bytes", "deep", "other"],
)
def test_an_answer_that_is_no_answer_is_an_api_error(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """Of whatever stands at the address; no exception of a parser reaches the program."""
    with connected(server) as client:
        monkeypatch.setitem(BODIES, "/22", answer)
        with pytest.raises(ApiError) as raised:
            client.details("22")
    assert raised.value.code == "UNREADABLE_ANSWER"
