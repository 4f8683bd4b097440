"""Prepared deployments on each store, to be copied by tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.bench import Bench, opened
from tests.support.postgres import Server


class Store(Protocol):
    """Makes copies of a prepared deployment: an org with a user, on one of the stores."""

    def copy(self, data: Path) -> AbstractContextManager[str]:
        """Put a copy into a data folder; the URL of its database, empty for SQLite."""
        ...


class SqliteStore:
    """On SQLite a deployment is a folder."""

    def __init__(self, folder: Path) -> None:
        self._prepared = folder / "data"
        with opened(self._prepared):
            pass

    @contextmanager
    def copy(self, data: Path) -> Iterator[str]:
        """Copy the folder."""
        shutil.copytree(self._prepared, data)
        yield ""


class PostgresStore:
    """On PostgreSQL it is a database, and a folder for files."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._prepared = server.database()
        with opened(folder / "data", self._prepared):
            pass

    @contextmanager
    def copy(self, data: Path) -> Iterator[str]:
        """Copy the database."""
        url = self._server.database(self._prepared)
        try:
            yield url
        finally:
            self._server.drop(url)


@contextmanager
def opened_on_both(postgres: Server, folder: Path) -> Iterator[tuple[Bench, Bench]]:
    """A bench on SQLite and one on PostgreSQL, each on a fresh store."""
    here, there = SqliteStore(folder / "s"), PostgresStore(postgres, folder / "p")
    with (
        here.copy(folder / "sqlite") as no_url,
        there.copy(folder / "postgres") as url,
        opened(folder / "sqlite", no_url) as sqlite,
        opened(folder / "postgres", url) as server,
    ):
        yield sqlite, server
