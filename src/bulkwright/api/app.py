"""The ASGI app: a request becomes an answer, whatever happens."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from bulkwright.api.auth import Open, admit
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
    json_answer,
)
from bulkwright.api.paths import Route, Router
from bulkwright.api.polls import Polls
from bulkwright.api.problems import InvalidUrlPattern, answer_to, answer_to_bug
from bulkwright.api.routes import routes
from bulkwright.api.services import Services
from bulkwright.api.signin import page_routes
from bulkwright.config import Settings
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.limits import MiB

_THREADS = 8
_BLOCK = 256 * 1024
_DRAINED = 64 * MiB
_DRAIN_SECONDS = 10.0
_ALWAYS = [
    (b"server", b"bulkwright"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_BODILESS = ("GET", "HEAD", "OPTIONS")
_ZOHO_SIDE = (b"crm", b"oauth", b"v2", b"v2.1", b"v3", b"v4", b"v5", b"v6", b"v7", b"v8")


class App:
    """The Zoho side; everything else goes to `ours`."""

    def __init__(
        self, services: Services, settings: Settings, base_url: str, ours: ASGIApp | None
    ) -> None:
        self._services = services
        self._format_status = 400 if settings.strict_upload_status else 200
        self._ours = ours
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="api")
        self._origins = Origins(services.accounts)
        self._polls = Polls(services.database)
        self.router = Router(
            [
                *routes(services, settings.limits, base_url),
                *page_routes(services, base_url, dev=settings.dev),
                Route("GET", "/healthz", Open.PUBLIC, _healthy),
                Route("GET", "/readyz", Open.PUBLIC, self._ready),
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
        await _send(answer, headers, scope["method"], send)

    async def _answer(self, request: Request) -> Answer:
        try:
            path, method = _path(request.scope), request.scope["method"]
            if method == "OPTIONS" and self.router.knows(path):
                return NOTHING
            poll = self._polls.begin(request)
            if poll.answer is not None:
                return poll.answer
            route, request.params = self.router.match(method, path)
            admit(request, route.needed, self._services.tokens, route.right)
            answer = route.handler(request)
            if not isinstance(answer, Answer):
                return await answer
            if route.kept:
                self._polls.keep(poll, answer)
            return answer
        except InvalidUrlPattern:
            raise
        except BulkwrightError as error:
            return answer_to(error, file_format_status=self._format_status)
        except Exception:
            return answer_to_bug()

    def _ready(self, _request: Request) -> Answer:
        self._services.accounts.orgs()
        return json_answer({"status": "ready"})


def create_app(
    services: Services, settings: Settings, base_url: str, *, ours: ASGIApp | None = None
) -> App:
    """The app over these services; `base_url` is how clients reach it.

    `ours` gets the requests for paths that are not the Zoho side's.
    """
    return App(services, settings, base_url, ours)


def _healthy(_request: Request) -> Answer:
    return json_answer({"status": "ok"})


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
    size = len(answer.body) if answer.file is None else answer.file.stat().st_size
    headers = [*_ALWAYS, *answer.headers, *extra]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % size))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.file is not None and method != "HEAD":
        await _send_file(answer.file, size, send)
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _send_file(place: Path, size: int, send: Send) -> None:
    loop = asyncio.get_running_loop()
    with place.open("rb") as file:
        sent = 0
        while sent < size:
            block = await loop.run_in_executor(None, file.read, min(_BLOCK, size - sent))
            if not block:
                break
            sent += len(block)
            await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
