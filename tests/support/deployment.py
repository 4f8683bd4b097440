"""A server inside the test process: real HTTP on loopback, a real store, real files."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from granian.constants import Interfaces
from granian.server.embed import Server as Granian
from tests.support.processes import free_port, listens, until
from tests.support.uploads import LEADS, zipped

from bulkwright.asgi import App, create_app
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Org, User
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.wiring import open_services


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

    def get(self, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
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

    def insert(self, **changes: object) -> dict[str, Any]:
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
            found = self.settings.data.glob("bulkwright.sqlite*")  # also a folder of named pipes
            files = [str(path) for path in found if path.is_file()]
            # In another process: this one loses the locks of its connections with such a file.
            return subprocess.run(["cat", *files], capture_output=True, check=True).stdout
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
    # A day, so that no test that sweeps at a later time ends the token of the others.
    token = services.tokens.issue_access(made.client, scope.EVERY, seconds=24 * 3600)
    return Tenant(org, user, made.client, made.secret, token)


@contextmanager
def deployed(data: Path, database: str = "", **more: Any) -> Iterator[Deployment]:
    """A server with two tenants on a data folder, and on a PostgreSQL database if one is given.

    `more` are settings.
    """
    settings = Settings(data, profile="zoho", dev=True, database=database, **more)
    port = free_port()
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
        with (
            _serving(app, port),
            httpx2.Client(verify=False, base_url=base_url, timeout=30) as http,
        ):
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
        if not until(lambda: listens(self._port)):
            raise TimeoutError("the server does not listen")

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)
