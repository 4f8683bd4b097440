"""Each engine test has its own bench on each store: a copy of a prepared one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.bench import Bench, opened
from tests.support.stores import Store


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Iterator[Bench]:
    """A fresh bench."""
    with store.copy(tmp_path / "data") as database, opened(tmp_path / "data", database) as made:
        yield made


@pytest.fixture
def postgres_only(bench: Bench) -> Bench:
    """A bench on PostgreSQL."""
    if bench.services.database.dialect != "postgres":
        pytest.skip("SQLite has nothing of the kind")
    return bench


@pytest.fixture
def sqlite_only(bench: Bench) -> Bench:
    """A bench on SQLite."""
    if bench.services.database.dialect != "sqlite":
        pytest.skip("PostgreSQL has nothing of the kind")
    return bench
