"""The backups of docs/deploy.md, brought back: nothing that was acknowledged is lost.

On PostgreSQL all runs as the role of deploy/postgres/role.sql: dump, restore and service.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from tests.support.postgres import OwnServer, own_server
from tests.support.processes import fault_environment, kill, until
from tests.support.program import program
from tests.support.served import Served, leads

from bulkwright.domain.scope import EVERY

ROLE = Path(__file__).parents[2] / "deploy" / "postgres" / "role.sql"
ROWS = 5_000
SMALL_CHUNKS: dict[str, dict[str, object]] = {"bulkwright.domain.limits": {"CHUNK_ROWS": 20}}


@dataclass(frozen=True)
class Site:
    """One deployment: its data folder, where its files are, and the options of every command."""

    data: Path
    files: Path
    database: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """But for `--data`."""
        options = ("--files", str(self.files))
        return (*options, "--database", self.database) if self.database else options

    def check(self) -> tuple[int, set[str]]:
        """The exit status of `bulkwright check`, and the codes that it found."""
        done = program(self.data.parent, "check", "--json", "--data", self.data, *self.options)
        assert done.stdout, done.stderr
        return done.returncode, {f["code"] for f in json.loads(done.stdout)["findings"]}


class Kind(Protocol):
    """How a store is backed up and brought back."""

    def site(self, folder: Path) -> Site:
        """An empty deployment."""
        ...

    def back_up(self, site: Site, backup: Path) -> None:
        """Copy the database while it is served."""
        ...

    def restore(self, backup: Path, site: Site) -> None:
        """Fill the database of an empty deployment."""
        ...


class OnSqlite:
    """`VACUUM INTO`: one moment of the file, whatever is written meanwhile."""

    def site(self, folder: Path) -> Site:
        """A folder is enough."""
        (folder / "data").mkdir(parents=True)
        return Site(folder / "data", folder / "files")

    def back_up(self, site: Site, backup: Path) -> None:
        """The commands of the `sqlite3` shell."""
        with closing(sqlite3.connect(site.data / "bulkwright.sqlite")) as store:
            store.execute("VACUUM INTO ?", (str(backup),))

    def restore(self, backup: Path, site: Site) -> None:
        """A copy."""
        shutil.copy(backup, site.data / "bulkwright.sqlite")


class OnPostgres:
    """`pg_dump` and `pg_restore`, of the server's own version."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self._sites = 0
        self._tool("psql", "-qv", "ON_ERROR_STOP=1", "-f", str(ROLE), server.url)

    def site(self, folder: Path) -> Site:
        """A database that the role owns: the one of role.sql, then others like it."""
        name = f"bulkwright_{self._sites}" if self._sites else "bulkwright"
        if self._sites:
            made = f"CREATE DATABASE {name} OWNER bulkwright TEMPLATE template0 ENCODING 'UTF8'"
            self._server.run(made)
        self._sites += 1
        (folder / "data").mkdir(parents=True)
        url = f"postgresql://bulkwright:kept-secret@127.0.0.1:{self._server.port}/{name}"
        return Site(folder / "data", folder / "files", url)

    def back_up(self, site: Site, backup: Path) -> None:
        """As the role itself."""
        self._tool("pg_dump", "--format=custom", f"--file={backup}", site.database)

    def restore(self, backup: Path, site: Site) -> None:
        """As the role itself."""
        options = ("--no-owner", "--exit-on-error", f"--dbname={site.database}")
        self._tool("pg_restore", *options, str(backup))

    def _tool(self, name: str, *arguments: str) -> None:
        done = run_tool(self._server, name, *arguments, ROLE_PASSWORD="kept-secret")
        assert done.returncode == 0, done.stderr


