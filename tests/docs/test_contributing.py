"""The example of CONTRIBUTING.md: its four pieces of code are an endpoint that works."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path

import httpx2
from tests.support.deployment import make_tenant

from bulkwright import asgi
from bulkwright.description.openapi import document
from bulkwright.service import metadata as service
from bulkwright.settings import Settings
from bulkwright.wiring import open_services
from bulkwright.zoho import routes
from bulkwright.zoho.handlers import metadata as handlers
from bulkwright.zoho.present import metadata as present

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
SERVICE, PRESENTER, HANDLER, ROUTE = re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL)


def lines(code: str) -> str:
    """The lines of a piece of code, wherever it is indented."""
    return "\n".join(line.strip() for line in code.strip().splitlines())


def test_the_example_is_the_source() -> None:
    """Its four pieces stand in the modules that the page names."""
    for piece, module in (
        (SERVICE, service), (PRESENTER, present), (HANDLER, handlers), (ROUTE, routes),
    ):  # fmt: skip
        assert lines(piece) in lines(inspect.getsource(module)), piece


def test_the_example_is_an_endpoint(tmp_path: Path) -> None:
    """The router and the document follow from the declaration."""
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings) as services:
        tenant = make_tenant(services, "Zylker")
        user = tenant.user
        app = asgi.create_app(services, settings, "http://x")

        async def call(method: str, user_id: object, token: str = tenant.token) -> httpx2.Response:
            transport = httpx2.ASGITransport(app)
            headers = {"Authorization": f"Zoho-oauthtoken {token}"}
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, f"/crm/v8/users/{user_id}", headers=headers)

        found = asyncio.run(call("GET", user.id))
        assert (found.status_code, found.json()["users"][0]["email"]) == (200, user.email)
        assert asyncio.run(call("GET", 1)).status_code == 204
        assert asyncio.run(call("GET", "x")).status_code == 204
        assert asyncio.run(call("POST", user.id)).json()["code"] == "INVALID_REQUEST_METHOD"
        assert asyncio.run(call("OPTIONS", user.id)).status_code == 204
        narrow = services.tokens.issue_access(tenant.client, "ZohoCRM.org.READ")
        refused = asyncio.run(call("GET", user.id, narrow))
        assert refused.json()["code"] == "OAUTH_SCOPE_MISMATCH"

    operation = document(routes.ROUTES)["paths"]["/crm/{version}/users/{user_id}"]["get"]
    assert operation["operationId"] == "getUser"
    assert [p["name"] for p in operation["parameters"]] == ["version", "user_id"]
    assert operation["security"] == [{"oauthtoken": ["ZohoCRM.users.READ"]}]
