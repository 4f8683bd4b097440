"""`GET /api/v1/audit` and `GET /api/v1/undos`: lists with pages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, get, problem

from bulkwright.domain.audit import Action

pytestmark = pytest.mark.slow


def test_the_entries_of_an_org_in_pages(server: Deployment) -> None:
    org = server.tenant.org.id
    for number in range(3):
        server.services.audit.record(Action.JOB_ABORTED, org_id=org, detail=f"audited {number}")
    server.services.audit.record(Action.JOB_ABORTED, org_id=org + 1, detail="of another org")
    found: list[dict[str, Any]] = []
    path: str | None = "/api/v1/audit?action=job-aborted&limit=2"
    while path is not None:
        page = get(server, path)
        found += page["entries"]
        cursor = page["next_cursor"]
        path = cursor and f"/api/v1/audit?action=job-aborted&limit=2&cursor={cursor}"
    assert [e["detail"] for e in found][:3] == ["audited 2", "audited 1", "audited 0"]
    assert {e["action"] for e in found} == {"job-aborted"} and found[0]["operator"]
    assert "of another org" not in {e["detail"] for e in found}


def test_the_audit_log_has_a_scope_of_its_own(any_server: Deployment) -> None:
    token = any_server.token("bulkwright.jobs.ALL")
    problem(any_server.get("/api/v1/audit", token), 403, "OAUTH_SCOPE_MISMATCH")
    problem(any_server.get("/api/v1/audit?action=nothing"), 400, "INVALID_PARAMETER")
    problem(any_server.get("/api/v1/undos?status=ADDED"), 400, "INVALID_PARAMETER")


def test_undos_are_listed(working: Working) -> None:
    http = working.served.http
    made = []
    for number in range(2):
        text = f"Last_Name,Email\nUndone,listed{number}@x.example\n"
        body = {"operation": "insert", "module": "Leads", "file_id": working.served.file_id(text)}
        job = http.post(JOBS, json=body).json()["id"]
        working.served.ended(job)
        made.append(http.post(f"{JOBS}/{job}/undo").json()["id"])
    first = http.get("/api/v1/undos?limit=1").json()
    assert [undo["id"] for undo in first["undos"]] == [made[1]]
    rest = http.get(f"/api/v1/undos?limit=1&cursor={first['next_cursor']}").json()
    assert [undo["id"] for undo in rest["undos"]] == [made[0]]
