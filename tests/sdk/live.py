"""A live `bulkwright serve --dev` in a process of its own, and the tokens that tests need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

_CODES = """
import sys
from pathlib import Path
from bulkwright.config import Settings
from bulkwright.domain import scope
from bulkwright.wiring import open_services

data, client_id, redirect_uri, number = sys.argv[1:]
with open_services(Settings(Path(data))) as services:
    client = services.accounts.client(client_id)
    for _ in range(int(number)):
        print(services.tokens.issue_code(client, scope.EVERY, redirect_uri=redirect_uri or None))
"""
_CODES_AT_ONCE = 10


class Live:
    """One running service. Everything about it is asked for as an operator or a client would."""

    def __init__(self, data: Path, *options: str) -> None:
        self._data = data
        self._tokens: dict[str, str] = {}
        self._codes: dict[str, list[str]] = {}
        data.mkdir(parents=True)
        self._log = (data / "serve.log").open("wb")
        line = [sys.executable, "-m", "bulkwright", "serve", "--dev", "--port", "0", *options]
        self._process = subprocess.Popen(
            [*line, "--data", str(data)], stdout=subprocess.PIPE, stderr=self._log
        )

    def __enter__(self) -> Self:
        assert self._process.stdout
        ready = self._process.stdout.readline().decode()
        if not ready.startswith("ready http://"):
            self.__exit__(None, None, None)
            raise AssertionError((self._data / "serve.log").read_text("utf-8")[-2000:])
        self.credentials: dict[str, Any] = json.loads(
            (self._data / "dev-credentials.json").read_text("utf-8")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()
        self._log.close()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return str(self.credentials["base_url"])

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
        token = {"Authorization": f"Zoho-oauthtoken {self.credentials['access_token']}"}
        answer = httpx2.get(f"{self.base_url}/crm/v2/{module}/{record_id}", headers=token)
        found: dict[str, Any] = answer.json()["data"][0]
        return found

    def token(self, scopes: str) -> str:
        """An access token with these scopes only."""
        if scopes not in self._tokens:
            line = ["-m", "bulkwright", "token", "create", "--scope", scopes, "--data"]
            self._tokens[scopes] = self._python(*line, str(self._data))
        return self._tokens[scopes]

    def code(self, redirect_uri: str = "") -> str:
        """A new grant code of the development client, without an authorization page."""
        ready = self._codes.setdefault(redirect_uri, [])
        if not ready:
            # They live for ten minutes, and a process for each would take half of the time.
            line = ["-c", _CODES, str(self._data), self.credentials["client_id"], redirect_uri]
            ready += self._python(*line, str(_CODES_AT_ONCE)).split()
        return ready.pop()

    @staticmethod
    def _python(*arguments: str) -> str:
        line = [sys.executable, *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()