def run_tool(
    server: OwnServer, name: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program of the server's own version."""
    return subprocess.run(
        [Path(server.psql).with_name(name), *arguments],
        env={**os.environ, **environment},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Each store in turn; the server has no role or database of ours before."""
    if request.param == "sqlite":
        yield OnSqlite()
        return
    with own_server() as server:
        yield OnPostgres(server)


def test_the_role_is_not_created_with_the_password_of_a_template() -> None:
    """Neither while its own password is a placeholder, nor the superuser's, nor without one."""
    role = ("-qv", "ON_ERROR_STOP=1", "-f", str(ROLE))
    given = [
        {},
        {"ROLE_PASSWORD": ""},
        {"ROLE_PASSWORD": "CHANGE_ME"},
        {"ROLE_PASSWORD": "own", "POSTGRES_PASSWORD": "CHANGE_ME"},
    ]
    with own_server() as server:
        for environment in given:
            done = run_tool(server, "psql", *role, server.url, **environment)
            assert done.returncode == 3, environment
            assert "Set ROLE_PASSWORD" in done.stderr
        passwords = {"ROLE_PASSWORD": "own", "POSTGRES_PASSWORD": "other"}
        done = run_tool(server, "psql", *role, server.url, **passwords)
        assert done.returncode == 0, done.stderr


@contextmanager
def running(site: Site, workers: int, like: Served | None = None) -> Iterator[Served]:
    """The service of a site; with `like`, asked with the token that another one gave."""
    known = org_of(site) if like is None else like.known
    options = ("--workers", str(workers), *site.options)
    with Served(site.data, *options, dev=False) as served:
        served.known = known
        served.authorize(known["access_token"], known["org_id"])
        yield served


def org_of(site: Site) -> dict[str, str]:
    """The org of a site, made if there is none yet, with an access token."""

    def printed(*line: str) -> str:
        done = program(site.data.parent, *line, "--data", site.data, *site.options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    init = ("init", "--company", "Zylker", "--email", "p@x.example")
    program(site.data.parent, *init, "--data", site.data, *site.options)  # fails if there is one
    (org,) = json.loads(printed("org", "list", "--json"))
    token = printed("token", "create", "--scope", EVERY, "--expires-in", "36000").strip()
    return {"access_token": token, "org_id": str(org["org_id"])}


def interrupt(site: Site, job: str, faults: Path) -> None:
    """A worker takes a job up and is killed when some more of its chunks are done."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "worker", "--data", site.data, *site.options],
        env=fault_environment(faults, SMALL_CHUNKS), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    parts = site.files / "parts" / job
    enough = len([*parts.glob("*")]) + 4
    try:
        assert until(lambda: len([*parts.glob("*")]) >= enough, pause=0.005)
    finally:
        kill(worker)


def details(served: Served, job: str) -> dict[str, Any]:
    """Get Bulk Write Job Details."""
    answer = served.http.get(f"/crm/bulk/v2/write/{job}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def result(served: Served, job: str) -> httpx2.Response:
    """The result of a job."""
    return served.http.get(f"/v2/crm/org{served.org}/bulk-write/{job}/{job}.zip")


def names(zipped: bytes) -> list[str]:
    """The Last_Name of every line of a result, in its order."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return [row["Last_Name"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_database_first_then_files_loses_nothing(kind: Kind, tmp_path: Path) -> None:
    """Results, uploads without a job, an open job, tokens; new work continues from there."""
    first, backup = kind.site(tmp_path / "first"), tmp_path / "backup"
    with running(first, 1) as served:
        done = served.begin(leads(50, "done", bad=3))
        served.ended(done)
    with running(first, 0) as served:
        before = result(served, done).content
        waiting = served.upload(leads(5, "waits")).json()["details"]["file_id"]
        job = served.begin(leads(ROWS, "long"))
        interrupt(first, job, tmp_path / "faults")
        assert details(served, job)["status"] == "INPROGRESS"

        kind.back_up(first, backup)
        # Files of which the copy of the database does not know:
        interrupt(first, job, tmp_path / "faults")
        served.upload(leads(5, "late"))
        assert details(served, job)["status"] == "INPROGRESS"
        second = kind.site(tmp_path / "second")
        shutil.copytree(first.files, second.files)
    kind.restore(backup, second)
    assert second.check() == (0, set())

    with running(second, 1, like=served) as restored:
        assert result(restored, done).content == before
        restored.ended(job)
        assert names(result(restored, job).content) == [f"long{n}" for n in range(ROWS)]
        resource = {"type": "data", "module": "Leads", "file_id": waiting}
        body = {"operation": "insert", "resource": [resource]}
        assert restored.http.post("/crm/bulk/v2/write", json=body).status_code == 201
        again = restored.begin(leads(7, "new"))  # its ids are those of the late upload
        restored.ended(again)
        assert names(result(restored, again).content) == [f"new{n}" for n in range(7)]
    assert second.check() == (0, set())


def test_files_first_loses_what_was_acknowledged_between(kind: Kind, tmp_path: Path) -> None:
    """And `bulkwright check` reports it."""
    first, backup = kind.site(tmp_path / "first"), tmp_path / "backup"
    with running(first, 0) as served:
        second = kind.site(tmp_path / "second")
        shutil.copytree(first.files, second.files)
        assert served.upload(leads(5)).status_code == 200
        kind.back_up(first, backup)
    kind.restore(backup, second)
    assert second.check() == (1, {"upload-missing"})
