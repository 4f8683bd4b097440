"""Wake-ups through PostgreSQL's LISTEN and NOTIFY, also between machines.

A notification is sent by the COMMIT of its transaction and is dropped with it otherwise. A process
that waits holds one connection. When that is lost, it connects again; until it succeeds, the
process only looks from time to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg

from bulkwright.store.wakeups import Topic, Wakeups


def channel_of(topic: Topic) -> str:
    """Returns the name of a topic's channel. Each database has its own channels."""
    return f"bulkwright_{topic.value}"


class NotifiedWakeups(Wakeups):
    """Receives wake-ups through a connection that listens."""

    def __init__(self, url: str, options: Mapping[str, Any], topic: Topic) -> None:
        """Connects nothing yet; `options` are those of psycopg."""
        super().__init__(topic)
        self._url = url
        self._options = options
        self._connection: psycopg.Connection[Any] | None = None

    def _is_open(self) -> bool:
        return self._connection is not None

    def _open(self) -> bool:
        try:
            self._connection = psycopg.connect(self._url, **self._options)
            self._connection.execute(f"LISTEN {channel_of(self.topic)}".encode())
        except psycopg.Error:  # the server is down, is a standby, or has no connection left
            self._close()
            return False
        return True

    def _source(self) -> int:
        assert self._connection is not None
        return self._connection.fileno()

    def _receive(self) -> None:
        assert self._connection is not None
        server = self._connection.pgconn
        try:
            server.consume_input()
            while server.notifies() is not None:
                pass
        except psycopg.Error:  # the connection is lost
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
