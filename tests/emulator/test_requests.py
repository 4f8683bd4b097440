"""The log of requests: what was called, by which user, and what was answered."""

from __future__ import annotations

import httpx2
import pytest
from tests.emulator.conftest import Emulated

pytestmark = pytest.mark.parametrize("emulated", ["sqlite"], indirect=True)
"""The log is in the memory of the server."""


@pytest.fixture(autouse=True)
def empty(emulated: Emulated) -> None:
    """Each test begins with an empty log."""
    assert emulated.control("POST", "/reset").status_code == 204


def test_a_request_is_listed_with_its_caller_and_its_answer(emulated: Emulated) -> None:
    """Its scopes are those of the token."""
    emulated.http.get("/crm/v2/Leads/1", params={"fields": "Last_Name"})
    (one,) = emulated.requests()
    known = emulated.known
    assert (one["method"], one["path"], one["query"]) == (
        "GET", "/crm/v2/Leads/1", "fields=Last_Name",
    )  # fmt: skip
    assert one["operation"] == "GET /crm/{version}/{module}/{record_id}"
    assert (one["org_id"], one["user_id"]) == (known["org_id"], known["user"]["id"])
    assert "zohocrm.modules.all" in one["scopes"]
    assert one["status"] == 204
    assert one["milliseconds"] > 0
    assert not one["not_implemented"]


def test_what_is_not_implemented_can_be_listed_alone(emulated: Emulated) -> None:
    """So a test can require that its program met no gap."""
    emulated.http.get("/crm/v2/Leads")
    emulated.http.get("/crm/v8/settings/pipeline")
    (one,) = emulated.requests(not_implemented="true")
    assert (one["path"], one["status"]) == ("/crm/v8/settings/pipeline", 501)


def test_bodies_of_json_are_kept_and_codes_are_read(emulated: Emulated) -> None:
    """The code is that of the first record."""
    emulated.http.post("/crm/v2/Leads", json={"data": [{"Company": "Zylker"}]})
    (one,) = emulated.requests(method="post")
    assert one["code"] == "MANDATORY_NOT_FOUND"
    assert one["body"] == '{"data":[{"Company":"Zylker"}]}'
    assert "Last_Name" in one["answer"]


def test_filters_are_combined(emulated: Emulated) -> None:
    """Path is a pattern, status a number or a class."""
    for path in ("/crm/v2/org", "/crm/v2/Leads", "/crm/v2/nothing"):
        emulated.http.get(path)
    emulated.http.get("/crm/v2/org", headers={"Authorization": "Bearer none"})
    paths = [one["path"] for one in emulated.requests(path="/crm/*/org")]
    assert paths == ["/crm/v2/org"] * 2
    (refused,) = emulated.requests(status="4xx", path="*/org")
    assert (refused["status"], refused["code"], refused["org_id"]) == (401, "INVALID_TOKEN", None)
    assert len(emulated.requests(org_id=emulated.org)) == 3
    numbers = [one["number"] for one in emulated.requests()]
    assert [one["number"] for one in emulated.requests(after=numbers[1])] == numbers[2:]
    assert [one["number"] for one in emulated.requests(most=1)] == numbers[-1:]


def test_an_answer_from_the_cache_has_its_caller_too(emulated: Emulated) -> None:
    """A poll is answered from the cache, and the token is not read again."""
    job = emulated.begin("Last_Name\nBoyle\n")
    emulated.ended(job)
    assert emulated.control("DELETE", "/requests").status_code == 204
    for _ in range(3):
        emulated.details(job)
    assert {one["org_id"] for one in emulated.requests()} == {emulated.org}


