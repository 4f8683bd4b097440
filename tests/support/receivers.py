"""Receivers of callbacks on loopback: honest, rude and dead ones."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

Behaviour = Callable[["Receiver", socket.socket], None]
"""What a receiver does once it has read a request."""


@dataclass(frozen=True)
class Letter:
    """One request as it arrived."""

    time: float
    line: str
    headers: dict[str, str]
    body: bytes
    server_name: str | None


class Receiver:
    """Listens; the first connection gets the first behaviour, the last one serves all others."""

    def __init__(
        self, *behaviours: Behaviour, host: str = "127.0.0.1", port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._behaviours = behaviours or (answer(200),)
        self._tls = tls
        self._names = threading.local()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=1024)
        self._shown = f"[{host}]" if ":" in host else host
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.sent = 0
        """Bytes of answers that the network took."""
        self.letters: list[Letter] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        if tls is not None:
            tls.sni_callback = self._note_name

    @property
    def url(self) -> str:
        """Where it listens, with a query that only the sender may know."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self._shown}:{self.port}/hook?key=s3cret"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, behaviour), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        connection.settimeout(5)
        with suppress(OSError), connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            if self._read(connection):
                behaviour(self, connection)
            connection.close()

    def _read(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        line, *pairs = head.decode("ascii").split("\r\n")
        headers = {k.lower(): v for k, v in (p.split(": ", 1) for p in pairs)}
        while len(body) < int(headers.get("content-length", 0)):
            more = connection.recv(65536)
            if not more:
                return False
            body += more
        name = getattr(self._names, "server", None)
        self.letters.append(Letter(time.monotonic(), line, headers, body, name))
        return True

    def _note_name(self, _socket: object, name: str | None, _context: object) -> None:
        # Called on the thread of the connection.
        self._names.server = name

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send, and count what the network took."""
        connection.sendall(data)
        self.sent += len(data)


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer at once; `Retry_After="1"` makes a header of it."""
    lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
    head = f"HTTP/1.1 {status} Whatever\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return lambda receiver, connection: receiver.send(connection, head.encode() + body)


def raw(data: bytes) -> Behaviour:
    """Send these bytes and close."""
    return lambda receiver, connection: receiver.send(connection, data)


def reset(_receiver: Receiver, connection: socket.socket) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(receiver: Receiver, _connection: socket.socket) -> None:
    """Never answer."""
    receiver.over.wait(20)


def endless(head: bytes, block: bytes, pause: float = 0.0) -> Behaviour:
    """Send the head, then the block again and again."""

    def behave(receiver: Receiver, connection: socket.socket) -> None:
        receiver.send(connection, head)
        while not receiver.over.wait(pause):
            receiver.send(connection, block)

    return behave


def later(behaviour: Behaviour, seconds: float) -> Behaviour:
    """Behave so, but after a while."""

    def behave(receiver: Receiver, connection: socket.socket) -> None:
        receiver.over.wait(seconds)
        behaviour(receiver, connection)

    return behave


def closed_port() -> int:
    """A port that no process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
