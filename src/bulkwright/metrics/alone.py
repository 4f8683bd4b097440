"""The metrics and the health of a worker that no server has started: in a container, for example.

`/healthz` turns red when the worker's loop hangs: it comes round twenty times a second while there
is nothing to do, and a job is heard of with every chunk.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from bulkwright.domain.endpoint import InvalidEndpoint, parse_allowed
from bulkwright.domain.limits import WORKER_SILENT_SECONDS
from bulkwright.metrics.page import CONTENT_TYPE, Metrics
from bulkwright.observe import Event

_CLIENT_SECONDS = 5.0


class CannotListen(Exception):
    """The address cannot be listened to; the message tells a person why."""


class Alone:
    """An observer of a worker, and a small HTTP server on threads of its own."""

    def __init__(self, address: str, token: str) -> None:
        """Listen at `address`, HOST:PORT. Raises CannotListen."""
        host, port = _parsed(address)
        self._metrics = Metrics()
        self._heard = time.monotonic()
        self._token = token
        self._open = not token and ipaddress.ip_address(host).is_loopback
        alone = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _CLIENT_SECONDS

            def do_GET(self) -> None:
                status, kind, body = alone.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response_only(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise CannotListen(f"cannot serve {address}: {error.strerror or error}") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )

    def observe(self, event: Event) -> None:
        """Count an event, and take it for a sign of life."""
        self._heard = time.monotonic()
        self._metrics.tally.observe(event)

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path."""
        if path == "/healthz":
            return self._health()
        if path == "/metrics" and (self._token or self._open):
            if self._token and not secrets.compare_digest(
                authorization.encode(), f"Bearer {self._token}".encode()
            ):
                return _json(401, {"status": "the token of --metrics-token is needed"})
            return 200, CONTENT_TYPE.decode(), self._metrics.page()
        return _json(404, {"status": "nothing is served here"})

    def _health(self) -> tuple[int, str, bytes]:
        silent = time.monotonic() - self._heard
        if silent < WORKER_SILENT_SECONDS:
            return _json(200, {"status": "ok"})
        return _json(503, {"status": "hangs", "reason": f"nothing was heard for {silent:.0f} s"})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _json(status: int, body: dict[str, str]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body).encode()


def _parsed(address: str) -> tuple[str, int]:
    try:
        host, _, port = parse_allowed(address).rpartition(":")
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except (InvalidEndpoint, ValueError):
        raise CannotListen(f"{address!r} is not ADDRESS:PORT, 127.0.0.1:9100 for example") from None
