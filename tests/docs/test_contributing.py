"""The example of CONTRIBUTING.md: its four pieces of code are an endpoint that works."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from tests.support.deployment import make_tenant

from bulkwright import asgi
from bulkwright.description.openapi import document
from bulkwright.service import metadata as service
from bulkwright.settings import Settings
from bulkwright.web.route import ParameterDoc
from bulkwright.wiring import open_services
from bulkwright.zoho import routes
from bulkwright.zoho.handlers import metadata as handlers
from bulkwright.zoho.present import metadata as present

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
SERVICE, PRESENTER, HANDLER, ROUTE = re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL)


def defined(code: str, module: ModuleType) -> Callable[..., Any]:
    """The function `user` of a piece of code, which sees the names of its module."""
    names = dict(vars(module))
    exec(f"from __future__ import annotations\n{code}", names)
    function: Callable[..., Any] = names["user"]
    return function


def test_the_example_is_an_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The four pieces are put in their places; the router and the document follow."""
    method = defined(SERVICE, service)
    monkeypatch.setattr(service.MetadataService, "user", method, raising=False)
    monkeypatch.setattr(present, "user", defined(PRESENTER, present), raising=False)
    handler = defined(HANDLER, handlers)
    monkeypatch.setattr(handlers, "user", handler, raising=False)
    route = eval(f"({ROUTE.strip().rstrip(',')})", vars(routes) | {"ParameterDoc": ParameterDoc})
    before = next(i for i, r in enumerate(routes.ROUTES) if r.path.endswith("/{module}"))
    table = (*routes.ROUTES[:before], route, *routes.ROUTES[before:])
    monkeypatch.setattr(routes, "ROUTES", table)

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

    operation = document(table)["paths"]["/crm/{version}/users/{user_id}"]["get"]
    assert operation["operationId"] == "getUser"
    assert [p["name"] for p in operation["parameters"]] == ["version", "user_id"]
    assert operation["security"] == [{"oauthtoken": ["ZohoCRM.users.READ"]}]
