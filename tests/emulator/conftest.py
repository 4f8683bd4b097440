"""A server of `serve --dev` on each store, and its controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.postgres import Server
from tests.support.served import Served


class Emulated(Served):
    """A server whose controls are called."""

    is_on_postgres = False
    """Whether its database is PostgreSQL."""

    def control(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """Calls a control."""
        return self.http.request(method, f"/api/v1/emulator{path}", **more)

    def requests(self, **filters: object) -> list[dict[str, Any]]:
        """The requests that the log holds."""
        answer = self.control("GET", "/requests", params=filters)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def emulated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulated]:
    """A server of this session with a worker, on each store in turn."""
    data = tmp_path_factory.mktemp("emulated") / "data"
    options = []
    if request.param == "postgres":
        postgres: Server = request.getfixturevalue("postgres")
        options = ["--database", postgres.database()]
    with Emulated(data, *options) as running:
        running.is_on_postgres = bool(options)
        yield running
