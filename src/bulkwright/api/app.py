"""The ASGI app: a request becomes an answer, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from time import perf_counter
from typing import BinaryIO

from bulkwright.api.auth import admit
from bulkwright.api.cors import Origins
from bulkwright.api.docpages import doc_routes
from bulkwright.api.http import (
    NOTHING,
    Answer,
    ASGIApp,
    Receive,
    Request,
    Scope,
    Send,
)
from bulkwright.api.paths import Route, Router
from bulkwright.api.polls import Polls
from bulkwright.api.probes import Probes
from bulkwright.api.problems import InvalidUrlPattern, answer_to, answer_to_bug
from bulkwright.api.routes import routes
from bulkwright.api.services import Services
from bulkwright.api.signin import page_routes
from bulkwright.config import Settings
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.limits import API_THREADS, MiB
from bulkwright.logs import about, begin_request
from bulkwright.metrics.page import Metrics
from bulkwright.metrics.tally import RequestTally

_BLOCK = 256 * 1024
_DRAINED = 64 * MiB
_DRAIN_SECONDS = 10.0
_READ_SECONDS = 30.0
"""How long a client may take for `_BLOCK` bytes of a file."""
_ALWAYS = [
    (b"server", b"bulkwright"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_LEAVE = (b"connection", b"close")
"""While the process drains: the next request comes on another connection, to another process."""
_access = logging.getLogger("bulkwright.access")
_BODILESS = ("GET", "HEAD", "OPTIONS")
_ZOHO_SIDE = (b"crm", b"oauth", b"v2", b"v2.1", b"v3", b"v4", b"v5", b"v6", b"v7", b"v8")


class App:
    """The Zoho side; everything else goes to `ours`."""

    def __init__(
        self,
        services: Services,
        settings: Settings,
        base_url: str,
        ours: ASGIApp | None,
        metrics: Metrics,
    ) -> None:
        self._services = services
        self._answered = metrics.requests or RequestTally()
        self._log_level = logging.INFO if settings.log_requests else logging.DEBUG
        self.probes = Probes(services.readiness, metrics, settings)
        self._format_status = 400 if settings.strict_upload_status else 200
        self._ours = ours
        self._executor = ThreadPoolExecutor(API_THREADS, thread_name_prefix="api")
        self._origins = Origins(services.accounts)
        self._polls = Polls(services.database)
        # SQLite answers within microseconds; a server is waited for on a thread.
        self._answers_inline = not settings.database
        self.router = Router(
            [
                *routes(services, settings.limits, base_url),
                *page_routes(services, base_url, dev=settings.dev),
                *self.probes.routes(),
                *doc_routes(lambda: self.router.routes),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        begun = perf_counter()
        begin_request()
        request = Request(scope, receive, self._executor)
        try:
            answer = await self._answer(request)
        except InvalidUrlPattern as error:
            if self._ours is not None and not _is_zoho_side(_path(scope)):
                await self._ours(scope, receive, send)
                return
            answer = answer_to(error)
        if not request.ended and scope["method"] not in _BODILESS:
            await _drain(request)
        headers = self._origins.headers(request, preflight=scope["method"] == "OPTIONS")
        if self.probes.draining:
            headers.append(_LEAVE)
        await _send(answer, headers, scope["method"], send)
        seconds = perf_counter() - begun
        self._answered.add(request.route, answer.status, seconds)
        if _access.isEnabledFor(self._log_level):
            _log_request(request, answer.status, seconds, self._log_level)

    async def _answer(self, request: Request) -> Answer:
        try:
            path, method = _path(request.scope), request.scope["method"]
            if method == "OPTIONS" and self.router.knows(path):
                return NOTHING
            poll = self._polls.begin(request)
            if poll.answer is not None:
                request.route = poll.route
                return poll.answer
            route, request.params = self.router.match(method, path)
            request.route = (route.method, route.path)
            if self._answers_inline:
                answer = self._handled(route, request)
            else:
                answer = await request.run(self._handled, route, request)
            if not isinstance(answer, Answer):
                return await answer
            if route.kept:
                self._polls.keep(poll, answer, request.route)
            return answer
        except InvalidUrlPattern:
            raise
        except BulkwrightError as error:
            return answer_to(error, file_format_status=self._format_status)
        except Exception as fault:
            return answer_to_bug(fault)

    def _handled(self, route: Route, request: Request) -> Answer | Awaitable[Answer]:
        admit(request, route.needed, self._services.tokens, route.right)
        return route.handler(request)


def create_app(
    services: Services,
    settings: Settings,
    base_url: str,
    *,
    ours: ASGIApp | None = None,
    metrics: Metrics | None = None,
) -> App:
    """The app over these services; `base_url` is how clients reach it.

    `ours` gets the requests for paths that are not the Zoho side's; `metrics` is what `/metrics`
    tells, and where requests are counted.
    """
    return App(services, settings, base_url, ours, metrics or Metrics(requests=RequestTally()))


def _log_request(request: Request, status: int, seconds: float, level: int) -> None:
    """A line without what a client has sent: paths and queries may hold secrets."""
    method, path = request.route
    told = f"{method} {path}" if method else "no route"
    job = {"job_id": request.params["job_id"]} if "job_id" in request.params else {}
    with about(**job):
        _access.log(level, "%s: %d in %.1f ms", told, status, seconds * 1000)


def _path(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw


def _is_zoho_side(path: bytes) -> bool:
    return path.lstrip(b"/").split(b"/", 1)[0] in _ZOHO_SIDE


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _drain(request: Request) -> None:
    """Read what is left of a body that was refused.

    A client that is still sending would see its connection reset instead of the answer.
    """
    announced = request.content_length
    if not (announced or request.header(b"transfer-encoding")):
        return
    if (announced or 0) > _DRAINED or request.header(b"expect"):
        return
    left = _DRAINED
    with suppress(BulkwrightError, TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.chunks():
                left -= len(chunk)
                if left < 0:
                    return


async def _send(answer: Answer, extra: list[tuple[bytes, bytes]], method: str, send: Send) -> None:
    with answer.file or nullcontext():
        size = len(answer.body) if answer.file is None else os.fstat(answer.file.fileno()).st_size
        headers = [*_ALWAYS, *answer.headers, *extra]
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % size))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.file is not None and method != "HEAD":
            await _send_file(answer.file, size, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})


async def _send_file(file: BinaryIO, size: int, send: Send) -> None:
    loop = asyncio.get_running_loop()
    sent = 0
    while sent < size:
        block = await loop.run_in_executor(None, file.read, min(_BLOCK, size - sent))
        if not block:
            break
        sent += len(block)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                await send({"type": "http.response.body", "body": block, "more_body": True})
        except TimeoutError:
            return  # what is missing tells the client, if it ever looks
    await send({"type": "http.response.body", "body": b""})
