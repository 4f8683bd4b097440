"""Records listed, searched and counted, over HTTP on both stores (facts 10.8 to 10.10)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from tests.features.test_record_writes import insert, send
from tests.support.deployment import Deployment, make_tenant

from bulkwright.domain.limits import CRITERIA_CHARACTERS

Json = dict[str, Any]

PEOPLE: tuple[Mapping[str, object], ...] = (
    {"Last_Name": "Boyle", "City": "Bonn", "Email": "boyle@find.example", "No_of_Employees": 5,
     "Annual_Revenue": 10.5, "Phone": "555-0001", "Lead_Source": "Web, Ads"},
    {"Last_Name": "Boylestone", "City": "BONN", "Email": "stone@find.example",
     "Secondary_Email": "Second@Find.example", "No_of_Employees": 50, "Annual_Revenue": 9.25},
    {"Last_Name": "Carr (x)", "City": "Köln", "Email": "carr@find.example",
     "Annual_Revenue": -0.5, "Email_Opt_Out": True, "Mobile": "555-0002"},
    {"Last_Name": "100%_!", "City": None, "Annual_Revenue": -1.75,
     "Description": "needs a Gabelstapler"},
)  # fmt: skip


@pytest.fixture(scope="module")
def server(server: Deployment) -> Deployment:
    """The server with an org of this file, which has no other records."""
    company = f"Reads{uuid.uuid4().hex[:8]}"
    return replace(server, tenant=make_tenant(server.services, company))


@pytest.fixture(scope="module")
def found(server: Deployment) -> Iterator[dict[str, str]]:
    """Four leads, the only records of the org: their ids by last name."""
    ids = insert(server, "Leads", *map(dict, PEOPLE))
    yield {str(one["Last_Name"]): number for one, number in zip(PEOPLE, ids, strict=True)}


def names(answer: httpx2.Response) -> list[str]:
    """The last names of an answer, oldest first."""
    if answer.status_code == 204:
        return []
    assert answer.status_code == 200, answer.text
    return [one["Last_Name"] for one in reversed(answer.json()["data"])]


def search(server: Deployment, criteria: str, version: str = "v8", **more: str) -> httpx2.Response:
    """A search by criteria."""
    path = f"/crm/{version}/Leads/search"
    return server.get(path, params={"criteria": criteria, **more} if criteria else more)


ALL = [str(one["Last_Name"]) for one in PEOPLE]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("(Last_Name:equals:Boyle)", ["Boyle", "Boylestone"]),
        ("Last_Name:equals:boyle", ["Boyle", "Boylestone"]),
        ("(Last_Name:starts_with:boyles)", ["Boylestone"]),
        ("(Last_Name:in:Boyle,Smith)", ["Boyle"]),
        ("(Last_Name:not_equal:Boyle)", ["Boylestone", "Carr (x)", "100%_!"]),
        (r"(Last_Name:equals:Carr \(x\))", ["Carr (x)"]),
        ("(Last_Name:equals:100%_!)", ["100%_!"]),
        ("(Last_Name:equals:%)", ["100%_!"]),
        ("(Last_Name:starts_with:_)", []),
        ("(Email:equals:BOYLE@find.example)", ["Boyle"]),
        ("(Email:starts_with:s)", ["Boylestone"]),
        ("(Email:in:boyle@find.example,carr@find.example)", ["Boyle", "Carr (x)"]),
        ("(Email:not_equal:boyle@find.example)", ["Boylestone", "Carr (x)", "100%_!"]),
        (
            "(Secondary_Email:not_equal:SECOND@find.example)",
            ["Boyle", "Carr (x)", "100%_!"],
        ),
        ("(City:equals:bonn)", ["Boyle", "Boylestone"]),
        ("((Last_Name:starts_with:B)and(No_of_Employees:greater_than:5))", ["Boylestone"]),
        ("((City:equals:bonn) and (Email:starts_with:stone))", ["Boylestone"]),
        (
            "((Last_Name:equals:Carr)or((City:equals:bonn)and(No_of_Employees:less_equal:5)))",
            ["Boyle", "Carr (x)"],
        ),
        ("(Last_Name:equals:Carr)or(No_of_Employees:equals:50)", ["Boylestone", "Carr (x)"]),
        ("(No_of_Employees:between:5,49)", ["Boyle"]),
        ("(No_of_Employees:in:5,50)", ["Boyle", "Boylestone"]),
        ("(No_of_Employees:not_equal:5)", ["Boylestone", "Carr (x)", "100%_!"]),
        ("(Annual_Revenue:greater_than:9.5)", ["Boyle"]),
        ("(Annual_Revenue:greater_equal:9.250)", ["Boyle", "Boylestone"]),
        ("(Annual_Revenue:less_than:0)", ["Carr (x)", "100%_!"]),
        ("(Annual_Revenue:less_than:-0.5)", ["100%_!"]),
        ("(Annual_Revenue:equals:10.50)", ["Boyle"]),
        ("(Annual_Revenue:between:-1,10)", ["Boylestone", "Carr (x)"]),
        ("(Annual_Revenue:in:10.5,-1.75)", ["Boyle", "100%_!"]),
        ("(Email_Opt_Out:equals:true)", ["Carr (x)"]),
        (r"(Lead_Source:in:Web\, Ads,Other)", ["Boyle"]),
        ("(Lead_Source:equals:web, ads)", []),
        ("(Created_Time:greater_than:2001-01-01T00:00:00+00:00)", ALL),
        ("(Created_Time:less_than:2001-01-01T00:00:00+00:00)", []),
        ("(Owner:equals:Patricia Boyle)", ALL),
        ("(Owner:equals:1)", []),
        ("(Owner:equals:No One)", []),
        ("( Last_Name : equals : Boyle )", ["Boyle", "Boylestone"]),
    ],
)
def test_criteria(
    server: Deployment, found: dict[str, str], criteria: str, expected: list[str]
) -> None:
    """Texts without case, keys by their index, numbers exactly; 204 if nothing is found."""
    answer = search(server, criteria)
    assert names(answer) == expected
    scopes = server.get("/crm/v8/Leads/actions/count", params={"criteria": criteria})
    assert scopes.json() == {"count": len(expected)}
    if not expected:
        assert (answer.status_code, answer.content) == (204, b"")


def test_equals_is_exact_for_one_condition_before_v6(
    server: Deployment, found: dict[str, str]
) -> None:
    """Facts 10.9; of several conditions it means contains on all versions."""
    assert names(search(server, "(Last_Name:equals:Boyle)", "v2")) == ["Boyle"]
    both = "((Last_Name:equals:Boyle)and(Email:starts_with:stone))"
    assert names(search(server, both, "v2")) == ["Boylestone"]


def test_what_is_made_of_other_fields_is_not_searched(server: Deployment) -> None:
    """A search by it would find nothing."""
    answer = search(server, "(Full_Name:equals:Boyle)")
    assert (answer.status_code, answer.json()["details"]["param_name"]) == (501, "Full_Name")
    listed = server.get("/crm/v2/Leads?sort_by=Full_Name")
    assert (listed.status_code, listed.json()["details"]["param_name"]) == (501, "Full_Name")


def test_a_reference_is_found_by_id_and_by_name(server: Deployment) -> None:
    """Facts 10.9."""
    account, _ = insert(
        server, "Accounts", {"Account_Name": "Zylker Find"}, {"Account_Name": "Other Find"}
    )
    insert(server, "Contacts", {"Last_Name": "Ref", "Account_Name": {"id": account}})
    for criteria in (
        f"(Account_Name:equals:{account})",
        "(Account_Name:equals:zylker find)",
        "(Account_Name.name:equals:Zylker Find)",
        f"(Account_Name:in:{account},1)",
    ):
        answer = server.get("/crm/v8/Contacts/search", params={"criteria": criteria})
        assert names(answer) == ["Ref"], criteria
    none = server.get("/crm/v8/Contacts/search", params={"criteria": "(Account_Name:equals:Nix)"})
    assert none.status_code == 204


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"email": "boyle@find.example"}, ["Boyle"]),
        ({"email": "SECOND@find.example"}, ["Boylestone"]),
        ({"email": "absent@find.example"}, []),
        ({"phone": "555-0001"}, ["Boyle"]),
        ({"phone": "555-0002"}, ["Carr (x)"]),
        ({"word": "gabel"}, ["100%_!"]),
        ({"word": "onn"}, ["Boyle", "Boylestone"]),
        ({"word": "Boyle", "email": "carr@find.example"}, ["Carr (x)"]),
        ({"word": "%_"}, ["100%_!"]),
    ],
)
def test_email_phone_and_word(
    server: Deployment, found: dict[str, str], parameters: dict[str, str], expected: list[str]
) -> None:
    """Every field of the kind is looked at; of several parameters the first one counts."""
    assert names(server.get("/crm/v8/Leads/search", params=parameters)) == expected
    counted = server.get("/crm/v8/Leads/actions/count", params=parameters)
    assert counted.json() == {"count": len(expected)}


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        ("(Nothing:equals:x)", "INVALID_QUERY"),
        ("(Last_Name:greater_than:x)", "INVALID_QUERY"),
        ("(Last_Name:like:x)", "INVALID_QUERY"),
        ("(No_of_Employees:equals:x)", "INVALID_QUERY"),
        ("(No_of_Employees:between:1)", "INVALID_QUERY"),
        ("(Created_Time:equals:yesterday)", "INVALID_QUERY"),
        ("(Last_Name:equals:)", "INVALID_QUERY"),
        ("(Last_Name:equals:x", "INVALID_QUERY"),
        ("(Last_Name:equals:x))", "INVALID_QUERY"),
        ("Last_Name", "INVALID_QUERY"),
        ("()", "INVALID_QUERY"),
        ("(" * 5000, "INVALID_QUERY"),
        (f"(Last_Name:equals:{'x' * CRITERIA_CHARACTERS})", "INVALID_QUERY"),
        ("(" * 40 + "Last_Name:equals:x" + ")" * 40, "INVALID_QUERY"),
        ("or".join(["(Last_Name:equals:x)"] * 16), "CRITERIA_LIMIT_EXCEEDED"),
        ("(Last_Name:in:" + ",".join(["x"] * 101) + ")", "INVALID_QUERY"),
        ("(Last_Name:equals:x)and", "INVALID_QUERY"),
        ("(1=1)or(Last_Name:equals:x)", "INVALID_QUERY"),
        ('(Last_Name":equals:x)', "INVALID_QUERY"),
    ],
)
def test_criteria_that_cannot_be_used(server: Deployment, criteria: str, code: str) -> None:
    """The documented codes."""
    answer = search(server, criteria)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


@pytest.mark.parametrize(
    "value",
    ["' OR 1=1 --", "x'; DROP TABLE users; --", '" OR ""="', "?", "%s", ":name", "{0}", "\\", "💥",
     "x" * 3000, "$1", "');--"],
)  # fmt: skip
def test_a_value_is_never_sql(server: Deployment, found: dict[str, str], value: str) -> None:
    """It finds the record that has it, and nothing else."""
    (record,) = insert(server, "Leads", {"Last_Name": "inject", "Street": value[:250]})
    escaped = re.sub(r"([\\,()])", r"\\\1", value[:250])
    for field in ("Street", "Last_Name", "Email"):
        answer = search(server, f"({field}:equals:{escaped})")
        ids = [] if answer.status_code == 204 else [one["id"] for one in answer.json()["data"]]
        if field == "Street":
            assert record in ids
        else:
            assert ids == [], answer.text
    for parameter in ("email", "phone"):
        assert server.get("/crm/v8/Leads/search", params={parameter: value}).status_code == 204
    assert server.get(f"/crm/v8/Leads?fields=id&sort_by={quote(value)}").status_code == 400
    send(server, "DELETE", f"Leads/{record}")


def test_what_a_search_needs(server: Deployment, found: dict[str, str]) -> None:
    """A parameter, two letters, both scopes, a page within the limit."""
    answer = server.get("/crm/v8/Leads/search")
    assert (answer.status_code, answer.json()["code"]) == (400, "EXPECTED_PARAM_MISSING")
    answer = server.get("/crm/v8/Leads/search?word=a")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    only = server.token("ZohoCRM.modules.ALL")
    answer = server.get("/crm/v8/Leads/search?word=ab", only)
    assert (answer.status_code, answer.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
    both = server.token("ZohoCRM.modules.leads.READ,ZohoSearch.securesearch.READ")
    assert server.get("/crm/v8/Leads/search?word=Boyle", both).status_code == 200
    assert server.get("/crm/v8/Leads/actions/count", both).status_code == 401
    answer = server.get("/crm/v8/Leads/search?word=ab&page=11")
    assert (answer.status_code, answer.json()["code"]) == (400, "LIMIT_REACHED")
    page = server.get("/crm/v8/Leads/search?word=boyle&per_page=1&fields=Last_Name").json()
    assert set(page["data"][0]) == {"id", "Last_Name"}
    assert page["info"]["more_records"] is True
    second = server.get("/crm/v8/Leads/search?word=boyle&per_page=1&page=2").json()
    assert second["data"][0]["id"] != page["data"][0]["id"]
    assert server.get("/crm/v8/Leads/search?word=boyle", server.other.token).status_code == 204


def test_count(server: Deployment, found: dict[str, str]) -> None:
    """Of everything too; from v2.1 on; not with a custom view."""
    path = "/crm/{}/Leads/actions/count"
    assert server.get(path.format("v8")).json()["count"] >= 4
    answer = server.get(path.format("v2"))
    assert (answer.status_code, answer.json()["code"]) == (400, "API_NOT_SUPPORTED")
    answer = server.get(f"{path.format('v8')}?cvid=1&word=ab")
    assert (answer.status_code, answer.json()["code"]) == (400, "AMBIGUITY_DURING_PROCESSING")
    assert server.get(f"{path.format('v8')}?cvid=1").status_code == 501


def test_a_list_is_sorted_and_restricted(server: Deployment, found: dict[str, str]) -> None:
    """By ids, by a field, ascending; unset values come last."""
    ids = ",".join(found.values())
    path = "/crm/v2/Leads"
    assert names(server.get(path, params={"ids": ids})) == ALL
    answer = server.get(path, params={"ids": f"{found['Boyle']},1"})
    assert names(answer) == ["Boyle"]
    assert server.get(path, params={"ids": "1"}).status_code == 204
    assert server.get(path, params={"ids": ""}).status_code == 204
    assert server.get(path, params={"ids": "x"}).status_code == 400

    def ordered(by: str, order: str) -> list[str]:
        params = {"ids": ids, "sort_by": by, "sort_order": order}
        return [one["Last_Name"] for one in server.get(path, params=params).json()["data"]]

    by_revenue = ["100%_!", "Carr (x)", "Boylestone", "Boyle"]
    assert ordered("Annual_Revenue", "asc") == by_revenue
    assert ordered("Annual_Revenue", "desc") == by_revenue[::-1]
    assert ordered("No_of_Employees", "desc")[:2] == ["Boylestone", "Boyle"]
    assert ordered("No_of_Employees", "asc")[:2] == ["Boyle", "Boylestone"]
    assert ordered("City", "asc") == ["Boylestone", "Boyle", "Carr (x)", "100%_!"]
    assert ordered("id", "asc") == ALL
    for query in ("sort_by=Nothing", "sort_order=up", "converted=x", "approved=1"):
        answer = server.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA"), query
    assert server.get("/crm/v8/Leads?fields=id&sort_by=City").status_code == 400
    assert server.get("/crm/v8/Leads?fields=id&sort_by=Modified_Time").status_code == 200
    assert server.get(f"{path}?converted=true").status_code == 204
    assert server.get(f"{path}?approved=false").status_code == 204
    assert server.get(f"{path}?converted=both&approved=both").status_code == 200
    assert server.get(f"{path}?cvid=1").status_code == 501


@pytest.mark.parametrize("sort", ["", "&sort_by=Created_Time&sort_order=asc"])
def test_page_tokens_reach_every_record_once(server: Deployment, sort: str) -> None:
    """Also where a record is added between two pages, if the newest come first."""
    made = insert(server, "Vendors", *[{"Vendor_Name": f"T{n}"} for n in range(7)])
    path = f"/crm/v8/Vendors?fields=Vendor_Name&per_page=3{sort}"
    first = server.get(path).json()
    assert list(first["info"]) == [
        "call", "per_page", "next_page_token", "count", "sort_by", "page", "previous_page_token",
        "page_token_expiry", "sort_order", "email", "more_records",
    ]  # fmt: skip
    seen, answer = [one["id"] for one in first["data"]], first
    if not sort:
        made += insert(server, "Vendors", {"Vendor_Name": "new"})
    while token := answer["info"]["next_page_token"]:
        answer = server.get(f"{path}&page_token={token}").json()
        seen += [one["id"] for one in answer["data"]]
    assert len(seen) == len(set(seen)) and set(made[:7]) <= set(seen)
    assert answer["info"]["more_records"] is False
    token = first["info"]["next_page_token"]
    other = server.get(f"{path}&page_token={token}&converted=both")
    assert (other.status_code, other.json()["code"]) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    theirs = server.get(f"{path}&page_token={token}", server.other.token)
    assert theirs.json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
    both = server.get(f"{path}&page_token={token}&page=2")
    assert both.json()["code"] == "AMBIGUITY_DURING_PROCESSING"
    for bad in ("x", "bnVsbA", "W10", "WzEsMiwzLDRd", "%F0%9F%92%A5"):
        answer_ = server.get(f"{path}&page_token={bad}")
        assert (answer_.status_code, answer_.json()["code"]) == (400, "INVALID_DATA"), bad
    for one in made:
        send(server, "DELETE", f"Vendors/{one}")


def test_a_page_token_ends(server: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day, and behind the records that tokens reach."""
    made = insert(server, "Vendors", *[{"Vendor_Name": f"E{n}"} for n in range(3)])
    path = "/crm/v8/Vendors?fields=id&per_page=1"
    token = server.get(path).json()["info"]["next_page_token"]
    assert server.get(f"{path}&page_token={token}").status_code == 200
    monkeypatch.setattr("bulkwright.zoho.parse.paging.TOKEN_PAGED_RECORDS", 1)
    behind = server.get(f"{path}&page_token={token}")
    assert (behind.status_code, behind.json()["code"]) == (400, "PAGINATION_LIMIT_EXCEEDED")
    monkeypatch.setattr("bulkwright.zoho.parse.paging.PAGE_TOKEN_SECONDS", -1)
    token = server.get(path).json()["info"]["next_page_token"]
    expired = server.get(f"{path}&page_token={token}")
    assert (expired.status_code, expired.json()["code"]) == (400, "EXPIRED_VALUE")
    for one in made:
        send(server, "DELETE", f"Vendors/{one}")


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("(Tax:equals:Vat)", ["A", "B"]),
        ("(Tax:equals:Vat;Sales Tax)", ["A"]),
        ("(Tax:in:Sales Tax,Other)", ["A"]),
        ("(Tax:starts_with:va)", ["A", "B"]),
        ("(Tax:not_equal:Sales Tax)", ["B", "C"]),
        ("(Tax:equals:;)", []),
        ("(Tax:equals:at)", []),
    ],
)
def test_a_list_is_searched_by_its_values(
    server: Deployment, lists: None, criteria: str, expected: list[str]
) -> None:
    """Values joined by semicolons are all in the list; each is compared as a whole."""
    whole = f"((Product_Name:starts_with:Of list)and{criteria})"
    answer = server.get("/crm/v8/Products/search", params={"criteria": whole})
    found = [] if answer.status_code == 204 else answer.json()["data"]
    assert sorted(one["Product_Name"].removeprefix("Of list ") for one in found) == expected


