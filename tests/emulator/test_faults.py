"""Fault rules: each condition and each effect, through HTTP."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.served import leads
from tests.support.uploads import zipped

ORG = "/crm/v8/org"
CREATE: dict[str, object] = {"method": "POST", "path": "/crm/bulk/*/write"}


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> Iterator[None]:
    """Each test begins with the state at the start, and leaves no rule to others."""
    assert emulated.control("POST", "/reset").status_code == 204
    yield
    assert emulated.control("POST", "/reset").status_code == 204
    assert emulated.control("GET", "/faults").json() == {"faults": []}


def fault(emulated: Emulated, effect: str, **more: object) -> dict[str, Any]:
    """Adds a rule."""
    answer = emulated.control("POST", "/faults", json={"effect": effect, **more})
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.json()
    return added


def statuses(emulated: Emulated, count: int, path: str = ORG) -> list[int]:
    """The statuses of equal calls."""
    return [emulated.http.get(path).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        ("too_many_requests", 429, "TOO_MANY_REQUESTS"),
        ("internal_error", 500, "INTERNAL_ERROR"),
        ("unavailable", 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_errors(emulated: Emulated, effect: str, status: int, code: str) -> None:
    """In the shape of every error, with the headers of every response; the log has them."""
    fault(emulated, effect, path=ORG)
    answer = emulated.http.get(ORG, headers={"Origin": "http://page.example"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "details", "message", "status"}
    assert answer.headers.get("x-api-credits-remaining") == ("0" if status == 429 else None)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert emulated.requests(status=status)[-1]["code"] == code


def test_an_expired_token_stays_expired(emulated: Emulated) -> None:
    """Another one is valid. The controls are open all the while."""
    fault(emulated, "expired_token", nth=2)
    assert statuses(emulated, 4) == [200, 401, 401, 401]
    known = emulated.credentials
    form = {k: known[k] for k in ("client_id", "client_secret", "refresh_token")}
    fresh = emulated.http.post("/oauth/v2/token", data={"grant_type": "refresh_token", **form})
    header = {"Authorization": f"Zoho-oauthtoken {fresh.json()['access_token']}"}
    assert emulated.http.get(ORG, headers=header).status_code == 200
    assert emulated.control("DELETE", "/faults").status_code == 204
    assert statuses(emulated, 1) == [200]


def test_conditions(emulated: Emulated) -> None:
    """Method, path, org, the nth call, the rate and how often."""
    fault(emulated, "unavailable", method="post")
    fault(emulated, "unavailable", path="/crm/v8/Leads")
    fault(emulated, "unavailable", org_id="1")
    fault(emulated, "unavailable", rate=0)
    assert statuses(emulated, 2) == [200, 200]
    assert emulated.http.get("/crm/v8/Leads?fields=id").status_code == 503
    fault(emulated, "unavailable", org_id=emulated.org_id, nth=3, times=2)
    assert statuses(emulated, 6) == [200, 200, 503, 503, 200, 200]
    last = emulated.control("GET", "/faults").json()["faults"][-1]
    assert (last["matched"], last["fired"]) == (6, 2)
    assert emulated.control("DELETE", f"/faults/{last['id']}").status_code == 204
    assert emulated.control("DELETE", f"/faults/{last['id']}").status_code == 404


@pytest.mark.parametrize("effect", ["slow_first_byte", "slow_body"])
def test_a_slow_answer_is_whole(emulated: Emulated, effect: str) -> None:
    """It takes at least its time. A delay comes before."""
    fault(emulated, effect, time=0.2, delay=0.1)
    begun = time.monotonic()
    answer = emulated.http.get(ORG)
    assert time.monotonic() - begun > 0.25
    assert answer.json()["org"][0]["zgid"] == emulated.org_id


@pytest.mark.parametrize(
    "rule",
    [
        {"effect": "internal_error", "delay": "1h"},
        {"effect": "slow_first_byte", "time": "1h"},
        {"effect": "slow_body", "time": "1h"},
    ],
)
def test_a_reset_does_not_wait_for_a_call_that_a_rule_delays(
    emulated: Emulated, rule: dict[str, object]
) -> None:
    """Its client has given up long ago."""
    fault(emulated, method="POST", **rule)  # type: ignore[arg-type]
    with pytest.raises(httpx2.ReadTimeout):
        record = {"data": [{"Last_Name": "Boyle"}]}
        answer = emulated.http.post("/crm/v8/Leads", json=record, timeout=0.5)
        assert not answer.content
    begun = time.monotonic()
    assert emulated.control("POST", "/reset").status_code == 204
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(("effect", "stored"), [("dropped_connection", 0), ("lost_response", 1)])
def test_a_broken_connection(emulated: Emulated, effect: str, stored: int) -> None:
    """There is no response at all; the call was served, or was not."""
    fault(emulated, effect, method="POST")
    record = {"data": [{"Last_Name": "Boyle"}]}
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        emulated.http.post("/crm/v8/Leads", json=record)
    answer = emulated.http.get("/crm/v8/Leads?fields=id")
    assert len(answer.json()["data"]) if answer.content else stored == 0
    assert (answer.status_code == 200) is bool(stored)


def test_damaged_results(emulated: Emulated) -> None:
    """HTTP is in order, the zip is not; or it is, and is empty."""
    job = emulated.begin(leads(20))
    emulated.ended(job)
    url = emulated.details(job)["result"]["download_url"]
    good = emulated.http.get(url).content
    fault(emulated, "truncated_body", path="/v2/crm/*", nth=1)
    fault(emulated, "empty_zip", path="/v2/crm/*", times=1)
    cut = emulated.http.get(url)
    assert cut.status_code == 200 and cut.content == good[: len(good) // 2]
    assert zipfile.ZipFile(io.BytesIO(emulated.http.get(url).content)).namelist() == []
    assert emulated.http.get(url).content == good


def test_a_job_that_is_stuck(emulated: Emulated) -> None:
    """Half of its rows are written. Without the rule it continues; other jobs end."""
    fault(emulated, "job_stuck", **CREATE, nth=1)
    stuck, other = emulated.begin(leads(10, "a")), emulated.begin(leads(10, "b"))
    emulated.ended(other)
    assert until(lambda: emulated.details(stuck)["status"] == "INPROGRESS")
    assert emulated.details(stuck)["resource"][0]["file"]["added_count"] == 5
    emulated.control("DELETE", "/faults")
    emulated.ended(stuck)


def test_a_job_that_fails(emulated: Emulated) -> None:
    """No row is written, and the result says so."""
    fault(emulated, "job_failed", **CREATE)
    job = emulated.begin(leads(10))
    emulated.ended(job, statuses=("FAILED",))
    assert emulated.http.get("/crm/v8/Leads?fields=id").status_code == 204


def test_a_resource_that_is_skipped(emulated: Emulated) -> None:
    """Of a job with two resources whose first one has failed."""
    fault(emulated, "job_failed", **CREATE)
    family = zipped(
        "Account_Name\nZylker\n", "Accounts.csv", **{"Contacts.csv": b"Last_Name\nKay\n"}
    )
    headers = {"feature": "bulk-write", "X-CRM-ORG": emulated.org}
    sent = emulated.http.post("/crm/v8/upload", headers=headers, files={"file": ("f.zip", family)})
    resources = [
        {
            "type": "data", "module": {"api_name": module}, "file_names": [f"{module}.csv"],
            "file_id": sent.json()["details"]["file_id"],
            "field_mappings": [{"api_name": name, "index": 0}],
        }
        for module, name in (("Accounts", "Account_Name"), ("Contacts", "Last_Name"))
    ]  # fmt: skip
    body = {"operation": "insert", "resource": resources}
    made = emulated.http.post("/crm/bulk/v8/write", json=body)
    assert made.status_code == 201, made.text
    job = made.json()["details"]["id"]
    emulated.ended(job, statuses=("FAILED",))
    found = emulated.http.get(f"/crm/bulk/v8/write/{job}").json()["resource"]
    assert [one["status"] for one in found] == ["FAILED", "SKIPPED"]


@pytest.mark.parametrize(
    ("effect", "more", "letters"),
    [("callback_lost", {}, 0), ("callback_doubled", {}, 2), ("callback_late", {"time": "10m"}, 1)],
)
def test_callbacks(emulated: Emulated, effect: str, more: dict[str, object], letters: int) -> None:
    """A late one arrives when the clock has moved; another job's arrives as always."""
    with Receiver() as receiver:
        fault(emulated, effect, **CREATE, nth=1, **more)
        job = emulated.begin(leads(3), receiver.url)
        emulated.ended(job)
        if effect == "callback_late":
            assert until(lambda: emulated.control("GET", "/faults").json()["faults"][0]["fired"])
            delivery = f"/api/v1/jobs/{job}/callback"
            assert until(lambda: emulated.http.get(delivery).json().get("last_status") == 503)
            assert receiver.letters == []
            emulated.control("PUT", "/clock", json={"move": "11m"})
        last = emulated.begin(leads(3, "z"), receiver.url)
        emulated.ended(last)
        assert until(lambda: len(receiver.letters) == letters + 1), receiver.letters


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "effect"),
        ({"effect": "nope"}, "effect"),
        ({"effect": "unavailable", "nth": 0}, "`nth`"),
        ({"effect": "unavailable", "rate": 2}, "`rate`"),
        ({"effect": "unavailable", "org_id": "x"}, "`org_id`"),
        ({"effect": "unavailable", "time": 1}, "takes no `time`"),
        ({"effect": "slow_body"}, "needs `time`"),
        ({"effect": "slow_body", "time": "2d"}, "`time`"),
        ({"effect": "slow_body", "time": -1}, "`time`"),
    ],
)
def test_a_wrong_rule_is_rejected(emulated: Emulated, body: dict[str, object], word: str) -> None:
    """And not added."""
    answer = emulated.control("POST", "/faults", json=body)
    assert answer.status_code == 400 and word in answer.json()["detail"]
