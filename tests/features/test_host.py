"""Under --dev only the names of this machine are served: a page of any other may resolve to it."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from tests.features.test_paths import paths
from tests.support.deployment import Deployment
from tests.support.processes import free_port

from bulkwright.asgi import create_app
from bulkwright.ops.standalone import MetricsServer
from bulkwright.settings import Settings
from bulkwright.web.host import is_loopback_host

FOREIGN = "rebound.example:8080"


@pytest.mark.parametrize(
    "path", [*paths(), "/", "/nothing", "/docs/nothing", "/crm/v2/Leads/search"]
)
def test_a_foreign_host_is_misdirected_on_every_path(any_server: Deployment, path: str) -> None:
    """Whatever the method, with a token and without."""
    for method in ("GET", "POST", "OPTIONS"):
        for headers in ({}, any_server.auth(), {"Origin": "http://127.0.0.1:5500"}):
            sent = headers | {"Host": FOREIGN}
            answer = any_server.http.request(method, path, headers=sent)
            assert answer.status_code == 421, (method, path)
            assert answer.json()["code"] == "INVALID_REQUEST"
            assert "localhost" in answer.json()["message"]


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        *((name, True) for name in ("localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080")),
        *((name, True) for name in ("[::1]", "[::1]:8080", "crm.localhost:1")),
        *((name, False) for name in ("", "x", "localhost.evil.example", "127.0.0.1.evil.example")),
        *((name, False) for name in ("evil.example:127", "evil.localhost.example", "[::2]", "::1")),
        *(
            (name, False)
            for name in ("0.0.0.0", "10.0.0.1", "128.0.0.1", "localhost:x", "a@localhost")
        ),
        *((name, False) for name in ("localhost evil.example", "localhost\n", "127.0.0.1,evil")),
    ],
)
def test_the_names_of_this_machine(host: str, is_local: bool) -> None:
    """With a port and without."""
    assert is_loopback_host(host) == is_local


def ask(server: Deployment, settings: Settings, host: str) -> int:
    """The status of a request to an app with other settings on the same services."""
    app = create_app(server.services, settings, "https://crm.example")

    async def call() -> int:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as http:
            return (await http.get("/crm/v2/org", headers=server.auth())).status_code

    return asyncio.run(call())


def test_other_servers_serve_every_name(any_server: Deployment) -> None:
    """Without --dev a proxy decides; with it, the public URL is a name of this server."""
    data = any_server.settings.data
    assert ask(any_server, Settings(data), "rebound.example") == 200
    dev = Settings(data, dev=True, public_url="http://crm.example:8080")
    assert ask(any_server, dev, "crm.example:8080") == 200
    assert ask(any_server, dev, "localhost") == 200
    assert ask(any_server, dev, "rebound.example") == 421


def test_open_metrics_of_a_worker_serve_local_names_only() -> None:
    """Without a token they are for this machine."""
    with MetricsServer(f"127.0.0.1:{free_port()}", "") as metrics:
        assert metrics.respond("/metrics", "", FOREIGN)[0] == 421
        assert metrics.respond("/metrics", "", "127.0.0.1:9100")[0] == 200
