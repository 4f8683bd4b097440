"""`on_error` of a job: how many rows it may skip, and how it says that it was too many."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, problem
from tests.v1.test_new_jobs import created, send_job, wanted

pytestmark = pytest.mark.slow

Json = dict[str, Any]
ROWS = 140_000
"""More than a chunk has."""


def begun(working: Working, text: str, on_error: object) -> Json:
    """A new job."""
    body = {"operation": "insert", "module": "Leads", "file_id": working.served.file_id(text)}
    answer = working.served.http.post(JOBS, json={**body, "on_error": on_error})
    assert answer.status_code == 201, answer.text
    job: Json = answer.json()
    assert (job["on_error"], job["rows_unprocessed"]) == (on_error, None)
    return job


def ended(working: Working, job: Json) -> Json:
    """The job at its end."""
    working.served.ended(job["id"], statuses=("COMPLETED", "FAILED"))
    found: Json = working.served.http.get(f"{JOBS}/{job['id']}").json()
    return found


@pytest.mark.slow
def test_a_job_with_too_many_errors_says_what_it_has_done(working: Working) -> None:
    """Why it has ended, how many rows stay, and how many it did not reach; Zoho's clients too."""
    http = working.served.http
    text = "Last_Name,Email\nA,none\n" + "B,\n" * ROWS
    job = ended(working, begun(working, text, {"stop_after": 0}))
    assert (job["status"], job["code"]) == ("FAILED", "TOO_MANY_ERRORS")
    done, left = job["rows"], job["rows_unprocessed"]
    assert (done["skipped"], done["added"]) == (1, done["processed"] - 1)
    assert left == ROWS + 1 - done["processed"] > 0
    zoho = working.served.details(job["id"])
    assert zoho["status"] == "FAILED" and "result" in zoho
    assert zoho["resource"][0]["file"]["total_count"] == done["processed"]
    errors = http.get(f"{JOBS}/{job['id']}/errors").json()
    assert (errors["skipped"], errors["unprocessed"]) == (1, left)
    rest = http.get(f"{JOBS}/{job['id']}/failed-rows").text
    assert rest == "Last_Name,Email\nA,none\n" + "B,\n" * left
    last = http.get(f"{JOBS}/{job['id']}/failed-rows?errors=true").text.splitlines()[-1]
    assert last == "B,,,The job ended before it reached this row."


def test_errors_within_the_limit_do_not_matter(working: Working) -> None:
    text = "Last_Name,Email\nA,none\nB,b@x.example\nC,c@x.example\n"
    for limit in ("continue", {"stop_after": 1}, {"stop_after_percent": 33.4}):
        job = ended(working, begun(working, text, limit))
        assert (job["status"], job["code"], job["rows_unprocessed"]) == ("COMPLETED", None, 0)
    job = ended(working, begun(working, text, {"stop_after_percent": 33.3}))
    assert (job["status"], job["code"], job["rows_unprocessed"]) == ("FAILED", "TOO_MANY_ERRORS", 0)
    assert job["rows"]["added"] == 2


def test_a_job_keeps_its_limit(server: Deployment) -> None:
    for limit in ("continue", {"stop_after": 100}, {"stop_after_percent": 2.5}):
        assert created(server, wanted(server, on_error=limit))["on_error"] == limit


@pytest.mark.parametrize(
    "wrong",
    [
        "stop", 5, {}, {"stop_after": -1}, {"stop_after": 1.5}, {"stop_after": 10**18},
        {"stop_after": 1, "stop_after_percent": 1}, {"stop_after_percent": 100},
        {"stop_after_percent": -0.1}, {"stop_after_percent": "2%"}, {"rows": 1},
    ],
)  # fmt: skip
def test_a_wrong_limit_is_named(any_server: Deployment, wrong: object) -> None:
    answer = send_job(any_server, wanted(any_server, on_error=wrong))
    assert "$.on_error" in problem(answer, 400, "INVALID_BODY")["detail"]
