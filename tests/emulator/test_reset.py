"""A reset restores the state at the start of the server, whatever happens meanwhile."""

from __future__ import annotations

import threading

import httpx2
import pytest
from tests.emulator.conftest import Emulated
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.served import leads


@pytest.fixture(autouse=True)
def at_start(emulated: Emulated) -> None:
    """Each test begins with the state at the start."""
    reset(emulated)


def reset(emulated: Emulated) -> None:
    """Resets the server."""
    answer = emulated.control("POST", "/reset")
    assert answer.status_code == 204, answer.text


def records(emulated: Emulated) -> int:
    """How many leads there are."""
    answer = emulated.http.get("/crm/v2/Leads")
    return len(answer.json()["data"]) if answer.status_code == 200 else 0


def add(emulated: Emulated, name: str = "Boyle") -> str:
    """The id of a new lead."""
    answer = emulated.http.post("/crm/v2/Leads", json={"data": [{"Last_Name": name}]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"][0]["details"]["id"])


def test_records_jobs_and_files_are_gone(emulated: Emulated) -> None:
    """And no file of them is left on the disk."""
    add(emulated)
    job = emulated.begin(leads(3))
    emulated.ended(job)
    url = emulated.details(job)["result"]["download_url"]
    assert records(emulated) == 4
    reset(emulated)
    assert records(emulated) == 0
    assert emulated.http.get(f"/crm/bulk/v2/write/{job}").status_code == 404
    assert emulated.http.get(url).status_code == 403
    for area in ("uploads", "results", "parts"):
        assert list((emulated.data / "files" / area).iterdir()) == []


def test_ids_begin_again(emulated: Emulated) -> None:
    """So a test can know them."""
    first = add(emulated)
    job = emulated.begin(leads(3))
    emulated.ended(job)
    reset(emulated)
    assert add(emulated) == first
    assert emulated.begin(leads(3)) == job
    emulated.ended(job)
    assert emulated.details(job)["resource"][0]["file"]["added_count"] == 3


def test_tokens_of_the_start_stay_and_others_are_gone(emulated: Emulated) -> None:
    """Those in the credentials file."""
    known = emulated.known
    form = {
        "grant_type": "refresh_token",
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "refresh_token": known["refresh_token"],
    }
    token = emulated.http.post("/oauth/v2/token", data=form).json()["access_token"]
    header = {"Authorization": f"Zoho-oauthtoken {token}"}
    assert emulated.http.get("/crm/v2/org", headers=header).status_code == 200
    reset(emulated)
    assert emulated.http.get("/crm/v2/org", headers=header).status_code == 401
    assert emulated.http.get("/crm/v2/org").status_code == 200
    assert "access_token" in emulated.http.post("/oauth/v2/token", data=form).json()


def test_picklists_and_modules_are_those_of_the_start(emulated: Emulated) -> None:
    """Also in what the processes keep in memory."""
    fields = "/crm/v2/settings/fields?module=Leads"
    before = emulated.http.get(fields).json()
    job = emulated.begin("Last_Name,Industry\nBoyle,Beekeeping\n")
    emulated.ended(job)
    assert "Beekeeping" in emulated.http.get(fields).text
    reset(emulated)
    assert emulated.http.get(fields).json() == before
    job = emulated.begin("Last_Name,Industry\nBoyle,Beekeeping\n")
    emulated.ended(job)
    assert emulated.http.get(fields).text.count("Beekeeping") == 2  # display and actual value


def test_clock_pace_and_log_are_those_of_the_start(emulated: Emulated) -> None:
    """A test cannot leave anything to the next one."""
    emulated.control("PUT", "/clock", json={"move": "2h", "frozen": True})
    emulated.control("PUT", "/pace", json={"progression": "held", "at": "ADDED"})
    emulated.http.get("/crm/v2/org")
    reset(emulated)
    clock = emulated.control("GET", "/clock").json()
    assert (clock["frozen"], clock["offset_seconds"]) == (False, 0)
    assert emulated.control("GET", "/pace").json()["progression"] == "real"
    assert emulated.requests() == []
    emulated.ended(emulated.begin(leads(1)))


@pytest.mark.parametrize("rows", [200, 20_000])
def test_a_job_that_runs_writes_nothing_after_the_reset(emulated: Emulated, rows: int) -> None:
    """Its worker holds a fence that no job has any more, also when ids begin again."""
    for number in range(5):
        emulated.begin(leads(rows, prefix=f"old{number}x"))
        reset(emulated)
        job = emulated.begin(leads(2, prefix="new"))
        emulated.ended(job)
        assert emulated.details(job)["resource"][0]["file"]["added_count"] == 2
        assert records(emulated) == 2
        reset(emulated)


def test_a_held_job_does_not_keep_the_reset_waiting(emulated: Emulated) -> None:
    """Nor does it come back."""
    emulated.control("PUT", "/pace", json={"progression": "held", "at": "INPROGRESS"})
    job = emulated.begin(leads(10))
    assert emulated.details(job)["status"] == "INPROGRESS"
    reset(emulated)
    assert records(emulated) == 0
    assert emulated.http.get(f"/crm/bulk/v2/write/{job}").status_code == 404


def test_requests_that_write_end_before_the_reset_or_begin_after_it(emulated: Emulated) -> None:
    """Each is whole: a record that was acknowledged before a reset is gone after it."""
    stop = threading.Event()
    failed: list[str] = []

    def write(name: str) -> None:
        with httpx2.Client(
            base_url=emulated.base_url, headers=emulated.headers, verify=False
        ) as http:
            while not stop.is_set():
                sent = http.post("/crm/v2/Leads", json={"data": [{"Last_Name": name}]})
                if sent.status_code != 201:
                    failed.append(sent.text)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        reset(emulated)
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    reset(emulated)
    assert records(emulated) == 0


def test_a_callback_of_a_former_job_is_not_sent(emulated: Emulated) -> None:
    """It is gone with its job."""
    emulated.control("PUT", "/pace", json={"progression": "held", "at": "ADDED"})
    with Receiver() as receiver:
        emulated.begin(leads(1), callback=receiver.url)
        reset(emulated)
        job = emulated.begin(leads(1), callback=receiver.url)
        emulated.ended(job)
        assert until(lambda: len(receiver.letters) == 1)
        reset(emulated)
        assert len(receiver.letters) == 1


def test_a_baseline_replaces_the_state_that_is_restored(emulated: Emulated) -> None:
    """Until the next one."""
    at_start = emulated.control("POST", "/baseline")
    assert at_start.status_code == 204
    add(emulated, "Kept")
    assert emulated.control("POST", "/baseline").status_code == 204
    add(emulated, "Gone")
    reset(emulated)
    (kept,) = emulated.http.get("/crm/v2/Leads").json()["data"]
    assert kept["Last_Name"] == "Kept"
    emulated.http.delete("/crm/v2/Leads", params={"ids": kept["id"]})
    assert emulated.control("POST", "/baseline").status_code == 204
