"""Metrics and health of a worker that no server has started, in a container for example.

`/healthz` answers 503 when the worker hangs. An idle worker sends an event twice a second,
and a busy one sends an event with every chunk.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.endpoint import InvalidEndpoint, parse_allowed
from bulkwright.domain.limits import WORKER_SILENT_SECONDS
from bulkwright.events.events import Event
from bulkwright.ops.metrics import CONTENT_TYPE, Metrics
from bulkwright.web.host import is_loopback_host
from bulkwright.web.response import EVERY_RESPONSE

_CLIENT_SECONDS = 5.0


class CannotListen(Exception):
    """The server cannot listen on the address. The message says why."""


class MetricsServer:
    """A small HTTP server on threads of its own. `observe` is an observer of the worker."""

    def __init__(self, address: str, token: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        """Listens on `address`, HOST:PORT. Raises CannotListen."""
        host, port = _parse_address(address)
        self._metrics = Metrics()
        self._clock = clock
        self._last_event = clock.monotonic()
        self._token = token
        self._is_open = not token and ipaddress.ip_address(host).is_loopback
        respond = self.respond

        class Handler(BaseHTTPRequestHandler):
            timeout = _CLIENT_SECONDS

            def do_GET(self) -> None:
                status, content_type, body = respond(
                    self.path,
                    self.headers.get("Authorization", ""),
                    self.headers.get("Host", ""),
                )
                self.send_response_only(status)
                for name, value in EVERY_RESPONSE:
                    self.send_header(name.decode(), value.decode())
                self.send_header("Content-Type", content_type)
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
        """Counts an event, which also shows that the worker runs."""
        self._last_event = self._clock.monotonic()
        self._metrics.counters.observe(event)

    def respond(self, path: str, authorization: str, host: str = "") -> tuple[int, str, bytes]:
        """Returns status, content type and body for a path.

        What is open without a token is for this machine: a page of another name must not read it.
        """
        if self._is_open and host and not is_loopback_host(host):
            return _json(421, {"status": "this server serves the names of this machine only"})
        if path == "/healthz":
            return self._health()
        if path == "/metrics" and (self._token or self._is_open):
            if self._token and not secrets.compare_digest(
                authorization.encode(), f"Bearer {self._token}".encode()
            ):
                return _json(401, {"status": "the token of --metrics-token is required"})
            return 200, CONTENT_TYPE.decode(), self._metrics.page()
        return _json(404, {"status": "not found"})

    def _health(self) -> tuple[int, str, bytes]:
        silent = self._clock.monotonic() - self._last_event
        if silent < WORKER_SILENT_SECONDS:
            return _json(200, {"status": "ok"})
        return _json(503, {"status": "hangs", "reason": f"no event for {silent:.0f} s"})

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


def _parse_address(address: str) -> tuple[str, int]:
    try:
        host, _, port = parse_allowed(address).rpartition(":")
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except (InvalidEndpoint, ValueError):
        raise CannotListen(f"{address!r} is not ADDRESS:PORT, 127.0.0.1:9100 for example") from None
