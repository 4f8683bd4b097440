"""The kernel as an ASGI app: every request gets a response, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from time import perf_counter
from typing import NamedTuple

from bulkwright.events.context import about, begin_request
from bulkwright.web.client_address import Networks
from bulkwright.web.cors import Cors
from bulkwright.web.errors import ForeignHost, HttpError, NoRoute
from bulkwright.web.head import check_head
from bulkwright.web.mount import Mount
from bulkwright.web.request import Message, Receive, Request, Scope, Send
from bulkwright.web.response import (
    EVERY_RESPONSE,
    HTTPS_ONLY,
    JSON_HEADERS,
    NO_CONTENT,
    Response,
)
from bulkwright.web.response_cache import ResponseCache
from bulkwright.web.router import BoundRoute, Router, normal_path
from bulkwright.web.sendfile import send_file
from bulkwright.web.turns import Turns

CHOSEN_RESPONSE = "bulkwright.response"
"""The key, in the ASGI scope, of a response that was chosen before the kernel."""
_Header = tuple[bytes, bytes]
Headers = list[_Header]

_DRAINED_BYTES = 64 * 1024 * 1024
_DRAIN_SECONDS = 10.0
_CLOSE = (b"connection", b"close")
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
_access_log = logging.getLogger("bulkwright.access")


class KernelOptions(NamedTuple):
    """What the faces and the deployment give to the kernel."""

    executor: Executor
    """Runs blocking work of handlers."""
    most_turns: int
    """How many pieces of this work run for one party at the same time."""
    most_heavy_turns: int
    """And how many that may each keep a core or the write lock busy."""
    error_response: Callable[[Exception], Response]
    """Returns the response to an error, of the kernel or of a handler. It never raises."""
    count_response: Callable[[tuple[str, str], int, float], None]
    """Counts a response: the key of its route, its status, its seconds."""
    mounts: Sequence[Mount] = ()
    trusted_proxies: Networks = ()
    handle_on_thread: bool = False
    """Whether access checks and plain handlers may block, so that each call needs a thread."""
    access_log_level: int = logging.DEBUG
    https_only: bool = False
    """Whether browsers are to use HTTPS alone for this host: clients reach it by HTTPS."""
    on_error: Callable[[Request, Exception], None] = lambda _request, _error: None
    """Observes the error of a request. It never raises."""
    serves_host: Callable[[str], bool] | None = None
    """Whether a `Host` header has a name of this server; None if any name is one."""
    note_exchange: Callable[[Request, Response | None, int, float], None] | None = None
    """Notes a request with its response (None: a mounted app made it), status and seconds."""


class Kernel:
    """Routes requests to handlers and sends their responses."""

    def __init__(
        self, router: Router, cors: Cors, cache: ResponseCache, options: KernelOptions
    ) -> None:
        self.router = router
        self.draining = False
        """Whether the process is about to end. Each response then closes its connection, so that
        the next request reaches another process."""
        self._cors = cors
        self._cache = cache
        self._options = options
        self._turns = Turns(options.executor, options.most_turns)
        self._heavy_turns = Turns(options.executor, options.most_heavy_turns)
        self._trusted_proxies = options.trusted_proxies
        self._count = options.count_response
        self._note = options.note_exchange
        self._log_level = options.access_log_level
        self._defaults = (*EVERY_RESPONSE, *((HTTPS_ONLY,) if options.https_only else ()))
        self._of_json = (*self._defaults, *JSON_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            return
        begun = perf_counter()
        begin_request()
        request = Request(scope, receive, self._turns, self._trusted_proxies, self._heavy_turns)
        response = await self._respond(request)
        if isinstance(response, Mount):
            status = await self._serve_mount(response, request, send)
        else:
            status = response.status
            await self._send(request, response, send)
        seconds = perf_counter() - begun
        self._count(request.route, status, seconds)
        if self._note is not None:
            self._note(
                request, response if isinstance(response, Response) else None, status, seconds
            )
        if _access_log.isEnabledFor(self._log_level):
            _log_request(request, status, seconds, self._log_level)

    async def _respond(self, request: Request) -> Response | Mount:
        """Returns the response, or the mounted app that makes it."""
        try:
            chosen: Response | None = request.scope.get(CHOSEN_RESPONSE)
            if chosen is not None:
                return chosen
            lookup = self._cache.look_up(request)
            if lookup.response is not None:
                request.route, request.caller = lookup.route, lookup.caller
                return lookup.response
            method, path = request.scope["method"], _path(request)
            check_head(request.scope)
            self._check_host(request)
            if method == "OPTIONS" and self._has_path(path):
                return NO_CONTENT
            bound, request.params = self.router.match(method, path)
            request.route = bound.key
            response = await self._handle(bound, request)
            if bound.route.cached:
                self._cache.store(lookup, response, bound.key, request.caller)
            return response
        except NoRoute as error:
            return self._find_mount(_path(request)) or self._options.error_response(error)
        except Exception as error:
            self._options.on_error(request, error)
            return self._options.error_response(error)

    async def _handle(self, bound: BoundRoute, request: Request) -> Response:
        if self._options.handle_on_thread:
            # Without turns: the access check, which is part of it, finds the party.
            response = await self._turns.run(None, bound.handle, request)
        else:
            response = bound.handle(request)
        return response if isinstance(response, Response) else await response

    def _check_host(self, request: Request) -> None:
        serves = self._options.serves_host
        if serves is not None and (host := request.header(b"host")) and not serves(host):
            raise ForeignHost(
                "This server serves the names of this machine only, such as localhost"
            )

    def _has_path(self, path: str) -> bool:
        mount = self._find_mount(path)
        return self.router.has_path(path) or (mount is not None and mount.has_resource(path))

    def _find_mount(self, path: str) -> Mount | None:
        return next((mount for mount in self._options.mounts if mount.has(path)), None)

    async def _serve_mount(self, mount: Mount, request: Request, send: Send) -> int:
        """Serves a request by a mounted app; returns the status."""
        method, path = request.scope["method"], _path(request)
        request.route = mount.key(method, path)
        status = 0

        async def send_completed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if method not in _WITHOUT_BODY:
                    await _drain(request)
                status = message["status"]
                headers = self._with_defaults(message["headers"])
                message = {**message, "headers": [*headers, *self._headers(request)]}
            await send(message)

        try:
            app = await request.run(lambda: mount.app)
            await app(mount.scope(request, path), request.receive, send_completed)
        except Exception as error:
            response = self._options.error_response(error)
            if status == 0:  # else the response has begun
                status = response.status
                await self._send(request, response, send)
        return status

    async def _send(self, request: Request, response: Response, send: Send) -> None:
        if request.scope["method"] not in _WITHOUT_BODY:
            await _drain(request)
        if response.file is None:
            size = len(response.body) if response.size is None else response.size
            await send(self._start(request, response, size))
            await send({"type": "http.response.body", "body": response.body})
            return
        with response.file:
            size = os.fstat(response.file.fileno()).st_size
            await send(self._start(request, response, size))
            if request.scope["method"] != "HEAD":
                await send_file(response.file, size, send, response.sha256)
            else:
                await send({"type": "http.response.body", "body": response.body})

    def _start(self, request: Request, response: Response, size: int) -> Message:
        """The message that begins a response with a body of this size."""
        headers = [*self._with_defaults(response.headers), *self._headers(request)]
        if response.status != 204:
            headers.append((b"content-length", b"%d" % size))
        return {"type": "http.response.start", "status": response.status, "headers": headers}

    def _with_defaults(self, headers: Iterable[_Header]) -> Iterable[_Header]:
        """Returns the headers with those of every response that are missing."""
        if headers is JSON_HEADERS:  # a poll has no time for more
            return self._of_json
        own = list(headers)
        names = {name.lower() for name, _ in own}
        return [*(header for header in self._defaults if header[0] not in names), *own]

    def _headers(self, request: Request) -> Headers:
        headers = self._cors.headers(request)
        if self.draining:
            headers.append(_CLOSE)
        return headers


def _path(request: Request) -> str:
    return normal_path(request.scope.get("raw_path") or request.scope["path"].encode())


def _log_request(request: Request, status: int, seconds: float, level: int) -> None:
    """Logs a line without anything that the client sent: paths and queries may hold secrets."""
    method, path = request.route
    name = f"{method} {path}" if method else "no route"
    job = {"job_id": request.params["job_id"]} if "job_id" in request.params else {}
    with about(**job):
        _access_log.log(level, "%s: %d in %.1f ms", name, status, seconds * 1000)


async def _drain(request: Request) -> None:
    """Reads the rest of a body that no handler has read.

    A client that is still sending would see its connection reset instead of the response.
    """
    if request.ended:
        return
    announced = request.content_length
    if not (announced or request.header(b"transfer-encoding")):
        return
    if (announced or 0) > _DRAINED_BYTES or request.header(b"expect"):
        return
    left = _DRAINED_BYTES
    with suppress(HttpError, TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.chunks():
                left -= len(chunk)
                if left < 0:
                    return
