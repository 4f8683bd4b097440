"""APIs and workers as processes of their own, on one database and one file area."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
import psycopg
from tests.support.deployment import make_tenant
from tests.support.processes import fault_environment, until
from tests.support.uploads import zipped

from bulkwright.settings import Settings
from bulkwright.store.postgres.connection import _SESSION
from bulkwright.testing import ServerProcess
from bulkwright.wiring import open_services

LEASE = 1.5
SHORT_WAITS: dict[str, dict[str, object]] = {
    "bulkwright.domain.limits": {
        "CHUNK_ROWS": 200,
        "LEASE_SECONDS": LEASE,
        "BLOCKED_MOST_SECONDS": 0.5,
    },
    "bulkwright.store.postgres.connection": {
        "_SESSION": {
            **_SESSION,
            "statement_timeout": 4_000,
            "idle_in_transaction_session_timeout": int(LEASE * 1000),
        },
        "CONNECT_SECONDS": 2.0,
    },
}
"""Small chunks and short waits; no other constant is changed."""

COLUMNS = ("Last_Name", "Email", "No_of_Employees")
"""The columns of a result."""
Row = tuple[str, str, int]
"""A unique Last_Name, a key, a number."""


def leads(rows: Sequence[Row]) -> str:
    """The CSV of these rows."""
    lines = [",".join(COLUMNS), *(f"{name},{key},{number}" for name, key, number in rows)]
    return "\n".join(lines) + "\n"


def own_rows(prefix: str, count: int) -> list[Row]:
    """Rows whose keys have a prefix."""
    return [(f"{prefix}r{n}", f"{prefix}k{n}@x.example", n) for n in range(count)]


@dataclass(frozen=True)
class Customer:
    """An org and its access token."""

    org: int
    token: str


@dataclass(frozen=True)
class Asked:
    """An accepted job, and its rows."""

    id: int
    customer: Customer
    rows: Sequence[Row]


class Api(ServerProcess):
    """A `bulkwright serve` of a site, and a client of it."""

    def start(self, seconds: float = 60.0) -> None:
        """Start it and wait until it is ready."""
        super().start(seconds)
        self.url = self.base_url
        self.http = httpx2.Client(verify=False, base_url=self.url, timeout=60)

    def get(self, customer: Customer, path: str) -> httpx2.Response:
        """GET as a customer."""
        return self.http.get(path, headers=_auth(customer))

    def upload(self, customer: Customer, rows: Sequence[Row]) -> httpx2.Response:
        """Upload these rows."""
        headers = {"feature": "bulk-write", "X-CRM-ORG": str(customer.org)} | _auth(customer)
        files = {"file": ("leads.csv.zip", zipped(leads(rows)))}
        return self.http.post("/crm/v2/upload", headers=headers, files=files)

    def create(
        self, customer: Customer, file_id: str, operation: str, **more: object
    ) -> httpx2.Response:
        """POST a job; records are found by their key."""
        resource = {
            "type": "data",
            "module": "Leads",
            "file_id": file_id,
            "find_by": "Email",
            "field_mappings": [{"api_name": c, "index": n} for n, c in enumerate(COLUMNS)],
        }
        body = {"operation": operation, "resource": [resource], **more}
        return self.http.post("/crm/bulk/v2/write", headers=_auth(customer), json=body)

    def ask(
        self, customer: Customer, rows: Sequence[Row], operation: str = "upsert", **more: object
    ) -> Asked:
        """Upload these rows and create a job on them."""
        sent = self.upload(customer, rows)
        assert sent.status_code == 200, sent.text
        made = self.create(customer, sent.json()["details"]["file_id"], operation, **more)
        assert made.status_code == 201, made.text
        return Asked(int(made.json()["details"]["id"]), customer, rows)

    def details(self, asked: Asked) -> dict[str, Any]:
        """Get Bulk Write Job Details."""
        answer = self.get(asked.customer, f"/crm/bulk/v2/write/{asked.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, asked: Asked, seconds: float = 300.0) -> str:
        """The status that a job ends with, or its status after `seconds`."""
        final = ("COMPLETED", "FAILED")
        until(lambda: self.details(asked)["status"] in final, seconds, 0.05)
        return str(self.details(asked)["status"])

    def result(self, asked: Asked) -> bytes:
        """The result of a job: a zip."""
        path = f"/v2/crm/org{asked.customer.org}/bulk-write/{asked.id}/{asked.id}.zip"
        answer = self.get(asked.customer, path)
        assert answer.status_code == 200, answer.text
        return answer.content


class Site:
    """One deployment. Leaving the block ends all of its processes."""

    def __init__(
        self,
        folder: Path,
        database: str,
        *,
        files: str = "",
        constants: dict[str, dict[str, object]] | None = None,
        at_once: int = 1,
    ) -> None:
        """Each process runs that number of parts of a job `at_once`."""
        self.data = folder / "data"
        self.database = database
        self._files = files
        self._log = folder / "log"
        self.faults = folder / "faults"
        self._environment = fault_environment(
            self.faults, SHORT_WAITS if constants is None else constants
        ) | {"BULKWRIGHT_PARTS_AT_ONCE": str(at_once)}
        self._processes: list[subprocess.Popen[str]] = []
        self._apis: list[Api] = []
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for api in self._apis:
            api.http.close()
            api.terminate()
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self._processes:
            try:
                process.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        for api in self._apis:
            api.stop(30)
        if self._connection is not None:
            self._connection.close()

    @property
    def log(self) -> str:
        """The logs of all processes."""
        logs = [self._log, *(api.log_path for api in self._apis)]
        return "".join(path.read_text() for path in logs if path.exists())

    def customers(self, count: int = 1) -> list[Customer]:
        """New orgs."""
        with open_services(Settings(self.data, database=self.database)) as services:
            made = (make_tenant(services, f"Zylker{n}") for n in range(count))
            return [Customer(tenant.org.id, tenant.token) for tenant in made]

    def run(
        self, *arguments: object, database: str = "", prefix: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start the program on this deployment."""
        line = (*arguments, "--data", self.data, *self._options(database))
        with self._log.open("a") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "bulkwright", *map(str, line)],
                stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def api(self, database: str = "", workers: int = 0, *more: str) -> Api:
        """Start an API."""
        made = Api(
            self.data, "--workers", str(workers), *self._options(database), *more,
            dev=False, log=self._log.with_name(f"api{len(self._apis)}"),
            environment=self._environment,
        )  # fmt: skip
        made.start()
        self._apis.append(made)
        return made

    def _options(self, database: str) -> list[str]:
        files = ["--files", self._files] if self._files else []
        return ["--database", database or self.database, *files]

    def worker(self, database: str = "", prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a worker."""
        return self.run("worker", database=database, prefix=prefix)

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query, which runs on a connection of the test.

        The connection is kept, because tests ask again and again while they wait.
        """
        if self._connection is not None:
            with suppress(psycopg.OperationalError):  # the server was stopped since
                return self._connection.execute(sql.encode(), values or None).fetchall()
            self._connection.close()
        self._connection = psycopg.connect(self.database, autocommit=True, prepare_threshold=None)
        return self._connection.execute(sql.encode(), values or None).fetchall()

    def number(self, sql: str, *values: object) -> int:
        """The one number that a query returns."""
        ((number,),) = self.ask(sql, *values)
        return int(number or 0)

    def chunks(self, asked: Asked) -> int:
        """How many chunks of a job are committed."""
        return self.number("SELECT count(*) FROM ledger WHERE job_id = %s", asked.id)

    def holder(self, asked: Asked) -> int:
        """The process that claimed a job last; 0 before the first."""
        ((name,),) = self.ask("SELECT lease_holder FROM jobs WHERE id = %s", asked.id)
        return int(name.rpartition("/")[2]) if name else 0


def _auth(customer: Customer) -> dict[str, str]:
    return {"Authorization": f"Zoho-oauthtoken {customer.token}"}


@contextmanager
def locked(database: str, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of another program that has run these statements and stays open."""
    with closing(psycopg.connect(database)) as foreign:
        for statement in statements:
            foreign.execute(statement.encode())
        yield foreign
        foreign.rollback()
