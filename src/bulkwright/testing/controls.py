"""What a test does to a server beside calling it: the controls of the emulator, as methods.

They need the standard library only. docs/emulator.md says what each control does.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]
_CONTROLS = "/api/v1/emulator"
_PAGE = 200
_SECONDS = 90.0
_turn = threading.Lock()
"""Threads of a test call controls one after the other, over one connection."""


class ControlFailed(Exception):
    """The server has rejected a call; the message has its code and says what to do."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        try:
            self.problem: Json = json.loads(body)
        except ValueError:
            self.problem = {}
        code = self.problem.get("code", status)
        text = self.problem.get("detail") or self.problem.get("message") or "no message"
        details = self.problem.get("details") or ""
        super().__init__(f"{code}: {text} {details}".rstrip())


class TestClock:
    """The clock of a server: what users see follows it."""

    __test__ = False  # the name is none of a test

    def __init__(self, server: EmulatorControls) -> None:
        self._server = server

    @property
    def now(self) -> datetime:
        """The time that the server shows."""
        return datetime.fromisoformat(self._server.control("GET", "/clock")["now"])

    def set(self, now: datetime | str, *, frozen: bool | None = None) -> None:
        """Show another time: a datetime with a time zone, or its ISO form."""
        text = now.isoformat() if isinstance(now, datetime) else now
        self._change(now=text, frozen=frozen)

    def move(self, by: float | str) -> None:
        """Move the clock by seconds, or by a text such as `90s`, `15m`, `2h`, `7d`."""
        self._change(move=by)

    def freeze(self, now: datetime | str | None = None) -> None:
        """Let the clock stand, now or at another time."""
        if now is None:
            self._change(frozen=True)
        else:
            self.set(now, frozen=True)

    def real(self) -> None:
        """Show the time of the machine again."""
        self._server.control("DELETE", "/clock")

    def _change(self, **change: object) -> None:
        given = {name: value for name, value in change.items() if value is not None}
        self._server.control("PUT", "/clock", given)


class EmulatorControls:
    """The controls of a `bulkwright serve --dev`.

    Base, accounts and upload URL of a client are all `base_url`.
    """

    base_url = ""
    """`http://HOST:PORT`."""
    _connection: http.client.HTTPConnection | None = None

    @property
    def credentials(self) -> Json:
        """The development credentials: `access_token`, `client_id`, `org_id` ..."""
        raise NotImplementedError

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header of the development user."""
        return {"Authorization": f"Zoho-oauthtoken {self.credentials['access_token']}"}

    # What clients need

    @property
    def token_url(self) -> str:
        """Where SDKs get access tokens."""
        return f"{self.base_url}/oauth/v2/token"

    def new_org(self, company_name: str = "Zylker 2") -> Json:
        """Make another org and return its credentials: no test of one sees data of another."""
        return self.control("POST", "/orgs", {"company_name": company_name})

    def initialize_sdk(self, folder: Path) -> str:
        """Point the official Python SDK that is installed (2.0, 2.1 or 8.0) at this server.

        The SDK keeps its files in `folder`, tokens too: give a new one for each test, such as
        `tmp_path`, because a reset revokes them. Returns the name of the SDK. Raises ImportError
        without one.
        """
        from bulkwright.testing.sdks import initialize_sdk

        return initialize_sdk(self.credentials, folder)

    # State

    def reset(self) -> None:
        """Restore the state at the start of the server."""
        self.control("POST", "/reset")

    def take_baseline(self) -> None:
        """Make the state as it is now the one that `reset` restores."""
        self.control("POST", "/baseline")

    def seed(self, module: str, records: Sequence[Mapping[str, object]] | Path | str) -> list[str]:
        """Add records and return their ids: dicts, or the path of a CSV or JSON file.

        A JSON file holds a list of records.
        """
        if not isinstance(records, Path | str):
            body = {module: [dict(record) for record in records]}
            return list(self.control("POST", "/seed", body)["modules"][0]["ids"])
        path = Path(records)
        if path.suffix.lower() == ".json":
            return self.seed(module, json.loads(path.read_text("utf-8")))
        found = self.control(
            "POST", f"/seed?{urlencode({'module': module})}", path.read_bytes(), "text/csv"
        )
        return list(found["modules"][0]["ids"])

    def save_snapshot(self, path: Path) -> None:
        """Save the whole state to a file."""
        path.write_bytes(self._called("GET", f"{_CONTROLS}/snapshot"))

    def load_snapshot(self, path: Path) -> None:
        """Replace the whole state by that of a file."""
        self.control("PUT", "/snapshot", path.read_bytes(), "application/zip")

    # Behaviour

    @property
    def clock(self) -> TestClock:
        """The clock of the server."""
        return TestClock(self)

    def pace(self, progression: str, **measure: object) -> None:
        """Say how jobs progress: `immediate`, `polls=N`, `time="10m"`, `held` with `at=STATUS`."""
        self.control("PUT", "/pace", {"progression": progression, **measure})

    def fault(self, **rule: object) -> Json:
        """Add a rule that makes requests fail; returns it with its id."""
        return self.control("POST", "/faults", rule)

    # What happened

    def requests(self, **filters: object) -> list[Json]:
        """Return the requests that the server has answered, oldest first."""
        query = {k: str(v).lower() if isinstance(v, bool) else v for k, v in filters.items()}
        return list(self.control("GET", f"/requests?{urlencode(query)}")["requests"])

    def har(self, **filters: object) -> Json:
        """Return the same requests as a HAR document."""
        return self.control("GET", f"/requests?{urlencode({**filters, 'format': 'har'})}")

    def records(self, module: str) -> list[Json]:
        """Return all records of a module, newest last, as version 2 of the API shows them.

        No fault rule concerns this, and it is not among the requests.
        """
        found: list[Json] = []
        page = 1
        while True:
            query = urlencode(
                {"page": page, "per_page": _PAGE, "sort_by": "id", "sort_order": "asc"}
            )
            body = self._called("GET", f"{_CONTROLS}/view/crm/v2/{module}?{query}")
            if not body:
                return found
            answer = json.loads(body)
            found += answer["data"]
            if not answer["info"]["more_records"]:
                return found
            page += 1

    def jobs(self) -> list[Json]:
        """Return the newest jobs of the org, newest first, as `/api/v1/jobs` shows them."""
        return list(self.control("GET", "/view/api/v1/jobs")["jobs"])

    # HTTP

    def control(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | bytes | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Call a control and return its answer; {} if it has none. Raises ControlFailed."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = self._called(method, f"{_CONTROLS}{path}", sent, content_type)
        return dict(json.loads(answer)) if answer else {}

    def _called(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> bytes:
        headers = self.headers | ({"Content-Type": content_type} if content_type else {})
        with _turn:
            try:
                status, content = self._sent(method, path, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server ends a connection that was not used for a while.
                self.disconnect()
                status, content = self._sent(method, path, body, headers)
        if status >= 400:
            raise ControlFailed(status, content)
        return content

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = _connect(self.base_url)
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Close the connection for controls; the next control opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(url: str) -> http.client.HTTPConnection:
    where = urlsplit(url)
    host, port = where.hostname or "", where.port
    if where.scheme == "https":
        import ssl

        # The server is on loopback, with a certificate that was made for a test.
        context = ssl._create_unverified_context()  # noqa: S323
        return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=_SECONDS)
