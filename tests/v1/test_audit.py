"""`GET /api/v1/audit` and `GET /api/v1/undos`: lists with pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.support.deployment import Deployment
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, get, problem

from bulkwright.domain.audit import Action

pytestmark = pytest.mark.slow

_INSERT = {"operation": "insert", "module": "Leads"}


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


def test_every_call_that_changes_something_is_recorded(working: Working) -> None:
    """Uploads, jobs of each kind, record calls: who, when, from where, and what."""
    http = working.served.http
    before = {entry["id"] for entry in entries(working)}
    text = "Last_Name,Email\nAudited,audited-call@x.example\n"
    of_zoho = working.served.file_id(text)
    own = http.post("/api/v1/files", files={"file": ("a.csv", text)}).json()["id"]
    job = http.post(JOBS, json={**_INSERT, "file_id": own}).json()["id"]
    dry = http.post(JOBS, json={**_INSERT, "file_id": own, "dry_run": True}).json()["id"]
    other = working.served.ask(of_zoho).json()["details"]["id"]
    query = {"query": {"module": {"api_name": "Leads"}}}
    read = http.post("/crm/bulk/v8/read", json=query).json()["data"][0]["details"]["id"]
    for number in (job, dry, other):
        working.served.ended(number)
    trial = http.post(f"{JOBS}/{job}/undo", json={"dry_run": True}).json()["id"]
    made = http.post("/crm/v8/Leads", json={"data": [{"Last_Name": "R"}, {"Last_Name": "S"}]})
    one, two = (each["details"]["id"] for each in made.json()["data"])
    found = [entry for entry in entries(working) if entry["id"] not in before]
    assert [(entry["action"], entry["detail"].partition(":")[0]) for entry in found] == [
        ("records-changed", "insert Leads"), ("job-created", trial), ("job-created", read),
        ("job-created", other), ("job-created", dry), ("job-created", job),
        ("file-uploaded", own), ("file-uploaded", of_zoho),
    ]  # fmt: skip
    texts = [entry["detail"] for entry in found]
    assert texts[:3] == [
        f"insert Leads: 2 records ({one}, {two})", f"{trial}: undo of {job}, dry run",
        f"{read}: read Leads",
    ]  # fmt: skip
    assert texts[4] == f"{dry}: insert Leads from file {own}, dry run"
    for entry in found:
        assert entry["user"] and entry["time"] and not entry["operator"]
        assert entry["address"] == "127.0.0.1"


def test_a_call_that_changes_nothing_is_not_recorded(working: Working) -> None:
    """Neither one whose records are all refused, nor a repeated one."""
    http = working.served.http
    headers = {"Idempotency-Key": str(uuid4())}
    upload = {"file": ("a.csv", "Last_Name\nR\n")}
    file_id = http.post("/api/v1/files", files=upload, headers=headers).json()["id"]
    made = http.post(JOBS, json={**_INSERT, "file_id": file_id}, headers={"Idempotency-Key": "k"})
    before = entries(working)
    assert http.post("/api/v1/files", files=upload, headers=headers).json()["id"] == file_id
    again = http.post(JOBS, json={**_INSERT, "file_id": file_id}, headers={"Idempotency-Key": "k"})
    assert again.json()["id"] == made.json()["id"]
    assert http.post("/crm/v8/Leads", json={"data": [{"Email": "none"}]}).status_code == 400
    assert http.delete("/crm/v8/Leads?ids=7").status_code == 400
    assert entries(working) == before


def test_changes_and_deletions_of_records_are_recorded(working: Working) -> None:
    """An entry for each call, which names up to ten records."""
    http = working.served.http
    data = [{"Last_Name": f"A{n}", "Email": f"audit{n}@x.example"} for n in range(12)]
    body = {"data": data, "duplicate_check_fields": ["Email"]}
    ids = [
        each["details"]["id"]
        for each in http.post("/crm/v8/Leads/upsert", json=body).json()["data"]
    ]
    http.put(f"/crm/v8/Leads/{ids[0]}", json={"data": [{"Company": "C"}]})
    http.delete(f"/crm/v8/Leads?ids={ids[1]},7")
    details = [entry["detail"] for entry in entries(working)[:3]]
    assert details == [
        f"delete Leads: 1 records ({ids[1]})", f"update Leads: 1 records ({ids[0]})",
        f"upsert Leads: 12 records ({', '.join(ids[:10])}, ...)",
    ]  # fmt: skip


def entries(working: Working) -> list[dict[str, Any]]:
    """The newest entries of the org."""
    page = working.served.http.get("/api/v1/audit").json()
    found: list[dict[str, Any]] = page["entries"]
    return found


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