def test_secrets_are_never_shown(emulated: Emulated) -> None:
    """Neither those of headers nor those of the token endpoint."""
    known = emulated.known
    form = {
        "grant_type": "refresh_token",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "refresh_token": known["refresh_token"],
    }
    granted = emulated.http.post("/oauth/v2/token", data=form).json()["access_token"]
    emulated.http.post("/oauth/v2/token", params=form)
    odd = "client%5Fsecret=" + known["client_secret"]
    emulated.http.post(
        "/oauth/v2/token",
        content=odd,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    emulated.http.post("/console/sign-in", data={"email": "a", "password": "Xyzzy-plugh-7"})
    for format_ in ("json", "har"):
        page = emulated.control("GET", "/requests", params={"format": format_}).text
        for secret in (known["client_secret"], known["refresh_token"], known["access_token"]):
            assert secret not in page
        assert granted not in page and "Xyzzy" not in page
        assert known["client_id"] in page


def test_the_log_is_a_har_too(emulated: Emulated) -> None:
    """With the bodies that were kept."""
    emulated.http.post("/crm/v2/Leads", params={"a": "b"}, json={"data": [{"Last_Name": "Boyle"}]})
    page = emulated.control("GET", "/requests", params={"format": "har"}).json()
    (entry,) = page["log"]["entries"]
    assert page["log"]["version"] == "1.2"
    assert entry["request"]["url"] == f"{emulated.base_url}/crm/v2/Leads?a=b"
    assert entry["request"]["queryString"] == [{"name": "a", "value": "b"}]
    assert entry["request"]["postData"]["text"] == '{"data":[{"Last_Name":"Boyle"}]}'
    assert entry["response"]["status"] == 201
    assert "SUCCESS" in entry["response"]["content"]["text"]
    assert entry["time"] > 0


@pytest.mark.parametrize(
    ("query", "word"),
    [("methods=GET", "methods"), ("most=x", "most"), ("format=xml", "format"), ("org_id=x", "org")],
)
def test_a_wrong_parameter_is_rejected(emulated: Emulated, query: str, word: str) -> None:
    """It is never ignored, because the list would then be another one than was meant."""
    answer = emulated.control("GET", f"/requests?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_PARAMETER")
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("token", [None, "", "Bearer 1000.x.y", "Basic x"])
def test_controls_need_the_token_of_the_credentials_file(
    emulated: Emulated, token: str | None
) -> None:
    """Other users of the machine reach the server too, but cannot read the file."""
    headers = {} if token is None else {"Authorization": token}
    url = f"{emulated.base_url}/api/v1/emulator/requests"
    answer = httpx2.get(url, headers=headers, verify=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")
    assert "dev-credentials.json" in answer.json()["detail"]


def test_unknown_controls_and_methods_have_codes_of_their_own(emulated: Emulated) -> None:
    """As on the own API."""
    answer = emulated.control("GET", "/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_PATH")
    answer = emulated.control("PATCH", "/requests")
    assert (answer.status_code, answer.json()["code"]) == (405, "NO_SUCH_METHOD")
    assert "GET" in answer.headers["allow"]


def test_what_a_rule_has_answered_is_listed_as_the_client_got_it(emulated: Emulated) -> None:
    """A rule that answers by itself, one that cuts the connection after the call was served."""
    emulated.control("POST", "/faults", json={"effect": "unavailable", "times": 1})
    assert emulated.http.get("/crm/v2/org").status_code == 503
    emulated.control("POST", "/faults", json={"effect": "lost_response", "times": 1})
    with pytest.raises(httpx2.HTTPError):
        emulated.http.post("/crm/v2/Leads", json={"data": [{"Last_Name": "Boyle"}]})
    assert emulated.http.get("/crm/v2/org").status_code == 200
    shown = [(one["method"], one["path"], one["status"]) for one in emulated.requests()]
    assert shown == [
        ("GET", "/crm/v2/org", 503), ("POST", "/crm/v2/Leads", 0), ("GET", "/crm/v2/org", 200),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"x":"\xff"',
        b'"\xff"',
        b'{"at":"\xff","progression":"\xff","edition":"\xff"}',
    ],
    ids=["open", "deep", "half", "bytes", "texts"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/clock"),
        ("PUT", "/pace"),
        ("PUT", "/credits"),
        ("POST", "/faults"),
        ("POST", "/seed"),
    ],
)
def test_a_body_that_no_parser_reads_is_rejected(
    emulated: Emulated, method: str, path: str, body: bytes
) -> None:
    """It is no error of the server, however deep its brackets are."""
    answer = emulated.control(method, path, content=body)
    assert answer.status_code == 400, answer.text
