"""A server with a worker on each store, and its database as an operator reaches it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest
from tests.support.postgres import Server
from tests.support.served import Served


@dataclass(frozen=True)
class Working:
    """A server that runs jobs."""

    served: Served
    change: Callable[[str], None]
    """Runs a statement on its database."""


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def working(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Working]:
    """A server of this session with a worker, on each store in turn."""
    data = tmp_path_factory.mktemp("working") / "data"
    if request.param == "sqlite":

        def on_sqlite(statement: str) -> None:
            with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=10)) as connection:
                connection.execute(statement)
                connection.commit()

        with Served(data, "--profile", "service") as served:
            yield Working(served, on_sqlite)
        return
    postgres: Server = request.getfixturevalue("postgres")
    url = postgres.database()

    def on_postgres(statement: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(statement.encode())

    with Served(data, "--profile", "service", "--database", url) as served:
        yield Working(served, on_postgres)
