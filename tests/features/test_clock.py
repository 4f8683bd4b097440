"""Times in responses are those of the deployment's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from tests.support.deployment import make_tenant

from bulkwright.asgi import create_app
from bulkwright.clock import ManualClock
from bulkwright.settings import Settings
from bulkwright.wiring import open_services


def test_an_error_has_the_time_of_the_clock(tmp_path: Path) -> None:
    """An upload that is no zip: `details.created_time` (facts 2.3)."""
    settings = Settings(tmp_path / "data", dev=True)
    with open_services(settings, ManualClock(datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC))) as opened:
        tenant = make_tenant(opened, "Zylker")
        app = create_app(opened, settings, "http://x")

        async def upload() -> httpx2.Response:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.post(
                    "/crm/v2/upload",
                    headers={
                        "Authorization": f"Zoho-oauthtoken {tenant.token}",
                        "X-CRM-ORG": str(tenant.org.id),
                        "feature": "bulk-write",
                    },
                    files={"file": ("leads.zip", b"no zip")},
                )

        details = asyncio.run(upload()).json()["details"]
    assert details["created_time"] == "2001-02-03T04:05:06+00:00"
