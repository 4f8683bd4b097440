"""A small HTTP load generator, and the trivial responder that shows its ceiling.

Raw sockets, keep-alive, one request at a time on each connection (no pipelining), one process. Two
ways to ask:

closed  each connection asks again as soon as it has its answer: how much is possible.
open    requests are due at a fixed rate, whether or not earlier ones are answered; a time counts
        from when the request was due, so that waiting for a slow server is not left out.

Started by b6_details.py in a process of its own; what to do comes as JSON on stdin, what was seen
goes as JSON to stdout. The times are those that a client sees.

    python benchmarks/load.py < order.json      generator
    python benchmarks/load.py responder N       a server that answers N bytes of JSON to anything
"""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness import percentile

FIRST_ANSWER_S = 30.0
"""How long the generator waits for its first answer, where the order's time is shorter."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the generator is to do."""

    host: str
    port: int
    path: str
    authorization: str
    connections: int
    seconds: float
    """How long, at most."""
    rate: float | None = None
    """Requests a second of the open way; None is the closed way."""
    until: str | None = None
    """Stop at the first answer whose body begins so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the generator saw."""

    requests: int
    seconds: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    sent_late_p99_ms: float | None
    """Open way: how late requests left although due and a connection was free: our own delay."""
    generator_cpu: float
    """Share of one core that the generator used. Near 1 means that it was the limit itself."""
    stopped_by_answer: bool


class _Peer:
    """One connection and what it is waiting for."""

    __slots__ = ("buffer", "due", "freed", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.due = 0.0
        self.freed = 0.0

    def ask(self, request: bytes, due: float) -> None:
        """Send one request that counts from `due`."""
        self.due = due
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """The body, once the whole answer has come."""
        received = self.socket.recv(65_536)
        if not received:
            raise ConnectionError("the server closed a keep-alive connection")
        self.buffer += received
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        if len(body) < _content_length(head):
            return None
        if b" 200 " not in head[:16]:
            raise ConnectionError(f"not 200: {self.buffer[:300]!r}")
        self.buffer = b""
        return body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("the answer has no Content-Length")


def generate(order: Order) -> Seen:
    """Do what the order says."""
    request = (
        f"GET {order.path} HTTP/1.1\r\nHost: {order.host}:{order.port}\r\n"
        f"Authorization: {order.authorization}\r\nAccept: application/json\r\n\r\n"
    ).encode()
    stop = order.until.encode() if order.until else None
    peers = [_Peer(order.host, order.port) for _ in range(order.connections)]
    # select() sleeps to the microsecond, epoll as Python offers it to the millisecond.
    selector = selectors.SelectSelector()
    for peer in peers:
        selector.register(peer.socket, selectors.EVENT_READ, peer)
    latencies: list[float] = []
    lateness: list[float] = []
    free = deque(peers)
    clock = time.perf_counter
    cpu = time.process_time()
    start = clock()
    end = start + order.seconds
    sent = 0
    stopped = False
    while not stopped:
        now = clock()
        if now >= (end if latencies else end + FIRST_ANSWER_S):
            break
        wait = max(0.0, end - now) if latencies else FIRST_ANSWER_S
        if order.rate is None:
            while free:
                free.popleft().ask(request, clock())
        else:
            due = start + sent / order.rate
            while free and due <= now:
                peer = free.popleft()
                peer.ask(request, due)
                lateness.append(clock() - max(due, peer.freed))
                sent += 1
                due = start + sent / order.rate
            wait = max(0.0, due - now) if free else wait
        for key, _ in selector.select(wait):
            peer = key.data
            body = peer.answer()
            if body is not None:
                peer.freed = clock()
                latencies.append(peer.freed - peer.due)
                free.append(peer)
                stopped = stopped or (stop is not None and body.startswith(stop))
    seconds = clock() - start
    used = time.process_time() - cpu
    for peer in peers:
        peer.socket.close()
    return _summary(latencies, lateness, seconds, used / seconds, stopped)


def _summary(
    latencies: Sequence[float],
    lateness: Sequence[float],
    seconds: float,
    cpu: float,
    stopped: bool,
) -> Seen:
    if not latencies:
        raise ConnectionError("no request was answered")
    ordered = sorted(latencies)
    return Seen(
        requests=len(ordered),
        seconds=round(seconds, 3),
        requests_per_s=round(len(ordered) / seconds, 1),
        p50_ms=round(percentile(ordered, 0.50) * 1000, 3),
        p99_ms=round(percentile(ordered, 0.99) * 1000, 3),
        max_ms=round(ordered[-1] * 1000, 3),
        sent_late_p99_ms=round(percentile(sorted(lateness), 0.99) * 1000, 3) if lateness else None,
        generator_cpu=round(cpu, 3),
        stopped_by_answer=stopped,
    )


class _Trivial(asyncio.Protocol):
    """Answers the same bytes to each request, whatever it says."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(self.answer)


async def respond(size: int) -> None:
    """Serve until killed on a free port, which is printed."""
    body = b'{"status":"INPROGRESS"' + b" " * max(0, size - 23) + b"}"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    _Trivial.answer = head.encode() + b"\r\n\r\n" + body
    server = await asyncio.get_running_loop().create_server(_Trivial, "127.0.0.1", 0)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    if sys.argv[1:2] == ["responder"]:
        asyncio.run(respond(int(sys.argv[2])))
    else:
        print(json.dumps(asdict(generate(Order(**json.load(sys.stdin))))))


if __name__ == "__main__":
    main()
