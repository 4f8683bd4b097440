"""The diff of a job and the history of a record over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.support.processes import until
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, problem

pytestmark = pytest.mark.slow


def ended(working: Working, text: str) -> str:
    """The id of an upsert that has ended."""
    body = {"operation": "upsert", "module": "Leads", "find_by": "Email"}
    body["file_id"] = working.served.file_id(text)
    number: str = working.served.http.post(JOBS, json=body).json()["id"]
    working.served.ended(number)
    return number


def test_what_a_job_has_changed(working: Working) -> None:
    """As CSV, as JSON lines, in the full result, and in the history of a record.

    The times of the two writes differ, which is no change of a field.
    """
    http = working.served.http
    begun = int(time.time())
    first = ended(working, "Last_Name,Email\nDiff,diff@x.example\n")
    assert until(lambda: int(time.time()) > begun + 1)
    second = ended(working, "Last_Name,Email\nChanged,diff@x.example\nNew,new-diff@x.example\n")
    answer = http.get(f"{JOBS}/{second}/diff")
    assert answer.status_code == 200, answer.text
    header, *lines = [line.split(",") for line in answer.text.splitlines()]
    assert header == ["record_id", "change", "field", "before", "after", "note"]
    assert [line[1:] for line in lines] == [
        ["UPDATED", "Last_Name", "Diff", "Changed", ""],
        ["ADDED", "Last_Name", "", "New", ""],
        ["ADDED", "Email", "", "new-diff@x.example", ""],
    ]
    found = http.get(f"{JOBS}/{second}/diff", headers={"Accept": "application/x-ndjson"})
    record = json.loads(found.text.splitlines()[0])
    change = {"field": "Last_Name", "before": "Diff", "after": "Changed"}
    assert (record["change"], record["note"], record["fields"]) == ("UPDATED", None, [change])
    rows = http.get(f"{JOBS}/{second}/result?before=true&format=jsonl").text.splitlines()
    assert [json.loads(row)["before"] for row in rows] == [
        {"Last_Name": "Diff", "Email": "diff@x.example"}, None,
    ]  # fmt: skip
    assert "before_Last_Name" in http.get(f"{JOBS}/{second}/result?before=true").text
    path = f"/api/v1/modules/Leads/records/{record['record_id']}/history"
    history: dict[str, Any] = http.get(path).json()
    assert (history["exists"], history["complete"]) == (True, True)
    assert [write["job"] for write in history["writes"]] == [second, first]
    assert history["writes"][0]["fields"] == [change]


def test_what_is_not_there_is_named(working: Working) -> None:
    http = working.served.http
    problem(http.get("/api/v1/modules/Leads/records/7/history"), 404, "NO_SUCH_RECORD")
    problem(http.get("/api/v1/modules/Nothing/records/7/history"), 404, "INVALID_MODULE")
    problem(http.get(f"{JOBS}/7/diff"), 404, "NO_SUCH_JOB")
    job = ended(working, "Last_Name,Email\nGone,gone-diff@x.example\n")
    problem(http.get(f"{JOBS}/{job}/diff?what=1"), 400, "INVALID_PARAMETER")
    problem(http.get(f"{JOBS}/{job}/diff?format=xml"), 400, "INVALID_PARAMETER")
    problem(http.get(f"{JOBS}/{job}/result?before=yes"), 400, "INVALID_PARAMETER")
    assert http.post(f"{JOBS}/{job}/undo").status_code == 201
    assert until(lambda: http.get(f"{JOBS}/{job}/diff").status_code == 409)
    problem(http.get(f"{JOBS}/{job}/diff"), 409, "NO_IMAGES")


def test_records_are_shown_to_those_who_may_read_them(any_server: Deployment) -> None:
    """The scope of jobs alone shows no values of records."""
    token = any_server.token("bulkwright.jobs.ALL")
    headers = {"Authorization": f"Bearer {token}"}
    answer = any_server.http.get("/api/v1/modules/Leads/records/7/history", headers=headers)
    assert problem(answer, 403, "OAUTH_SCOPE_MISMATCH")
