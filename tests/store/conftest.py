"""An open database of each driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bulkwright.store.database import Database
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.connection import StdlibDatabase


@pytest.fixture(params=["sqlite3", "adbc", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open database of each driver, without any table."""
    opened: Database
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        opened = PostgresDatabase(server.database(), connections=4)
    elif request.param == "adbc":
        opened = AdbcDatabase(tmp_path / "test.sqlite")
    else:
        opened = StdlibDatabase(tmp_path / "test.sqlite")
    with closing(opened):
        yield opened
