"""Another org, which works as always while it is attacked: how long each of its requests takes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from tests.fairness.attacks import FIELDS, MODULE
from tests.support.deployment import Tenant, make_tenant
from tests.support.served import Served
from tests.support.uploads import zipped

from bulkwright.settings import Settings
from bulkwright.wiring import open_services

PROMISED_SECONDS = 0.25
"""No request of another org waits longer than this for one that attacks."""
BUSY_FACTOR = 5
QUANTILE = 0.95
"""Of this share of the requests: a machine that does other work too has pauses of its own."""


@dataclass
class Times:
    """How long requests took, by kind, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def worst(self, kind: str) -> float:
        """The seconds within which nearly all requests of a kind were answered."""
        ordered = sorted(self.seconds[kind])
        return ordered[min(len(ordered) - 1, int(QUANTILE * len(ordered)))]

    @property
    def kinds(self) -> list[str]:
        """Every kind of request."""
        return list(self.seconds)

    def __str__(self) -> str:
        lines = (
            f"{kind} {len(s)} requests, median {1000 * median(s):.0f} ms, "
            f"{QUANTILE:.0%} within {1000 * self.worst(kind):.0f} ms, most {1000 * max(s):.0f} ms"
            for kind, s in self.seconds.items()
        )
        return "\n".join([*lines, *self.errors[:5]])


SCOPES = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoFiles.files.ALL"
"""Those of the requests that are measured."""


class Victim:
    """A client of an org, with a job of its own."""

    def __init__(self, served: Served, tenant: Tenant) -> None:
        self._tenant = tenant
        self.http = httpx2.Client(base_url=served.base_url, timeout=120)
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {tenant.token}"
        self._upload_headers = {"feature": "bulk-write", "X-CRM-ORG": str(tenant.org.id)}
        self._data = zipped()
        self._file_id = str(self._upload().json()["details"]["file_id"])
        self._job = str(self._create().json()["details"]["id"])

    def work(self, seconds: float, least: int) -> Times:
        """Do everything again and again for this time, and at least `least` times."""
        requests: dict[str, tuple[Callable[[], httpx2.Response], int]] = {
            "token": (self._token, 200),
            "details": (lambda: self.http.get(f"/crm/bulk/v2/write/{self._job}"), 200),
            "upload": (self._upload, 200),
            "create": (self._create, 201),
            "fields": (lambda: self.http.get("/crm/v2/settings/fields?module=Leads"), 200),
            "health": (lambda: self.http.get("/healthz"), 200),
        }
        times = Times()
        until, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < until or rounds < least:
            rounds += 1
            for kind, (ask, status) in requests.items():
                begun = time.monotonic()
                with suppress(httpx2.TimeoutException):
                    answer = ask()
                    if answer.status_code != status:
                        times.errors.append(f"{kind}: {answer.status_code} {answer.text[:200]}")
                    elif kind == "token" and "access_token" not in answer.json():
                        times.errors.append(f"token: {answer.text[:200]}")
                times.seconds[kind].append(time.monotonic() - begun)
            time.sleep(0.02)  # as a client that polls
        return times

    def _token(self) -> httpx2.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._tenant.client.client_id,
            "client_secret": self._tenant.secret,
            "scope": SCOPES,
            "soid": f"ZohoCRM.{self._tenant.org.id}",
        }
        answer = self.http.post("/oauth/v2/token", data=form)
        # The number of tokens that work at once is limited, and a long attack asks for more.
        if token := answer.json().get("access_token"):
            self.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        return answer

    def _upload(self) -> httpx2.Response:
        files = {"file": ("leads.csv.zip", self._data)}
        return self.http.post("/crm/v2/upload", headers=self._upload_headers, files=files)

    def _create(self) -> httpx2.Response:
        resource = {"type": "data", "module": "Leads", "file_id": self._file_id}
        body = {"operation": "insert", "resource": [resource]}
        return self.http.post("/crm/bulk/v2/write", json=body)


class Ring:
    """A server with two orgs: one that attacks, and its victim."""

    def __init__(self, served: Served, data: Path, database: str) -> None:
        with open_services(Settings(data, database=database)) as services:
            fields: list[Any] = list(FIELDS)
            module = {"api_name": MODULE, "singular_label": "A", "plural_label": MODULE}
            services.schema.apply(int(served.org), {"modules": [module | {"fields": fields}]})
            tenant = make_tenant(services, "Victim")
        self.served = served
        self.victim = Victim(served, tenant)
        self._calm: Times | None = None

    def calm(self, seconds: float, least: int, *, again: bool = False) -> Times:
        """How long the requests take while other programs keep the machine busy.

        They are measured once, or `again`.
        """
        if self._calm is None or again:
            self._calm = self.attacked("busy", seconds, least)
        return self._calm

    def attacked(self, name: str, seconds: float, least: int) -> Times:
        """How long they take during an attack."""
        with attacking(name, self.served):
            return self.victim.work(seconds, least)


@contextmanager
def attacking(name: str, served: Served) -> Iterator[None]:
    """Run an attack in a process of its own."""
    command = [sys.executable, "-m", "tests.fairness.attacks", name, served.base_url]
    with subprocess.Popen(
        [*command, served.access_token, served.org], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n", "the attack cannot be prepared"
            yield
        finally:
            process.kill()


@contextmanager
def ring(data: Path, database: str = "") -> Iterator[Ring]:
    """Start a server for an attack."""
    options = ("--profile", "zoho", "--free-disk-mib", "0")
    more = ("--database", database) if database else ()
    with Served(data, *options, *more) as served:
        made = Ring(served, data, database)
        with closing(made.victim.http):
            yield made


def judged(attack: Times, calm: Times) -> list[str]:
    """What breaks the promise: an error, or a wait that the attack and not the machine causes.

    The bound is `PROMISED_SECONDS`, or on a busy machine a multiple of what requests take there
    without an attack.
    """
    problems = list(attack.errors)
    for kind in attack.kinds:
        bound = max(PROMISED_SECONDS, BUSY_FACTOR * calm.worst(kind))
        if attack.worst(kind) > bound:
            problems.append(f"{kind}: {attack.worst(kind):.2f} s, more than {bound:.2f} s")
    return problems
