"""Credits and calls at the same time: prices, the window, the headers, 429."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx2
import pytest
from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.served import leads

from bulkwright.emulator.credit_plan import CreditPlan, Price, price_of

ORG = "/crm/v8/org"
LEFT = "x-api-credits-remaining"


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> Iterator[None]:
    """Each test begins with the state at the start, in which nothing is counted."""
    yield
    assert emulated.control("POST", "/reset").status_code == 204
    assert emulated.control("GET", "/credits").json()["counted"] is False


def plan(emulated: Emulated, **body: object) -> None:
    """Sets the plan."""
    answer = emulated.control("PUT", "/credits", json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "price"),
    [
        ("POST", "/crm/bulk/v2/write", "", b"{}", Price(500)),
        ("GET", "/crm/bulk/v8/write/1", "", b"", Price(1)),
        ("POST", "/crm/bulk/v8/read", "", b"{}", Price(50)),
        ("GET", "/v2/crm/org1/bulk-write/1/1.zip", "", b"", Price(1)),
        ("GET", "/crm/v8/Leads", "", b"", Price(1)),
        ("POST", "/crm/v8/Leads", "", b'{"data":[{},{}]}', Price(1)),
        ("POST", "/crm/v8/Leads/upsert", "", b'{"data":[%s{}]}' % (b"{}," * 10), Price(2, True)),
        ("PUT", "/crm/v8/Leads/1", "", b'{"data":[{}]}', Price(1)),
        ("POST", "/crm/v8/Leads", "", b'{"data":' + b"[" * 5_000 + b"]" * 5_000 + b"}", Price(1)),
        ("DELETE", "/crm/v8/Leads", "ids=" + ",".join("1" * 21), b"", Price(3)),
        ("GET", "/crm/v8/Leads/search", "word=a", b"", Price(1, True)),
        ("POST", "/crm/v8/coql", "", b'{"select_query":"select a from b"}', Price(1, True)),
        ("POST", "/crm/v8/coql", "", b'{"select_query":"... limit 5, 2000"}', Price(3, True)),
        ("POST", "/crm/v8/coql", "", b'{"select_query":"... limit 900"}', Price(2, True)),
        ("POST", "/crm/v8/upload", "", b"", Price(1)),
        ("POST", "/oauth/v2/token", "", b"", None),
        ("GET", "/api/v1/jobs", "", b"", None),
    ],
)
def test_prices(method: str, path: str, query: str, body: bytes, price: Price | None) -> None:
    """Of each kind of call."""
    assert price_of(method, path, query, body) == price


@pytest.mark.parametrize(
    ("edition", "users", "credits", "at_once"),
    [
        ("free", 9, 5_000, 5),
        ("standard", 1_000, 100_000, 10),
        ("professional", 10, 55_000, 15),
        ("enterprise", 1, 51_000, 20),
        ("ultimate", 5_000, 10_050_000, 25),
    ],
)
def test_editions(edition: str, users: int, credits: int, at_once: int) -> None:
    """With their users, up to their limits."""
    assert CreditPlan.documented(edition, users) == CreditPlan(credits, at_once)


def test_credits_run_out_and_come_back(emulated: Emulated) -> None:
    """The header stands in answers once half is spent; after a day all are there again."""
    plan(emulated, credits=4)
    answers = [emulated.http.get(ORG) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 200, 429]
    assert [one.headers.get(LEFT) for one in answers] == [None, "2", "1", "0", "0"]
    assert answers[-1].json()["code"] == "TOO_MANY_REQUESTS"
    known = emulated.credentials
    form = {k: known[k] for k in ("client_id", "client_secret", "refresh_token")}
    emulated.control("PUT", "/clock", json={"move": "24h"})
    fresh = emulated.http.post("/oauth/v2/token", data={"grant_type": "refresh_token", **form})
    header = {"Authorization": f"Zoho-oauthtoken {fresh.json()['access_token']}"}
    assert emulated.http.get(ORG, headers=header).status_code == 200
    shown = emulated.control("GET", "/credits").json()
    assert shown["remaining"] == {emulated.org_id: 3}


def test_a_job_costs_five_hundred(emulated: Emulated) -> None:
    """Where they are not left, none is created. Another call still is served."""
    plan(emulated, edition="free", users=1, spent=4_400, day_headers=True)
    job = emulated.begin(leads(3))
    emulated.ended(job)
    file_id = emulated.file_id(leads(3))
    refused = emulated.ask(file_id)
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    answer = emulated.http.get(ORG)
    assert answer.headers["x-ratelimit-day-limit"] == "5000"
    assert answer.headers["x-ratelimit-day-remaining"] == answer.headers[LEFT]
    assert int(answer.headers[LEFT]) < 100
    assert emulated.control("DELETE", "/credits").status_code == 204
    assert LEFT not in emulated.http.get(ORG).headers


def test_calls_at_the_same_time(emulated: Emulated) -> None:
    """One too many is refused; when one has ended, the next one is served."""
    plan(emulated, credits=1_000, at_once=2)
    rule = {"effect": "slow_first_byte", "path": "/crm/v8/users", "time": 2}
    assert emulated.control("POST", "/faults", json=rule).status_code == 201
    codes: list[int] = []

    def call() -> None:
        with httpx2.Client(headers=emulated.http.headers, verify=False) as http:
            codes.append(http.get(f"{emulated.base_url}/crm/v8/users").status_code)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert until(lambda: emulated.control("GET", "/faults").json()["faults"][0]["fired"] == 2)
    refused = emulated.http.get(ORG)
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    for thread in threads:
        thread.join()
    assert codes == [200, 200]
    assert emulated.http.get(ORG).status_code == 200


def test_heavy_calls_at_the_same_time(emulated: Emulated) -> None:
    """They have a limit of their own; other calls are served."""
    plan(emulated, edition="enterprise", heavy_at_once=0)
    assert emulated.http.get("/crm/v8/Leads/search?word=abc").status_code == 429
    records = {"data": [{"Last_Name": "A"}] * 11}
    assert emulated.http.post("/crm/v8/Leads", json=records).status_code == 429
    del records["data"][1:]
    assert emulated.http.post("/crm/v8/Leads", json=records).status_code == 201


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "either"),
        ({"edition": "free", "credits": 5}, "either"),
        ({"edition": "x"}, "edition"),
        ({"credits": -1}, "`credits`"),
        ({"credits": 1, "at_once": -1}, "`at_once`"),
    ],
)
def test_a_wrong_plan_is_rejected(emulated: Emulated, body: dict[str, object], word: str) -> None:
    """And the one before stays."""
    answer = emulated.control("PUT", "/credits", json=body)
    assert answer.status_code == 400 and word in answer.json()["detail"]