@pytest.fixture(scope="module")
def lists(server: Deployment) -> None:
    """Products with two taxes, with one and with none."""
    taxes = {"A": ["Vat", "Sales Tax"], "B": ["Vat"], "C": None}
    records = [{"Product_Name": f"Of list {name}", "Tax": tax} for name, tax in taxes.items()]
    insert(server, "Products", *records)


def test_pages_by_number_end(server: Deployment) -> None:
    """At 2,000 records from v5 on; not in v2."""
    answer = server.get("/crm/v8/Leads?fields=id&page=11")
    assert (answer.status_code, answer.json()["details"]) == (400, {"limit": 2000})
    assert answer.json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    assert server.get("/crm/v2/Leads?page=11").status_code == 204


def test_if_modified_since(server: Deployment, found: dict[str, str]) -> None:
    """304 without a body if nothing is newer, for a list and for one record."""
    for path in ("/crm/v8/Leads?fields=id", f"/crm/v8/Leads/{found['Boyle']}"):
        for moment, status in (
            ("2001-01-01T00:00:00+00:00", 200),
            (f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S+00:00}", 304),
            ("yesterday", 200),
        ):
            headers = server.auth() | {"If-Modified-Since": moment}
            answer = server.http.get(path, headers=headers)
            assert answer.status_code == status, (path, moment)
            assert status == 200 or answer.content == b""


