"""A live `bulkwright serve --dev` in a process of its own, and the tokens that tests need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
from tests.support.processes import clean_environment

from bulkwright.testing import ServerProcess

_CODES = """
import os, sys
from pathlib import Path
from bulkwright.settings import Settings
from bulkwright.domain import scope
from bulkwright.wiring import open_services

data, client_id, redirect_uri, number = sys.argv[1:]
with open_services(Settings(Path(data), os.environ.get("BULKWRIGHT_DATABASE", ""))) as services:
    client = services.accounts.client(client_id)
    for _ in range(int(number)):
        print(services.tokens.issue_code(client, scope.EVERY, redirect_uri=redirect_uri or None))
"""
_CODES_AT_ONCE = 10


class Live(ServerProcess):
    """One running service. Everything about it is asked for as an operator or a client would.

    With a `database` it is on PostgreSQL, otherwise on SQLite.
    """

    def __init__(self, data: Path, *options: str, database: str = "") -> None:
        self._with_database = clean_environment(
            **({"BULKWRIGHT_DATABASE": database} if database else {})
        )
        super().__init__(data, *options, log=data / "serve.log", environment=self._with_database)
        self._tokens: dict[str, str] = {}
        self._codes: dict[str, list[str]] = {}

    def who(self, **token: str) -> dict[str, Any]:
        """What an SDK is initialised with: by its refresh token, or by another `token`."""
        mine = {"refresh_token": self.credentials["refresh_token"]}
        client = {k: self.credentials[k] for k in ("client_id", "client_secret")}
        known = ("base_url", "accounts_url", "upload_url", "org_id")
        place = {k: self.credentials[k] for k in known}
        email = self.credentials["user"]["email"]
        return {**place, "email": email, "token": {**client, **(token or mine)}}

    def record(self, module: str, record_id: str) -> dict[str, Any]:
        """A record as it is stored."""
        path = f"/crm/v2/{module}/{record_id}"
        answer = httpx2.get(self.base_url + path, headers=self.headers, verify=False)
        found: dict[str, Any] = answer.json()["data"][0]
        return found

    def token(self, scopes: str) -> str:
        """An access token with these scopes only."""
        if scopes not in self._tokens:
            line = ["-m", "bulkwright", "token", "create", "--scope", scopes, "--data"]
            self._tokens[scopes] = self._python(*line, str(self.data))
        return self._tokens[scopes]

    def code(self, redirect_uri: str = "") -> str:
        """A new grant code of the development client, without an authorization page."""
        ready = self._codes.setdefault(redirect_uri, [])
        if not ready:
            # They live for ten minutes, and a process for each would take half of the time.
            line = ["-c", _CODES, str(self.data), self.credentials["client_id"], redirect_uri]
            ready += self._python(*line, str(_CODES_AT_ONCE)).split()
        return ready.pop()

    def _python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self._with_database, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()
