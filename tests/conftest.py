"""Fixtures of the whole suite: a server on each store, each store, and the order of the tests."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from tests.sdk.record import keep_record
from tests.support.deployment import Deployment, deployed
from tests.support.postgres import Server, postgres_server
from tests.support.stores import PostgresStore, SqliteStore, Store

from bulkwright.store.database import Database
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.zoho.versions import VERSIONS

HERE = Path(__file__).parent
MEMORY = Path("/dev/shm")
"""Temporary folders are here where the machine has it: the suite waits for thousands of flushes."""
MEMORY_FREE_BYTES = 6 * 2**30
if (
    "TMPDIR" not in os.environ
    and MEMORY.is_dir()
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    and shutil.disk_usage(MEMORY).free >= MEMORY_FREE_BYTES
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
ON_BOTH = ("sqlite", "postgres")


@pytest.fixture(scope="session", params=ON_BOTH)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A server of this session, on each store in turn: for everything that reaches SQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("any_server")
        return
    data = tmp_path_factory.mktemp("data") / "data"
    with deployed(data, request.getfixturevalue("postgres").database()) as running:
        yield running


@pytest.fixture(scope="session")
def any_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A server of this session, on SQLite: for what is decided before any SQL runs."""
    with deployed(tmp_path_factory.mktemp("data") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def live_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes the database of a service that SDKs or Schemathesis call: none without the option."""
    if not request.config.getoption("--live-on-postgres"):
        return str
    server: Server = request.getfixturevalue("postgres")
    return server.database


@pytest.fixture(scope="session", params=ON_BOTH)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Each store in turn: what is tested with it is promised of both."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        return SqliteStore(folder)
    return PostgresStore(request.getfixturevalue("postgres"), folder)


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


FIRST = (
    "structure", "domain", "wire", "formats", "web", "runtime", "service", "store", "engine",
    "client", "features", "v1", "console", "docs", "properties",
)  # fmt: skip
LONG = (
    "crash", "benchmarks", "hostile", "sdk", "faults", "dbfaults", "cluster", "contract", "workers",
)  # fmt: skip
"""They run next, the longest first, so that the processes of `run.py test` end together."""
LAST = "fairness"
"""Its subject is time: it runs last, when most other tests have ended."""
FAST = frozenset(FIRST) - {"docs", "properties"}
"""The folders of `--fast`: their tests that are not slow and need no process of their own."""
PROCESSES = frozenset({"postgres", "live", "working", "served", "emulator"})
"""Fixtures that start a server as a process of its own, and the parameter of those that may."""
FAST_CHUNK_ROWS = (None, 1)
"""With `--fast`, a test that is repeated for several sizes of a chunk runs with this size only."""
FAST_SKIPS_VERSIONS = frozenset(list(VERSIONS)[1:-1])
"""With `--fast`, a test that is repeated for every version runs with the first and the last."""
GARBAGE_THRESHOLD = 20_000
"""New objects that start a collection of garbage. Python's 700 cost a sixth of the time, because a
collection looks at the objects of all tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fast` and `--live-on-postgres`."""
    parser.addoption("--fast", action="store_true", help="only the quick tests")
    parser.addoption(
        "--live-on-postgres", action="store_true", help="SDKs and Schemathesis call PostgreSQL"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--fast`, do not import the other folders."""
    inside = collection_path.is_relative_to(HERE) and collection_path != HERE
    if not config.getoption("--fast") or not inside:
        return None
    return folder_of(collection_path) not in FAST or None


def pytest_configure(config: pytest.Config) -> None:
    """Collect garbage less often; with `--fast`, property tests try fewer examples."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    if config.getoption("--fast"):
        os.environ.setdefault("BULKWRIGHT_EFFORT", "0.25")


@cache
def folder_of(path: Path) -> str:
    """The folder of a file below `tests`."""
    return path.relative_to(HERE).parts[0]


def folder(item: pytest.Item) -> str:
    """The folder of a test below `tests`."""
    return folder_of(item.path)


def is_fast(item: pytest.Item) -> bool:
    """Whether a test is part of `--fast`."""
    if folder(item) not in FAST or item.get_closest_marker("slow"):
        return False
    callspec = getattr(item, "callspec", None)
    fixtures = getattr(item, "fixturenames", ())
    params = callspec.params if callspec else {}
    if not PROCESSES.isdisjoint(fixtures) or "postgres" in params.values():
        return False
    if params.get("version") in FAST_SKIPS_VERSIONS:
        return False
    return params.get("chunk_rows") in FAST_CHUNK_ROWS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the fast folders first, so that a mistake shows at once, then the long ones."""
    order = {name: number for number, name in enumerate((*FIRST, *LONG))}
    order[LAST] = len(order) + 1
    if config.getoption("--fast"):
        slow = [item for item in items if not is_fast(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if is_fast(item)]
    items.sort(key=lambda item: order.get(folder(item), len(FIRST + LONG)))


def pytest_collection_finish() -> None:
    """Exempt the tests and their modules from the collection of garbage: they stay to the end."""
    gc.freeze()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Report what could not be tested here, and the seed of the order, even with `-q`."""
    if (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.write_line(f"order of the tests: --randomly-seed={seed}")
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(r for r in reasons if "NOT TESTED" in r):
        terminalreporter.write_line(reason, yellow=True, bold=True)
    keep_record(terminalreporter, config)
