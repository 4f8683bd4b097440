"""One large CSV for all, and a bench for the tests that need no process of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.killed_jobs import SEED
from tests.crash.served_store import ServedStore
from tests.crash.victim import prepared
from tests.support.bench import Bench, opened
from tests.support.part_workers import workers_of
from tests.support.postgres import Server
from tests.support.stores import Store
from tests.support.watch import Watch, write_leads


@pytest.fixture(scope="session")
def leads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of more than eight chunks."""
    path = tmp_path_factory.mktemp("large") / "leads.csv"
    write_leads(path)
    return path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its org, to be copied."""
    return prepared(tmp_path_factory.mktemp("template") / "data")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh bench."""
    with opened(tmp_path / "data") as made:
        yield made


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """A look at the data folder from outside."""
    return Watch(tmp_path / "data")


@pytest.fixture
def benches(store: Store, tmp_path: Path) -> Iterator[list[Bench]]:
    """A bench for the test and two for workers, on a fresh deployment of each store."""
    print(f"seed {SEED}")
    with (
        store.copy(tmp_path / "data") as database,
        workers_of(tmp_path / "data", database, 3) as made,
    ):
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def served_store(request: pytest.FixtureRequest, tmp_path: Path) -> ServedStore:
    """A folder and a database for servers, on each store in turn."""
    if request.param == "sqlite":
        return ServedStore(tmp_path / "data")
    postgres: Server = request.getfixturevalue("postgres")
    return ServedStore(tmp_path / "data", postgres.database())
