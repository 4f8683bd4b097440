"""A bulk read by each SDK's own calls, from its creation to its CSV and its callback."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from tests.sdk.catalogue import Sdk
from tests.sdk.driver import Driver, Report, digits
from tests.support.live import Live
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.uploads import zipped

_READ = "/crm/bulk/{version}/read"


@pytest.mark.endpoint(f"POST {_READ}", f"GET {_READ}/{{job_id}}", f"GET {_READ}/{{job_id}}/result")
def test_records_are_read_in_bulk(driver: Driver, live: Live, sdk: Sdk, mail: str) -> None:
    """Each SDK has objects for the response, the details, the file, and an error."""
    text = f"Last_Name,Email,No_of_Employees\nA,1{mail},1\nB,2{mail},2\n"
    driver.done(
        driver.job_id("insert", {"module": "Leads", "file_id": driver.file_id(zipped(text))})
    )
    mails: Report = {"comparator": "in", "value": [f"1{mail}", f"2{mail}"]}
    if "nodejs-sdk-8" in sdk.name:
        # It sends a list of values as an object with the keys "0" and "1".
        mails = {"comparator": "ends_with", "value": mail}
    criteria = {
        "group": [
            {"api_name": "Email", **mails},
            {"api_name": "No_of_Employees", "comparator": "greater_than", "value": 1},
        ],
        "group_operator": "and",
    }
    with Receiver() as receiver:
        request = {
            "module": "Leads",
            "fields": ["Last_Name", "Email"],
            "criteria": criteria,
            "callback": receiver.url,
        }
        report = driver.create_read(request)
        assert (report["http"], report["class"]) == (201, "ActionWrapper"), report
        (made,) = report["data"]
        assert (made["class"], made["code"]) == ("SuccessResponse", "ADDED_SUCCESSFULLY")
        number = digits(made["details"]["id"])
        details = driver.read_done(number)
        assert until(lambda: bool(receiver.letters)), "no callback"
    assert (details["http"], details["class"]) == (200, "ResponseWrapper")
    (job,) = details["data"]
    assert (job["class"], job["operation"]) == ("JobDetail", "read")
    assert job["created_by"]["name"] == live.credentials["user"]["name"]
    assert job["query"]["fields"] == request["fields"]
    assert job["query"]["criteria"]["group_operator"] == "and"
    assert (job["result"]["count"], job["result"]["more_records"]) == (1, False)
    assert json.loads(receiver.letters[0].body)["data"][0]["id"] == number
    report, saved = driver.read_result(number)
    assert (report["http"], report["class"]) == (200, "FileBodyWrapper"), report
    with zipfile.ZipFile(saved) as archive:
        text = archive.read(f"{number}.csv").decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (list(row), row["Email"]) == (["id", "Last_Name", "Email"], f"2{mail}")
    wrong = driver.create_read({**request, "fields": ["Nothing"]})
    assert (wrong["class"], wrong["code"]) == ("APIException", "FIELD_NOT_AVAILABLE"), wrong
