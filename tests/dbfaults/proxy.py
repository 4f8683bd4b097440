"""Stands between the program and a PostgreSQL server, and does what networks do.

It reads what clients say (nothing is encrypted here), so that a fault can come at a certain
statement: the answer to a COMMIT is eaten, a connection is cut in the middle of a COPY.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_BLOCK = 64 * 1024
_SSL, _GSS = 80877103, 80877104


@dataclass
class Message:
    """A message of a client to the server."""

    kind: bytes
    """Its type byte; `Q` and `B` are statements, `d` is data of a COPY."""
    sql: str
    """The statement, also of one that was prepared before."""
    data: bytes


@dataclass(eq=False)
class _Link:
    """One client's connection."""

    client: socket.socket
    server: socket.socket
    said: list[str] = field(default_factory=list)
    """The statements since the last BEGIN."""
    names: dict[bytes, str] = field(default_factory=dict)
    """Prepared statements by their name."""
    deaf: bool = False
    """Whether the responses of the server are dropped."""

    def cut(self) -> None:
        """Closes both sides without a terminate message."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                side.close()


Fault = Callable[[_Link, Message], bool]
"""Called with each message before it is delivered; returns whether the fault happens here."""


class Proxy:
    """Listens on a port of its own until the block ends."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        assert there.hostname is not None and there.port is not None
        self._there = (there.hostname, there.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        user = there.netloc.rpartition("@")[0]
        self.url = urlunsplit(there._replace(netloc=f"{user}@127.0.0.1:{port}"))
        self.delay = 0.0
        """Seconds that each block waits, in either direction."""
        self.struck = 0
        """How many faults have happened."""
        self._fault: Fault | None = None
        self._eats = False
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    # Faults

    def cut(self) -> None:
        """Cuts all connections now."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.cut()

    def cut_at(self, fault: Fault) -> None:
        """Cuts the connection instead of delivering this message, once."""
        self._fault, self._eats = fault, False

    def eat_answer_to(self, fault: Fault) -> None:
        """Delivers this message, drops the server's response, and cuts the connection, once."""
        self._fault, self._eats = fault, True

    # The two directions of a connection

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._there, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            with self._lock:
                self._links.add(link)
            self._spawn(self._up, link)
            self._spawn(self._down, link)

    def _spawn(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _up(self, link: _Link) -> None:
        """Passes on messages from the client, one by one."""
        with suppress(OSError, EOFError):
            while True:
                head = _exactly(link.client, 4)
                body = _exactly(link.client, struct.unpack("!I", head)[0] - 4)
                link.server.sendall(head + body)
                if struct.unpack("!I", body[:4])[0] not in (_SSL, _GSS):
                    break
            while True:
                head = _exactly(link.client, 5)
                body = _exactly(link.client, struct.unpack("!I", head[1:])[0] - 4)
                message = Message(head[:1], _statement(link, head[:1], body), body)
                if self.delay:
                    time.sleep(self.delay)
                if self._strikes(link, message):
                    if not self._eats:
                        break
                    link.deaf = True
                link.server.sendall(head + body)
        if not link.deaf:
            self._end(link)

    def _down(self, link: _Link) -> None:
        """Passes on bytes from the server."""
        with suppress(OSError):
            while block := link.server.recv(_BLOCK):
                if self.delay:
                    time.sleep(self.delay)
                if link.deaf:
                    break
                link.client.sendall(block)
        self._end(link)

    def _strikes(self, link: _Link, message: Message) -> bool:
        if message.kind in (b"Q", b"B"):
            if message.sql.startswith("BEGIN"):
                link.said.clear()
            link.said.append(message.sql)
        with self._lock:
            if self._fault is None or not self._fault(link, message):
                return False
            self._fault = None
            self.struck += 1
            return True

    def _end(self, link: _Link) -> None:
        link.cut()
        with self._lock:
            self._links.discard(link)


def commit_after(statement: str, nth: int = 1) -> Fault:
    """The nth COMMIT of a transaction in which such a statement was run."""
    seen = 0

    def fault(link: _Link, message: Message) -> bool:
        nonlocal seen
        if message.sql != "COMMIT" or not any(statement in said for said in link.said):
            return False
        seen += 1
        return seen == nth

    return fault


def statement_with(text: str) -> Fault:
    """The message that runs such a statement."""
    return lambda _, message: message.kind in (b"Q", b"B") and text in message.sql


def copy_data(after: int, nth: int = 1) -> Fault:
    """In the nth COPY, after `bytes` of it were sent."""
    copies = sent = 0

    def fault(link: _Link, message: Message) -> bool:
        nonlocal copies, sent
        if message.kind in (b"Q", b"B") and message.sql.startswith("COPY"):
            copies, sent = copies + 1, 0
        if message.kind != b"d" or copies < nth:
            return False
        sent += len(message.data)
        return sent > after

    return fault


def bytes_sent(count: int) -> Fault:
    """After clients have sent that many bytes from now on, wherever that is."""
    sent = 0

    def fault(_: _Link, message: Message) -> bool:
        nonlocal sent
        sent += len(message.data) + 5
        return sent > count

    return fault


def _statement(link: _Link, kind: bytes, body: bytes) -> str:
    if kind == b"Q":
        return body.rstrip(b"\0").decode()
    if kind == b"P":
        name, sql, _ = body.split(b"\0", 2)
        link.names[name] = sql.decode()
    elif kind == b"B":
        _, name, _ = body.split(b"\0", 2)
        return link.names.get(name, "")
    return ""


def _exactly(side: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        block = side.recv(count - len(data))
        if not block:
            raise EOFError
        data += block
    return bytes(data)
