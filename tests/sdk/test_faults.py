"""The faults of the emulator as each SDK meets them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.driver import Driver, Report
from tests.support.live import Live
from tests.support.uploads import zipped

ROWS = "Last_Name\nBoyle\nKay\n"


@pytest.fixture
def control(live: Live) -> Iterator[httpx2.Client]:
    """Calls controls; there is no fault rule before and after."""
    base = f"{live.base_url}/api/v1/emulator"
    with httpx2.Client(base_url=base, headers=live.headers, verify=False) as http:
        yield http
        http.delete("/faults").raise_for_status()


def fault(control: httpx2.Client, effect: str, **more: object) -> None:
    """Adds a rule."""
    control.post("/faults", json={"effect": effect, **more}).raise_for_status()


def job(driver: Driver) -> str:
    """The id of a new job."""
    mappings = [{"api_name": "Last_Name", "index": 0}]
    file_id = driver.file_id(zipped(ROWS))
    resource: Report = {"module": "Leads", "file_id": file_id, "field_mappings": mappings}
    return driver.job_id("insert", resource)


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


@pytest.mark.parametrize(
    ("effect", "status"), [("job_stuck", "INPROGRESS"), ("job_failed", "FAILED")]
)
def test_a_job_that_does_not_complete(
    driver: Driver, control: httpx2.Client, effect: str, status: str
) -> None:
    """The SDK sees its status."""
    fault(control, effect, method="POST", path="/crm/bulk/*/write")
    made = job(driver)
    seen: dict[str, Any] = driver.details(made)
    while seen["status"] == "ADDED" or (effect == "job_failed" and seen["status"] != status):
        seen = driver.details(made)
    assert seen["status"] == status


def _is_damaged(place: Path) -> bool:
    try:
        return zipfile.ZipFile(place).namelist() == []
    except zipfile.BadZipFile:
        return True
