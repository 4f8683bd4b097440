"""Records that are read back (facts 9)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment

from bulkwright.store import tables

Json = dict[str, Any]


def store(server: Deployment, module: str, **values: object) -> int:
    """Store a record as a sink does; returns its id."""
    services = server.services
    found = services.modules.module(server.tenant.org.id, module)
    assert found is not None
    record = {"id": services.modules.take_ids(1), **values}
    names, marks = ", ".join(f'"{name}"' for name in record), ", ".join("?" * len(record))
    insert = f"INSERT INTO {tables.table_of(found).name} ({names}) VALUES ({marks})"
    services.database.sql(insert, tuple(record.values()))
    return int(str(record["id"]))


def read(server: Deployment, module: str, record_id: int) -> Json:
    """One record."""
    answer = server.get(f"/crm/v2/{module}/{record_id}")
    assert answer.status_code == 200
    (record,) = answer.json()["data"]
    return dict(record)


def test_a_record_has_a_value_for_every_field(server: Deployment) -> None:
    """Each data type in its own shape; an unset value is an explicit null."""
    user = server.tenant.user
    account = store(server, "Accounts", Account_Name="Zylker")
    record_id = store(
        server,
        "Deals",
        Deal_Name="Größe",
        Stage="Closed Won",
        Amount="12345678901234.50",
        Probability=70,
        Closing_Date="2024-01-31",
        Created_Time="2024-01-31T09:00:00Z",
        Owner=user.id,
        Created_By=user.id,
        Account_Name=account,
    )
    answer = server.get(f"/crm/v2/Deals/{record_id}")
    assert b'"Amount":12345678901234.50,' in answer.content
    deal = answer.json()["data"][0]
    person = {"name": "Patricia Boyle", "id": str(user.id), "email": user.email}
    expected = {
        "id": str(record_id),
        "Deal_Name": "Größe",
        "Probability": 70,
        "Closing_Date": "2024-01-31",
        "Created_Time": "2024-01-31T01:00:00-08:00",
        "Owner": person,
        "Created_By": person,
        "Modified_By": None,
        "Account_Name": {"name": "Zylker", "id": str(account)},
        "Contact_Name": None,
        "Tag": [],
        "$approved": True,
        "$currency_symbol": "$",
    }
    assert expected.items() <= deal.items()
    found = server.services.modules.module(server.tenant.org.id, "Deals")
    assert found is not None
    assert {f.api_name for f in found.fields} <= set(deal)


def test_booleans_and_lists(server: Deployment) -> None:
    """Stored as 0/1 and as JSON text."""
    record_id = store(
        server, "Products", Product_Name="Chair", Product_Active=True, Tax='["Vat","Sales Tax"]'
    )
    product = read(server, "Products", record_id)
    assert product["Product_Active"] is True
    assert product["Tax"] == ["Vat", "Sales Tax"]


def test_a_dangling_lookup_has_no_name(server: Deployment) -> None:
    """It is no error."""
    record_id = store(server, "Contacts", Last_Name="Boyle", Account_Name=42)
    assert read(server, "Contacts", record_id)["Account_Name"] == {"name": None, "id": "42"}


def test_records_come_in_pages_newest_first(server: Deployment) -> None:
    """Facts 9: `info`, and 204 after the end."""
    made = [store(server, "Vendors", Vendor_Name=f"V{i}") for i in range(5)]
    first = server.get("/crm/v2/Vendors", params={"per_page": 3}).json()
    assert [r["id"] for r in first["data"]] == [str(i) for i in reversed(made[2:])]
    assert first["info"] == {"per_page": 3, "count": 3, "page": 1, "more_records": True}
    second = server.get("/crm/v2/Vendors", params={"per_page": 3, "page": 2}).json()
    assert second["info"]["more_records"] is False
    assert len(second["data"]) == 2
    third = server.get("/crm/v2/Vendors", params={"per_page": 3, "page": 3})
    assert (third.status_code, third.content) == (204, b"")


def test_fields_select_the_keys(server: Deployment) -> None:
    """The id is always included."""
    store(server, "Campaigns", Campaign_Name="C")
    answer = server.get("/crm/v2/Campaigns", params={"fields": "Campaign_Name,Nothing"}).json()
    assert set(answer["data"][0]) == {"id", "Campaign_Name"}


@pytest.mark.parametrize("record_id", ["1", "0", "abc", "9" * 18, "9" * 30])
def test_an_unknown_record_is_no_content(server: Deployment, record_id: str) -> None:
    """Facts 9: 204 with an empty body."""
    answer = server.get(f"/crm/v2/Leads/{record_id}")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=201", "per_page=-1", "page=1e3"])
def test_an_invalid_page_is_rejected(server: Deployment, query: str) -> None:
    """INVALID_DATA."""
    answer = server.get(f"/crm/v2/Leads?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")


def test_another_org_sees_none_of_it(server: Deployment) -> None:
    """The token of another org does not find the record."""
    record_id = store(server, "Solutions", Solution_Title="S")
    assert server.get(f"/crm/v2/Solutions/{record_id}", server.other.token).status_code == 204
    assert server.get("/crm/v2/Solutions", server.other.token).status_code == 204


def test_an_unknown_module_is_invalid(server: Deployment) -> None:
    """Facts 7.5."""
    answer = server.get("/crm/v2/Nothing")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_MODULE")
