"""The faults of the emulator as each SDK meets them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.driver import Driver, Report
from tests.support.live import Live
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.uploads import zipped

ROWS = "Last_Name\nBoyle\nKay\n"
CREATE: dict[str, object] = {"method": "POST", "path": "/crm/bulk/*/write"}


@pytest.fixture
def control(live: Live) -> Iterator[httpx2.Client]:
    """Calls controls; before and after there is no fault rule, and the clock is the machine's."""
    base = f"{live.base_url}/api/v1/emulator"
    with httpx2.Client(base_url=base, headers=live.headers, verify=False) as http:
        yield http
        http.delete("/faults").raise_for_status()
        http.delete("/clock").raise_for_status()


def fault(control: httpx2.Client, effect: str, **more: object) -> None:
    """Adds a rule."""
    control.post("/faults", json={"effect": effect, **more}).raise_for_status()


def resource(file_id: str, module: str, name: str, **more: object) -> Report:
    """What a job writes: the first column of a file to a field."""
    mappings = [{"api_name": name, "index": 0}]
    return {"module": module, "file_id": file_id, "field_mappings": mappings, **more}


def job(driver: Driver, **more: object) -> str:
    """The id of a new job."""
    file_id = driver.file_id(zipped(ROWS))
    return driver.job_id("insert", resource(file_id, "Leads", "Last_Name"), **more)


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [
        ("too_many_requests", 429, "TOO_MANY_REQUESTS"),
        ("internal_error", 500, "INTERNAL_ERROR"),
        ("unavailable", 503, "SERVICE_UNAVAILABLE"),
        ("expired_token", 401, "INVALID_TOKEN"),
    ],
)
def test_errors(
    sdk: Sdk, driver: Driver, control: httpx2.Client, effect: str, status: int, code: str
) -> None:
    """In the middle of a job: the poll fails, and the job has ended all the same.

    The SDKs for Node repeat a call that got 429 or 5xx, so they see no error.
    """
    made = job(driver)
    driver.done(made)
    fault(control, effect, nth=1)
    report = driver.details(made)
    if sdk.is_python or status == 401:
        assert (report["http"], report["code"]) == (status, code)
    else:
        assert report["status"] == "COMPLETED"
    control.delete("/faults")
    assert driver.details(made)["status"] == "COMPLETED"


@pytest.mark.parametrize("effect", ["dropped_connection", "lost_response"])
def test_a_broken_connection(driver: Driver, control: httpx2.Client, effect: str) -> None:
    """The SDK raises."""
    made = job(driver)
    driver.done(made)
    fault(control, effect)
    report = driver.details(made)
    assert "raised" in report, report


@pytest.mark.parametrize("effect", ["slow_first_byte", "slow_body"])
def test_a_slow_answer(driver: Driver, control: httpx2.Client, effect: str) -> None:
    """The SDK waits."""
    made = job(driver)
    driver.done(made)
    fault(control, effect, time=0.3)
    assert driver.details(made)["status"] == "COMPLETED"


@pytest.mark.parametrize("effect", ["truncated_body", "empty_zip"])
def test_a_damaged_result(driver: Driver, control: httpx2.Client, effect: str) -> None:
    """The SDK hands it over as it is."""
    done = driver.done(job(driver))
    fault(control, effect)
    report, place = driver.download(done["result"]["download_url"])
    assert report["http"] == 200
    assert _is_damaged(place)


def test_a_job_that_is_stuck(driver: Driver, control: httpx2.Client) -> None:
    """The SDK polls and polls, until the rule is removed."""
    fault(control, "job_stuck", **CREATE)
    made = job(driver)
    assert until(lambda: driver.details(made)["resource"][0]["file"].get("added_count") == 1)
    assert driver.details(made)["status"] == "INPROGRESS"
    control.delete("/faults")
    driver.done(made)


def test_a_job_that_fails(sdk: Sdk, driver: Driver, control: httpx2.Client) -> None:
    """Version 8.0, which can name two files of a zip, sees the resource that was skipped too."""
    fault(control, "job_failed", **CREATE)
    failed = driver.done(job(driver), "FAILED")
    assert [one["status"] for one in failed["resource"]] == ["FAILED"]
    if sdk.is_8:
        more = {"Contacts.csv": b"Last_Name\nKay\n"}
        file_id = driver.file_id(zipped("Account_Name\nZylker\n", "Accounts.csv", **more))
        accounts = resource(file_id, "Accounts", "Account_Name", file_names=["Accounts.csv"])
        contacts = resource(file_id, "Contacts", "Last_Name", file_names=["Contacts.csv"])
        failed = driver.done(driver.job_id("insert", accounts, contacts), "FAILED")
        assert [one["status"] for one in failed["resource"]] == ["FAILED", "SKIPPED"]


@pytest.mark.parametrize(
    ("effect", "more", "letters"),
    [("callback_lost", {}, 0), ("callback_doubled", {}, 2), ("callback_late", {"time": "10m"}, 1)],
)
def test_callbacks(
    driver: Driver, control: httpx2.Client, effect: str, more: dict[str, object], letters: int
) -> None:
    """Of a job that the SDK has created. The next job's callback arrives as always."""
    with Receiver() as receiver:
        callback = {"url": receiver.url, "method": "post"}
        fault(control, effect, **CREATE, nth=1, **more)
        driver.done(job(driver, callback=callback))
        if effect == "callback_late":
            assert until(lambda: control.get("/faults").json()["faults"][0]["fired"] == 1)
            assert receiver.letters == []
            # It is late from its first attempt on, so the clock moves until it has been sent.
            assert until(lambda: control.put("/clock", json={"move": "1m"}) and receiver.letters)
        driver.done(job(driver, callback=callback))
        assert until(lambda: len(receiver.letters) == letters + 1), receiver.letters


def _is_damaged(place: Path) -> bool:
    try:
        return zipfile.ZipFile(place).namelist() == []
    except zipfile.BadZipFile:
        return True
