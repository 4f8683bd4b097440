"""The clock of an emulator: what users see follows it, in all processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.receivers import Receiver, answer

NOON = "2031-05-06T12:00:00+00:00"


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> Iterator[None]:
    """Each test begins with the state at the start, and so does the next one."""
    yield
    assert emulated.control("POST", "/reset").status_code == 204


def clock(emulated: Emulated, **change: object) -> dict[str, Any]:
    """Changes the clock and returns it."""
    answer = emulated.control("PUT", "/clock", json=change)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_shows_the_time_of_the_machine_at_first(emulated: Emulated) -> None:
    """Within the time of the test."""
    found = emulated.control("GET", "/clock").json()
    assert abs(datetime.fromisoformat(found["now"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert (found["frozen"], found["offset_seconds"]) == (False, 0)


def test_it_is_set_frozen_moved_and_real_again(emulated: Emulated) -> None:
    """A frozen clock stands; one that is moved while it stands still stands."""
    assert clock(emulated, now=NOON, frozen=True)["now"] == "2031-05-06T12:00:00.000+00:00"
    assert clock(emulated)["now"] == "2031-05-06T12:00:00.000+00:00"
    moved = clock(emulated, move="2h")
    assert (moved["now"], moved["frozen"]) == ("2031-05-06T14:00:00.000+00:00", True)
    assert clock(emulated, move=-60.5)["now"] == "2031-05-06T13:58:59.500+00:00"
    running = clock(emulated, frozen=False)
    assert running["now"] >= "2031-05-06T13:58:59.500+00:00"
    assert not running["frozen"]
    assert emulated.control("DELETE", "/clock").json()["offset_seconds"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"now": "2031-05-06"},
        {"now": "2031-05-06T12:00:00"},
        {"now": "1999-01-01T00:00:00Z"},
        {"now": "2300-01-01T00:00:00Z"},
        {"move": "2 hours"},
        {"move": "999999999w"},
        {"move": 1e300},
        {"later": 5},
    ],
)
def test_a_time_that_cannot_be_shown_is_rejected(
    emulated: Emulated, change: dict[str, object]
) -> None:
    """The clock stays as it is."""
    answer = emulated.control("PUT", "/clock", json=change)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert emulated.control("GET", "/clock").json()["offset_seconds"] == 0


def test_an_access_token_expires(emulated: Emulated) -> None:
    """Also one whose last answer is in the cache. Controls do not expire."""
    job = emulated.begin("Last_Name\nBoyle\n")
    emulated.ended(job)
    url = f"/crm/bulk/v2/write/{job}"
    assert emulated.http.get(url).status_code == 200
    clock(emulated, move="61m")
    answer = emulated.http.get(url)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_TOKEN")
    known = emulated.known
    form = {
        "grant_type": "refresh_token",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "refresh_token": known["refresh_token"],
    }
    granted = emulated.http.post("/oauth/v2/token", data=form).json()
    headers = {"Authorization": f"Zoho-oauthtoken {granted['access_token']}"}
    assert emulated.http.get(url, headers=headers).status_code == 200


def test_records_of_requests_and_of_jobs_have_its_time(emulated: Emulated) -> None:
    """The API and the workers show the same."""
    clock(emulated, now=NOON, frozen=True)
    token = {"Authorization": f"Zoho-oauthtoken {_fresh_token(emulated)}"}
    made = emulated.http.post(
        "/crm/v2/Leads", json={"data": [{"Last_Name": "Call"}]}, headers=token
    ).json()["data"][0]["details"]
    assert datetime.fromisoformat(made["Created_Time"]) == datetime.fromisoformat(NOON)
    emulated.authorize(token["Authorization"].split()[1], emulated.org)
    try:
        job = emulated.begin("Last_Name,Email\nJob,job-of-the-clock@x.example\n")
        emulated.ended(job)
        created = emulated.details(job)["created_time"]
        assert datetime.fromisoformat(created) == datetime.fromisoformat(NOON)
        (found,) = emulated.http.get(
            "/crm/v2/Leads/search", params={"email": "job-of-the-clock@x.example"}
        ).json()["data"]
        assert datetime.fromisoformat(found["Created_Time"]) == datetime.fromisoformat(NOON)
    finally:
        emulated.authorize(emulated.access_token, emulated.org)


def _fresh_token(emulated: Emulated) -> str:
    known = emulated.known
    form = {
        "grant_type": "refresh_token",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "refresh_token": known["refresh_token"],
    }
    return str(emulated.http.post("/oauth/v2/token", data=form).json()["access_token"])


def test_what_has_expired_is_deleted_when_the_clock_has_moved(emulated: Emulated) -> None:
    """The result of a job is kept for seven days; no time passes for the test."""
    job = emulated.begin("Last_Name\nBoyle\n")
    emulated.ended(job)
    url = emulated.details(job)["result"]["download_url"]
    assert emulated.http.get(url).status_code == 200
    clock(emulated, move="8d")
    clock(emulated, move="-8d")
    header = {"Authorization": f"Zoho-oauthtoken {_fresh_token(emulated)}"}
    assert emulated.http.get(url, headers=header).status_code == 403


def test_a_callback_is_tried_again_when_the_clock_has_moved(emulated: Emulated) -> None:
    """Its pauses, which grow to hours, pass at once."""
    with Receiver(*[answer(500)] * 9, answer(200)) as receiver:
        clock(emulated, frozen=True)
        job = emulated.begin("Last_Name\nBoyle\n", callback=receiver.url)
        emulated.ended(job)

        def all_arrived() -> bool:
            clock(emulated, move="1h")
            return len(receiver.letters) >= 10

        assert until(all_arrived, seconds=30), len(receiver.letters)
