"""What the service tells those who run it: is it alive, is it ready, how is it doing.

A balancer asks `/readyz` to know whether to send requests here, a supervisor asks `/healthz` to
know whether to start the process anew; the second must not fail because of a database. Prometheus
asks `/metrics`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor

from bulkwright.api.auth import Open, bearer
from bulkwright.api.http import Answer, Request, json_answer
from bulkwright.api.paths import Route
from bulkwright.api.problems import InvalidUrlPattern
from bulkwright.config import Settings
from bulkwright.domain.errors import InvalidToken
from bulkwright.metrics.page import CONTENT_TYPE, Metrics
from bulkwright.service.readiness import Readiness

_DEADLINE = 1.0
"""Seconds that the store and the files have to answer; balancers wait no longer than that."""
_log = logging.getLogger(__name__)


class Probes:
    """The three endpoints."""

    def __init__(self, readiness: Readiness, metrics: Metrics, settings: Settings) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._settings = settings
        # One look at a time, on its own thread: a store that hangs costs no more than that.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ready")
        self._look: asyncio.Future[str | None] | None = None
        self._told: str | None = None
        self.draining = False
        """Whether the process is about to end, and should get no more requests."""

    def routes(self) -> list[Route]:
        """What is served of it."""
        return [
            Route("GET", "/healthz", Open.PUBLIC, self._alive),
            Route("GET", "/readyz", Open.PUBLIC, self._ready),
            Route("GET", "/metrics", Open.PUBLIC, self._page),
        ]

    async def wrong(self) -> str | None:
        """What stands in the way of requests, None when nothing does; answers within a second."""
        if self._look is None or self._look.done():
            loop = asyncio.get_running_loop()
            self._look = loop.run_in_executor(self._thread, self._readiness.wrong)
        look = self._look  # another request may begin the next one before this one wakes up
        done, _ = await asyncio.wait({look}, timeout=_DEADLINE)
        return look.result() if done else f"store or files: no answer in {_DEADLINE:.0f} s"

    def _alive(self, _request: Request) -> Answer:
        return json_answer({"status": "ok"})

    async def _ready(self, _request: Request) -> Answer:
        reason = "draining: this process is about to end" if self.draining else await self.wrong()
        if reason != self._told:
            self._told = reason
            _log.warning("not ready: %s", reason) if reason else _log.warning("ready again")
        if reason is None:
            return json_answer({"status": "ready"})
        return json_answer({"status": "not ready", "reason": reason}, 503)

    async def _page(self, request: Request) -> Answer:
        """For those who have the token; without one in the settings, only where --dev serves
        loopback. Anywhere else a proxy may make the whole world look like this machine."""
        wanted = self._settings.metrics_token
        if wanted:
            if not secrets.compare_digest(bearer(request).encode(), wanted.encode()):
                raise InvalidToken
        elif not self._settings.dev:
            raise InvalidUrlPattern
        page = await request.run(self._metrics.page)
        return Answer(200, page, ((b"content-type", CONTENT_TYPE),))
