"""Health, readiness and metrics over HTTP, for the operators of the service.

A load balancer queries `/readyz` to decide whether to send requests to this process. A supervisor
queries `/healthz` to decide whether to restart the process, so that must not fail because of a
database. Prometheus queries `/metrics`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bulkwright.domain.errors import AuthenticationFailure, InvalidToken
from bulkwright.ops.metrics import CONTENT_TYPE, Metrics
from bulkwright.service.readiness import Readiness
from bulkwright.settings import Settings
from bulkwright.web.errors import NoRoute
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.web.route import Json, ResponseDoc, Route

_DEADLINE = 1.0
"""Seconds within which store and files must answer; a load balancer waits no longer."""
SERVICE = "Service"
_STATUS: Json = {"type": "object", "required": ["status"]}
_log = logging.getLogger("bulkwright.api.probes")  # this name is a contract


class Health:
    """The state behind the three endpoints."""

    def __init__(
        self,
        readiness: Readiness,
        metrics: Metrics,
        settings: Settings,
        token_of: Callable[[Request], str],
    ) -> None:
        """`token_of` returns the token of a request; it raises an error if there is none."""
        self._readiness = readiness
        self._metrics = metrics
        self._settings = settings
        self._token_of = token_of
        # One check at a time, on its own thread: a store that hangs blocks no more than that.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._check: asyncio.Future[str | None] | None = None
        self._logged: str | None = None
        self.draining = False
        """Whether the process is about to end and should get no more requests."""

    async def unready_reason(self) -> str | None:
        """Returns why requests would fail, or None. Takes a second at most."""
        if self._check is None or self._check.done():
            loop = asyncio.get_running_loop()
            self._check = loop.run_in_executor(self._thread, self._readiness.problem)
        check = self._check  # another request may start the next one before this one wakes up
        done, _ = await asyncio.wait({check}, timeout=_DEADLINE)
        return check.result() if done else f"store or files: no answer in {_DEADLINE:.0f} s"

    def alive(self, _request: Request) -> Response:
        """Responds as long as the process runs."""
        return json_response({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Reports whether the process can serve requests; logs each change once."""
        reason = "draining: this process is about to end" if self.draining else None
        reason = reason or await self.unready_reason()
        if reason != self._logged:
            self._logged = reason
            _log.warning("not ready: %s", reason) if reason else _log.warning("ready again")
        if reason is None:
            return json_response({"status": "ready"})
        return json_response({"status": "not ready", "reason": reason}, 503)

    async def metrics_page(self, request: Request) -> Response:
        """Returns the metrics to a client that has the token of `--metrics-token`.

        Without such a token they are served with `--dev` only, which listens on loopback. The
        address of the client would prove nothing, because a proxy may be on the same machine.
        """
        expected = self._settings.metrics_token
        if expected:
            if not secrets.compare_digest(self._token_of(request).encode(), expected.encode()):
                raise InvalidToken
        elif not self._settings.dev:
            raise NoRoute
        page = await request.run(self._metrics.page)
        return Response(200, page, ((b"content-type", CONTENT_TYPE),))


ROUTES: tuple[Route[Health, None], ...] = (
    Route(
        "GET",
        "/healthz",
        Health.alive,
        None,
        name="isAlive",
        group=SERVICE,
        summary="Is the process alive?",
        answers={200: ResponseDoc("It is.", (_STATUS,))},
        same_origin=True,
    ),
    Route(
        "GET",
        "/readyz",
        Health.ready,
        None,
        name="isReady",
        group=SERVICE,
        summary="Can it serve requests?",
        text="It checks database and files. It is not ready while the server drains.",
        answers={
            200: ResponseDoc("It can.", (_STATUS,)),
            503: ResponseDoc("It cannot; `reason` says why.", (_STATUS,)),
        },
        same_origin=True,
    ),
    Route(
        "GET",
        "/metrics",
        Health.metrics_page,
        None,
        name="readMetrics",
        group=SERVICE,
        summary="Metrics for Prometheus",
        text="With the token of `--metrics-token`; without one they are served with `--dev` only.",
        answers={200: ResponseDoc("The text format.", ({"type": "string"},), media="text/plain")},
        errors=(AuthenticationFailure, InvalidToken),
        same_origin=True,
    ),
)
