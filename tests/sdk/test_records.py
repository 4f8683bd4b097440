"""Records written, searched and deleted by each SDK's own driver."""

from __future__ import annotations

import pytest
from tests.sdk.driver import Driver, Report, digits


def written(report: Report) -> list[Report]:
    """The outcomes of a call, all of them successes."""
    assert report.get("class") == "ActionWrapper", report
    found: list[Report] = report["data"]
    assert [one["class"] for one in found] == ["SuccessResponse"] * len(found), found
    return found


@pytest.mark.endpoint("POST /crm/{version}/{module}", "PUT /crm/{version}/{module}")
def test_records_are_written(driver: Driver, mail: str) -> None:
    """Insert, update, upsert; an error has its own class."""
    first = {"Last_Name": "Boyle", "Email": mail, "No_of_Employees": 5, "Annual_Revenue": 12.5}
    (made,) = written(driver.call("create_records", "Leads", records=[first]))
    assert (made["code"], made["message"]) == ("SUCCESS", "record added")
    number = digits(made["details"]["id"])
    (changed,) = written(
        driver.call("update_records", "Leads", records=[{"id": number, "City": "Bonn"}])
    )
    assert (changed["message"], digits(changed["details"]["id"])) == ("record updated", number)
    again = [{"Last_Name": "Carr", "Email": mail}]
    (one,) = written(driver.call("upsert_records", "Leads", records=again, check=["Email"]))
    assert (one["action"], one["duplicate_field"]) == ("update", "Email")
    assert digits(one["details"]["id"]) == number
    unknown = driver.call("update_records", "Leads", records=[{"id": "1", "City": "Bonn"}])
    assert unknown["data"][0]["class"] == "APIException", unknown
    assert unknown["data"][0]["code"] == "INVALID_DATA"


@pytest.mark.endpoint("GET /crm/{version}/{module}/search", "DELETE /crm/{version}/{module}")
def test_records_are_searched_and_deleted(driver: Driver, mail: str) -> None:
    """By e-mail and by criteria; after the deletion nothing is found."""
    record = {"Last_Name": "Finch", "Email": mail}
    (made,) = written(driver.call("create_records", "Leads", records=[record]))
    number = digits(made["details"]["id"])
    for parameters in ({"email": mail}, {"criteria": f"(Email:equals:{mail})"}):
        found = driver.call(
            "search_records", "Leads", group="SearchRecordsParam", parameters=parameters
        )
        assert (found["http"], found["class"]) == (200, "ResponseWrapper"), found
        (one,) = found["data"]
        assert one["key_values"]["Last_Name"] == "Finch"
    (gone,) = written(
        driver.call(
            "delete_records", "Leads", group="DeleteRecordsParam", parameters={"ids": number}
        )
    )
    assert gone["message"] == "record deleted"
    empty = driver.call(
        "search_records", "Leads", group="SearchRecordsParam", parameters={"email": mail}
    )
    assert (empty["http"], empty["class"]) == (204, None)


@pytest.mark.endpoint("POST /crm/{version}/coql")
def test_records_are_queried(driver: Driver, mail: str) -> None:
    """Rows with a path and an alias; nothing found; an error with its code and details."""
    record = {"Last_Name": "O'Hara", "Email": mail, "No_of_Employees": 5}
    (made,) = written(driver.call("create_records", "Leads", records=[record]))
    columns = "Last_Name, Owner.last_name, No_of_Employees as Size"
    found = driver.query(
        f"select {columns} from Leads where (Last_Name = 'O''Hara' and Email = '{mail}')"
    )
    assert (found["http"], found["class"]) == (200, "ResponseWrapper"), found
    (one,) = found["data"]
    values = one["key_values"]
    assert (values["Last_Name"], values["Size"]) == ("O'Hara", 5)
    assert values["Owner.last_name"]
    assert digits(one["id"]) == digits(made["details"]["id"])
    assert (found["info"]["count"], found["info"]["more_records"]) == (1, False)
    empty = driver.query(f"select id from Leads where Email = 'no-{mail}'")
    assert (empty["http"], empty["class"]) == (204, None)
    wrong = driver.query("select Bogus from Leads where id is not null")
    assert (wrong["class"], wrong["code"]) == ("APIException", "INVALID_QUERY"), wrong
    assert wrong["message"] == "column given seems to be invalid"
    assert wrong["details"]["column_name"] == "Bogus"
