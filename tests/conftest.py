"""A server on loopback for the whole session: real HTTP, a real SQLite file, real files."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx2
import psycopg
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server as Granian
from tests.engine.bench import opened
from tests.postgres import Server, postgres_server
from tests.sdk.record import keep_record

from bulkwright.api.app import App, create_app
from bulkwright.config import Settings
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Org, User
from bulkwright.wiring import Services, open_services

LEADS = "Last_Name,Company,Email\nBoyle,Zylker,p@zylker.example\nKay,Zylker,k@zylker.example\n"


def zipped(text: str | bytes = LEADS, name: str = "leads.csv", **others: bytes) -> bytes:
    """A zip with one CSV, and other members by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        for other, data in others.items():
            archive.writestr(other, data)
    return buffer.getvalue()


@dataclass(frozen=True)
class Tenant:
    """One org of the test server, with everything needed to call it."""

    org: Org
    user: User
    client: OAuthClient
    secret: str
    token: str


@dataclass(frozen=True)
class Deployment:
    """The running server and what stands behind it."""

    base_url: str
    app: App
    settings: Settings
    services: Services
    tenant: Tenant
    other: Tenant
    http: httpx2.Client

    def token(self, scopes: str, tenant: Tenant | None = None) -> str:
        """An access token with these scopes only."""
        return self.services.tokens.issue_access((tenant or self.tenant).client, scopes)

    def auth(self, token: str | None = None) -> dict[str, str]:
        """The header of a caller."""
        return {"Authorization": f"Zoho-oauthtoken {token or self.tenant.token}"}

    def get(self, path: str, token: str | None = None, **more: object) -> httpx2.Response:
        """GET as the tenant."""
        return self.http.get(path, headers=self.auth(token), **more)

    def upload(
        self,
        data: bytes | None = None,
        *,
        tenant: Tenant | None = None,
        token: str | None = None,
        **headers: str,
    ) -> httpx2.Response:
        """POST an upload; headers with a value of "" are left out."""
        who = tenant or self.tenant
        wanted = {"feature": "bulk-write", "X-CRM-ORG": str(who.org.id)}
        wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {k: v for k, v in wanted.items() if v} | self.auth(token or who.token)
        files = {"file": ("leads.csv.zip", zipped() if data is None else data)}
        return self.http.post("/crm/v2/upload", headers=sent, files=files)

    def file_id(self, text: str | bytes = LEADS, *, tenant: Tenant | None = None) -> str:
        """The id of a new upload with one CSV."""
        answer = self.upload(zipped(text), tenant=tenant)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["details"]["file_id"])

    def create(
        self, body: object, *, token: str | None = None, version: str = "v2"
    ) -> httpx2.Response:
        """POST a create request; bytes are sent as they are."""
        headers = self.auth(token)
        url = f"/crm/bulk/{version}/write"
        if isinstance(body, bytes):
            return self.http.post(url, headers=headers, content=body)
        return self.http.post(url, headers=headers, json=body)

    def job_id(self, **changes: object) -> int:
        """The id of a new job that inserts leads."""
        answer = self.create(self.insert(**changes))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["details"]["id"])

    def insert(self, **changes: object) -> dict[str, object]:
        """A sound create request; `changes` go into its resource, None takes a key out."""
        resource: dict[str, object] = {
            "type": "data",
            "module": "Leads",
            "field_mappings": [
                {"api_name": "Last_Name", "index": 0},
                {"api_name": "Company", "index": 1},
                {"api_name": "Email", "index": 2},
            ],
        }
        if "file_id" not in changes:
            resource["file_id"] = self.file_id()
        resource |= changes
        return {
            "operation": "insert",
            "resource": [{k: v for k, v in resource.items() if v is not None}],
        }

    def stored(self) -> bytes:
        """Everything that the store holds."""
        if not self.settings.database:
            return b"".join(p.read_bytes() for p in self.settings.data.glob("bulkwright.sqlite*"))
        with psycopg.connect(self.settings.database) as connection:
            tables = connection.execute("SELECT quote_ident(relname) FROM pg_stat_user_tables")
            dump = b""
            for (table,) in tables.fetchall():
                with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
                    dump += b"".join(map(bytes, copy))
        return dump


def make_tenant(services: Services, company: str) -> Tenant:
    """A new org with a user, a client and a token that carries every scope."""
    org = services.setup.create_org(company, time_zone="America/Los_Angeles")
    user = services.setup.create_user(org, "Patricia", "Boyle", f"p@{company.lower()}.example")
    made = services.setup.register_client(user, ClientKind.SELF, "Tests")
    assert made.secret is not None
    token = services.tokens.issue_access(made.client, scope.EVERY)
    return Tenant(org, user, made.client, made.secret, token)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A server of this session, on each store in turn."""
    data = tmp_path_factory.mktemp("data") / "data"
    on_postgres = request.param == "postgres"
    database = request.getfixturevalue("postgres").database() if on_postgres else ""
    settings = Settings(data, profile="zoho", dev=True, database=database)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}"
    with open_services(settings) as services:
        tenant, other = make_tenant(services, "Zylker"), make_tenant(services, "Other")
        services.setup.register_client(
            tenant.user,
            ClientKind.JAVASCRIPT,
            "Browser",
            redirect_uris=("http://127.0.0.1:5500/redirect.html",),
            client_id="1000.NPY9M1V0XXXXXXXXXXXXXXXXXXXF7H",
        )
        app = create_app(services, settings, base_url)
        with _serving(app, port), httpx2.Client(base_url=base_url, timeout=30) as http:
            yield Deployment(base_url, app, settings, services, tenant, other, http)


class _serving:
    """Granian on a thread, until the block ends."""

    def __init__(self, app: App, port: int) -> None:
        self._server = Granian(
            app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()

    def __enter__(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.01)
        raise TimeoutError("the server does not listen")

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)


@pytest.fixture
def data_path(tmp_path: Path) -> Path:
    """A fresh data folder."""
    return tmp_path / "data"


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Each store in turn: what is tested with it is promised of both."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        return SqliteStore(folder)
    return PostgresStore(request.getfixturevalue("postgres"), folder)


FIRST = ("domain", "wire", "service", "csvzip", "engine", "features", "docs", "properties")
LAST = (
    "benchmarks", "hostile", "faults", "dbfaults", "workers", "cluster", "sdk", "browser", "crash",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: what is broken shows within seconds."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        if folder in FIRST:
            return FIRST.index(folder) - len(FIRST)
        return 1 + LAST.index(folder) if folder in LAST else 0

    items.sort(key=place)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what could not be tested here, however quiet pytest is."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(r for r in reasons if "NOT TESTED" in r):
        terminalreporter.write_line(reason, yellow=True, bold=True)
    keep_record(terminalreporter, config)
