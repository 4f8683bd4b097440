"""`on_error: all_or_nothing` and `priority` of a job, over HTTP."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, problem
from tests.v1.test_new_jobs import created, send_job, wanted

pytestmark = pytest.mark.slow

Json = dict[str, Any]
ROWS = 300


def ended(working: Working, text: str, operation: str, **more: object) -> Json:
    """A job at its end."""
    body = {"operation": operation, "module": "Leads", "file_id": working.served.file_id(text)}
    answer = working.served.http.post(JOBS, json={**body, **more})
    assert answer.status_code == 201, answer.text
    number = answer.json()["id"]
    working.served.ended(number, statuses=("COMPLETED", "FAILED"))
    found: Json = working.served.http.get(f"{JOBS}/{number}").json()
    return found


def test_a_refused_row_leaves_nothing(working: Working) -> None:
    """The failed rows are the whole file, and the undo is one like any other."""
    http = working.served.http
    text = "Last_Name,Email\n" + "".join(f"A{n},aon{n}@x.example\n" for n in range(ROWS))
    job = ended(working, text + "B,none\n", "insert", on_error="all_or_nothing")
    assert (job["status"], job["code"]) == ("FAILED", "TOO_MANY_ERRORS")
    assert job["on_error"] == "all_or_nothing"
    assert (job["rows"]["added"], job["rows"]["skipped"]) == (0, 1)
    assert job["rows_unprocessed"] == ROWS
    undo = http.get(f"/api/v1/undos/{job['undo']}").json()
    assert (undo["job"], undo["status"]) == (job["id"], "COMPLETED")
    assert undo["records"] == {"removed": ROWS, "restored": 0, "kept": 0}
    assert http.get(f"{JOBS}/{job['id']}/failed-rows").text == text + "B,none\n"
    first = http.get(f"{JOBS}/{job['id']}/result?format=jsonl").text.splitlines()[0]
    assert "The job stores all rows or none" in first
    table = list(csv.DictReader(http.get(f"{JOBS}/{job['id']}/result").text.splitlines()))
    assert table[0]["message"] == "The job stores all rows or none. It could not store all."
    assert (table[0]["Last_Name"], table[0]["Email"]) == ("A0", "aon0@x.example")
    assert working.served.details(job["id"])["status"] == "FAILED"
    good = ended(working, text, "insert", on_error="all_or_nothing", find_by="Email")
    assert (good["status"], good["rows"]["added"], good["undo"]) == ("COMPLETED", ROWS, None)


def test_a_dry_run_counts_the_rows_that_would_not_be_stored(working: Working) -> None:
    """The counts are those of the real job, which is run afterwards."""
    text = "Last_Name,Email\n" + "".join(f"D{n},dry{n}@x.example\n" for n in range(ROWS))
    dry, real = (
        ended(working, text + "B,none\n", "insert", on_error="all_or_nothing", dry_run=dry_run)
        for dry_run in (True, False)
    )
    assert dry["rows_unprocessed"] == ROWS
    for key in ("status", "code", "rows", "rows_unprocessed"):
        assert dry[key] == real[key], key
    lines = working.served.http.get(f"{JOBS}/{dry['id']}/result").text.splitlines()
    assert sum(",UNPROCESSED," in line for line in lines) == ROWS


def test_unchanged_rows_are_counted_by_themselves(working: Working) -> None:
    http = working.served.http
    text = "Last_Name,Email\n" + "".join(f"U{n},same{n}@x.example\n" for n in range(3))
    ended(working, text, "upsert", find_by="Email")
    job = ended(working, text.replace("U1", "V1"), "upsert", find_by="Email")
    rows = job["rows"]
    assert (rows["processed"], rows["updated"], rows["unchanged"]) == (3, 1, 2)
    lines = http.get(f"{JOBS}/{job['id']}/result").text.splitlines()[1:]
    assert [line.split(",")[2] for line in lines] == ["UNCHANGED", "UPDATED", "UNCHANGED"]
    zoho = working.served.details(job["id"])["resource"][0]["file"]
    assert (zoho["updated_count"], zoho["total_count"]) == (3, 3)


def test_a_job_keeps_its_priority(server: Deployment) -> None:
    for priority in ("low", "normal", "high"):
        assert created(server, wanted(server, priority=priority))["priority"] == priority
    wrong = send_job(server, wanted(server, priority="urgent"))
    assert "$.priority" in problem(wrong, 400, "INVALID_BODY")["detail"]
