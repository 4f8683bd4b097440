"""A version is listed once, in zoho/versions.py: everything else follows from that table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from tests.features.filled import filled
from tests.support.deployment import Tenant, make_tenant
from tests.support.uploads import zipped

from bulkwright.asgi import App, create_app
from bulkwright.settings import Settings
from bulkwright.wiring import open_services
from bulkwright.zoho.routes import ROUTES
from bulkwright.zoho.versions import VERSIONS, Version

NEW = "v99"
TABLE = {**VERSIONS, NEW: Version(NEW)}
VERSIONED = [route for route in ROUTES if "{version}" in route.path]


class Newer(NamedTuple):
    """An app that serves one version more, and a tenant of it."""

    app: App
    tenant: Tenant


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newer]:
    """The app over an empty deployment."""
    settings = Settings(tmp_path_factory.mktemp("versions"), dev=True)
    with open_services(settings) as services:
        app = create_app(services, settings, "http://x", versions=TABLE)
        yield Newer(app, make_tenant(services, "Zylker"))


def send(newer: Newer, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx2.Response]:
    """Send requests with a token that carries all scopes."""
    app, tenant = newer

    async def run() -> list[httpx2.Response]:
        headers = {
            "Authorization": f"Zoho-oauthtoken {tenant.token}",
            "X-CRM-ORG": str(tenant.org.id),
        }
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            http.headers.update(headers)
            return [await http.request(method, path, **more) for method, path, more in requests]

    return asyncio.run(run())


def fields_of(path: str, version: str) -> str:
    """A path of a route with its parameters."""
    return f"{filled(path, version=version)}?fields=Last_Name"


@pytest.mark.parametrize("version", [*VERSIONS, NEW])
def test_every_route_serves_every_version_of_the_table(newer: Newer, version: str) -> None:
    """Also one that is added to it; the response is that of v2 until the data says otherwise."""
    for route in VERSIONED:
        if route.path.endswith("/actions/count"):
            continue  # it exists from v2.1 on
        first, second, none = send(
            newer,
            (route.method, fields_of(route.path, "v2"), {}),
            (route.method, fields_of(route.path, version), {}),
            (route.method, fields_of(route.path, "v98"), {}),
        )
        assert first.status_code == second.status_code, route.path
        assert json.loads(first.content or "{}").get("code") == json.loads(
            second.content or "{}"
        ).get("code")
        assert (none.status_code, none.json()["code"]) == (404, "INVALID_URL_PATTERN")


def test_a_new_version_presents_jobs_and_links(newer: Newer) -> None:
    """Upload, create and details under a version that the code does not know by name."""
    (upload,) = send(
        newer,
        ("POST", f"/crm/{NEW}/upload", {
            "headers": {"feature": "bulk-write"}, "files": {"file": ("a.zip", zipped())},
        }),
    )  # fmt: skip
    resource = {
        "type": "data",
        "module": {"api_name": "Leads"},
        "file_id": upload.json()["details"]["file_id"],
        "field_mappings": [{"api_name": "Last_Name", "index": 0}],
    }
    body = {"operation": "insert", "resource": [resource]}
    (created,) = send(newer, ("POST", f"/crm/bulk/{NEW}/write", {"json": body}))
    job = created.json()["details"]["id"]
    (details,) = send(newer, ("GET", f"/crm/bulk/{NEW}/write/{job}", {}))
    assert details.json()["resource"][0]["module"]["api_name"] == "Leads"


def test_no_other_module_names_a_version() -> None:
    """The table is the only list of versions in src, beside documentation samples."""
    source = Path(__file__).parents[2] / "src" / "bulkwright"
    named = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if len(set(re.findall(r"[\"'](v\d(?:\.\d)?)[\"']", path.read_text("utf-8")))) > 2
    }
    assert named - {"description/samples.py"} == {"zoho/versions.py"}
