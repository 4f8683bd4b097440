"""A kernel with routes of its own, called without a network: no face and no service takes part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bulkwright.web.app import Kernel, KernelOptions
from bulkwright.web.cors import Cors
from bulkwright.web.errors import HttpError
from bulkwright.web.mount import Mount
from bulkwright.web.request import Request
from bulkwright.web.response import Response
from bulkwright.web.response_cache import ResponseCache
from bulkwright.web.route import Route
from bulkwright.web.router import Router, bind

ORIGIN = "https://app.example"
Headers = Iterable[tuple[bytes, bytes]]


@dataclass
class Calls:
    """What the kernel has reported."""

    counted: list[tuple[tuple[str, str], int]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """A response as the client gets it."""

    status: int
    headers: dict[str, str]
    body: bytes
    received: int
    """How many messages of the body the kernel has read."""


def route(
    handler: Callable[[Calls, Request], Any], method: str = "GET", path: str = "/x", **more: Any
) -> Route[Calls, None]:
    """A route without documentation."""
    return Route(method, path, handler, None, name="x", group="x", summary="x", **more)


def make_kernel(
    routes: Sequence[Route[Calls, None]],
    calls: Calls,
    mounts: Sequence[Mount] = (),
    stamp: Callable[[], object] = lambda: 1,
) -> Kernel:
    """A kernel over these routes; an error becomes its name, with status 400 or 500."""

    def error_response(error: Exception) -> Response:
        calls.errors.append(error)
        status = 400 if isinstance(error, HttpError) else 500
        return Response(status, type(error).__name__.encode())

    return Kernel(
        Router(bind(routes, calls), {}),
        Cors(lambda: frozenset({ORIGIN}), routes, b"Authorization"),
        ResponseCache(stamp, routes),
        KernelOptions(
            executor=ThreadPoolExecutor(1),
            most_turns=1,
            most_heavy_turns=1,
            error_response=error_response,
            count_response=lambda key, status, _seconds: calls.counted.append((key, status)),
            mounts=mounts,
        ),
    )


def call(
    kernel: Kernel, method: str, path: str, headers: Headers = (), body: Sequence[bytes] = (b"",)
) -> Answer:
    """One request; the messages of `body` arrive one by one."""
    pieces, received = list(body), 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": list(headers), "client": ("192.0.2.1", 1),
        "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(kernel(scope, receive, send))
    start, *rest = sent
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message["body"] for message in rest),
        received,
    )
