"""`/api/v1/jobs`: lists of jobs and single jobs, on both stores."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment

Json = dict[str, Any]
JOBS = "/api/v1/jobs"


def get(server: Deployment, path: str, token: str | None = None) -> Json:
    """The body of a response that is no error."""
    answer = server.get(path, token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: Json = answer.json()
    return body


def problem(answer: httpx2.Response, status: int, code: str) -> Json:
    """The body of an error, which has this status and this code."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: Json = answer.json()
    assert list(body) == ["type", "title", "status", "code", "detail", "details"]
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["detail"].endswith((".", "?"))
    return body


def ids(body: Json) -> list[int]:
    """The ids of the jobs of a page."""
    return [int(job["id"]) for job in body["jobs"]]


def test_a_job_shows_how_its_file_is_read(server: Deployment) -> None:
    """Also what was left out, which the Zoho API has no place for."""
    file_id = server.file_id("Last_Name;Colour;Company\nBoyle;red;Zylker\n")
    mappings = [{"api_name": "Last_Name", "index": 0}, {"api_name": "Company", "default_value":
                {"value": "none"}, "index": 2}]  # fmt: skip
    number = server.job_id(file_id=file_id, field_mappings=mappings)
    job = get(server, f"{JOBS}/{number}")
    assert (job["id"], job["status"], job["code"]) == (str(number), "ADDED", None)
    assert job["created_by"] == {"id": str(server.tenant.user.id), "name": "Patricia Boyle"}
    assert (job["ended_time"], job["has_result"]) == (None, False)
    assert set(job["rows"].values()) == {0}
    (resource,) = job["resources"]
    assert resource["file_id"] == file_id
    assert resource["mappings"] == [
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Company", "index": 2, "default": "none"},
    ]
    assert resource["reading"] == {
        "encoding": "UTF-8",
        "encoding_by": "content",
        "delimiter": ";",
        "delimiter_by": "content",
        "delimiters_that_fit_too": [],
        "columns_left_out": ["Colour"],
        "rows_with_stray_quotes": 0,
        "first_row_with_stray_quotes": None,
        "formats_assumed": {},
    }
    assert resource["parts"] is None


def test_pages_have_every_job_once_newest_first(server: Deployment) -> None:
    """Whatever is created meanwhile."""
    numbers = [server.job_id() for _ in range(5)]
    first = get(server, f"{JOBS}?limit=2")
    server.job_id()
    assert ids(first) == numbers[:-3:-1]
    second = get(server, f"{JOBS}?limit=3&cursor={first['next_cursor']}")
    assert ids(second) == numbers[2::-1]
    last = get(server, f"{JOBS}?limit=100&status=ADDED&cursor={numbers[0]}")
    assert last["next_cursor"] is None or len(last["jobs"]) == 100


def test_a_list_has_the_jobs_that_meet_every_condition(server: Deployment) -> None:
    number = server.job_id()
    job = get(server, f"{JOBS}/{number}")
    before = str(number + 1)
    user, created = server.tenant.user.id, job["created_time"].replace("+", "%2B")
    for condition in (
        "status=ADDED",
        "operation=insert",
        "module=Leads",
        "file=EADS",
        f"created_by={user}",
        f"created_since={created}",
        f"status=ADDED&operation=insert&module=Leads&created_by={user}",
    ):
        assert ids(get(server, f"{JOBS}?limit=1&cursor={before}&{condition}")) == [number]
    for condition in (
        "status=COMPLETED",
        "operation=update",
        "module=Contacts",
        "module=leads%27--",
        "file=eadsX",
        "file=l%25s",
        "file=l_ads",
        "file=%27--",
        "created_by=1",
        f"created_before={created}",
        "created_since=2099-01-01T00:00:00Z",
    ):
        assert number not in ids(get(server, f"{JOBS}?limit=1&cursor={before}&{condition}"))


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "limit=%D9%A3", "cursor=0", "cursor=-1", "status=done",
        "operation=delete", "created_by=me", "created_since=yesterday",
        "created_since=2026-01-01T00:00:00", "created_before=0001-01-01T00:00:00%2B14:00",
        "colour=red", "limit=",
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(any_server: Deployment, query: str) -> None:
    found = problem(any_server.get(f"{JOBS}?{query}"), 400, "INVALID_PARAMETER")
    assert query.partition("=")[0] in found["detail"]


def test_a_job_of_another_org_does_not_exist(server: Deployment) -> None:
    number = server.job_id()
    foreign = server.other.token
    problem(server.get(f"{JOBS}/{number}", foreign), 404, "NO_SUCH_JOB")
    assert number not in ids(get(server, JOBS, foreign))
    for wrong in ("1", "x", "0", "9" * 19, f"0{number}", "%31", "..%2f"):
        problem(server.get(f"{JOBS}/{wrong}"), 404, "NO_SUCH_JOB")


def test_a_request_needs_a_token_with_the_scope(server: Deployment) -> None:
    """The scopes of the Zoho API are not enough, and these not for the Zoho API."""
    number = server.job_id()
    for path in (JOBS, f"{JOBS}/{number}"):
        nothing = server.http.get(path)
        problem(nothing, 401, "AUTHENTICATION_FAILURE")
        assert nothing.headers["www-authenticate"] == "Bearer"
        problem(server.get(path, "1000.wrong"), 401, "INVALID_TOKEN")
        wrong = server.token("ZohoCRM.bulk.ALL")
        denied = problem(server.get(path, wrong), 403, "OAUTH_SCOPE_MISMATCH")
        assert "bulkwright.jobs.READ" in denied["detail"]
        right = server.token("bulkwright.jobs.READ")
        assert server.get(path, right).status_code == 200
    own = server.token("bulkwright.jobs.ALL")
    assert server.get(f"/crm/bulk/v2/write/{number}", own).status_code == 401


def test_paths_and_methods_that_do_not_exist_are_problems(any_server: Deployment) -> None:
    problem(any_server.get("/api/v1"), 404, "NO_SUCH_PATH")
    problem(any_server.get("/api/v1/jobs/"), 404, "NO_SUCH_PATH")
    problem(any_server.get("/api/v1/nothing"), 404, "NO_SUCH_PATH")
    answer = any_server.http.request("PUT", JOBS, headers=any_server.auth(), content=b"{}")
    problem(answer, 405, "NO_SUCH_METHOD")
    for path, allowed in ((JOBS, "GET, HEAD, POST"), (f"{JOBS}/7", "DELETE, GET, HEAD")):
        answer = any_server.http.request("PATCH", path, headers=any_server.auth())
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert any_server.http.options(JOBS).status_code == 204


def test_requests_are_counted_by_endpoint(any_server: Deployment) -> None:
    """Not by path: a client cannot make new keys."""
    any_server.get(f"{JOBS}/1")
    any_server.get(f"{JOBS}/2")
    any_server.get("/api/v1/other")
    page = any_server.http.get("/metrics").text
    assert 'route="/api/v1/jobs/{job_id}"' in page
    assert "/api/v1/jobs/1" not in page
    assert "/api/v1/other" not in page


def test_every_endpoint_is_described(any_server: Deployment) -> None:
    document = any_server.http.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) >= {JOBS, f"{JOBS}/{{job_id}}"}
    operation = document["paths"][JOBS]["get"]
    assert {p["name"] for p in operation["parameters"]} >= {"limit", "cursor", "status"}
    assert operation["security"] == [{"token": ["bulkwright.jobs.READ"]}]
    assert set(operation["responses"]) == {"200", "400", "401", "403"}