def test_deleted_records_are_listed(server: Deployment) -> None:
    """Newest first, with who deleted them; of another module and org none."""
    assert server.get("/crm/v2/Campaigns/deleted").status_code == 204
    one, two = insert(server, "Campaigns", {"Campaign_Name": "A"}, {"Campaign_Name": "B"})
    send(server, "DELETE", f"Campaigns/{one}")
    send(server, "DELETE", f"Campaigns/{two}")
    answer = server.get("/crm/v2/Campaigns/deleted").json()
    assert [entry["id"] for entry in answer["data"]] == [two, one]
    user = {"name": "Patricia Boyle", "id": str(server.tenant.user.id)}
    entry = answer["data"][1]
    assert datetime.fromisoformat(entry.pop("deleted_time")).tzinfo
    assert entry == {
        "deleted_by": user, "id": one, "display_name": "A", "type": "recycle", "created_by": user,
    }  # fmt: skip
    assert answer["info"] == {"per_page": 200, "count": 2, "page": 1, "more_records": False}
    assert server.get("/crm/v2/Campaigns/deleted?type=permanent").status_code == 204
    assert server.get("/crm/v2/Campaigns/deleted?type=recycle&per_page=1").json()["info"][
        "more_records"
    ]
    wrong = server.get("/crm/v2/Campaigns/deleted?type=x")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "PATTERN_NOT_MATCHED")
    assert server.get("/crm/v2/Campaigns/deleted", server.other.token).status_code == 204
    for since, status in (("2001-01-01T00:00:00Z", 200), ("2999-01-01T00:00:00Z", 304)):
        headers = server.auth() | {"If-Modified-Since": since}
        answer_ = server.http.get("/crm/v2/Campaigns/deleted", headers=headers)
        assert answer_.status_code == status
