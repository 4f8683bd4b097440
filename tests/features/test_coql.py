"""COQL queries over HTTP, on both stores (facts 10.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from tests.features.test_record_writes import insert, send
from tests.support.deployment import Deployment

Json = dict[str, Any]

PEOPLE: tuple[Mapping[str, object], ...] = (
    {"Last_Name": "Boyle", "First_Name": "Ann", "City": "Bonn", "Email": "boyle@coql.example",
     "No_of_Employees": 5, "Annual_Revenue": 10.5, "Lead_Source": "Web, Ads"},
    {"Last_Name": "O'Hara", "City": "BONN", "Email": "hara@coql.example",
     "Secondary_Email": "Second@Coql.example", "No_of_Employees": 50, "Annual_Revenue": 9.25},
    {"Last_Name": "Carr (x)", "City": "Köln", "Email": "carr@coql.example",
     "Annual_Revenue": -0.5, "Email_Opt_Out": True},
    {"Last_Name": "100%_!", "City": None, "Annual_Revenue": -1.75,
     "Description": "needs a Gabelstapler"},
)  # fmt: skip
ALL = [str(one["Last_Name"]) for one in PEOPLE]


@pytest.fixture(scope="module")
def found(server: Deployment) -> Iterator[dict[str, str]]:
    """Four leads of an org, alone there: their ids by last name."""
    listed = server.get("/crm/v2/Leads")
    for record in listed.json()["data"] if listed.status_code == 200 else ():
        send(server, "DELETE", f"Leads/{record['id']}")
    ids = insert(server, "Leads", *map(dict, PEOPLE))
    yield dict(zip(ALL, ids, strict=True))


def coql(
    server: Deployment, query: object, version: str = "v8", token: str | None = None, **more: object
) -> httpx2.Response:
    """The answer to a query."""
    return server.http.post(
        f"/crm/{version}/coql",
        headers=server.auth(token),
        json={"select_query": query, **more},
    )


def rows(answer: httpx2.Response) -> list[Json]:
    """The rows of an answer."""
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.text
    data: list[Json] = answer.json()["data"]
    assert answer.json()["info"]["count"] == len(data)
    return data


def names(server: Deployment, condition: str, version: str = "v8") -> list[str]:
    """The last names of the leads that meet a condition, oldest first."""
    answer = coql(server, f"select Last_Name from Leads where {condition}", version)
    return [one["Last_Name"] for one in rows(answer)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("id is not null", ALL),
        ("id is null", []),
        ("Last_Name = 'Boyle'", ["Boyle"]),
        ('LAST_NAME IS NULL or Last_Name = "Boyle"', None),
        ('Last_Name = "Boyle"', ["Boyle"]),
        ("'Last_Name' = 'Boyle'", ["Boyle"]),
        ("Last_Name = 'boyle'", []),
        ("Last_Name = 'O''Hara'", ["O'Hara"]),
        ('Last_Name = "O\'Hara"', ["O'Hara"]),
        ("Last_Name != 'Boyle'", ALL[1:]),
        ("Last_Name like 'BOY%'", ["Boyle"]),
        ("Last_Name like '%ar%'", ["O'Hara", "Carr (x)"]),
        ("Last_Name like '%a'", ["O'Hara"]),
        ("Last_Name like 'boyle'", ["Boyle"]),
        ("Last_Name like '100%'", ["100%_!"]),
        ("Last_Name like '_oyle'", []),
        ("Last_Name not like '%ar%'", ["Boyle", "100%_!"]),
        ("City like '%'", ALL[:3]),
        ("City not like '%'", ["100%_!"]),
        ("City not like '%on%'", ["Carr (x)", "100%_!"]),
        ("Last_Name in ('Boyle', 'Smith')", ["Boyle"]),
        ("Last_Name NOT IN ('Boyle', 'Smith')", ALL[1:]),
        ("City is null", ["100%_!"]),
        ("City is not null", ALL[:3]),
        ("City = 'Köln'", ["Carr (x)"]),
        ("City != 'Bonn'", ALL[1:]),
        ("City not in ('Bonn')", ALL[1:]),
        ("Email = 'BOYLE@coql.example'", ["Boyle"]),
        ("Email like 'b%'", ["Boyle"]),
        ("Email like '%HARA@%'", ["O'Hara"]),
        ("Email is null", ["100%_!"]),
        ("Email not in ('boyle@coql.example')", ALL[1:]),
        ("Secondary_Email = 'second@coql.example'", ["O'Hara"]),
        ("Secondary_Email != 'second@coql.example'", ["Boyle", "Carr (x)", "100%_!"]),
        ("No_of_Employees = 5", ["Boyle"]),
        ("No_of_Employees = '5'", ["Boyle"]),
        ("No_of_Employees>=5", ["Boyle", "O'Hara"]),
        ("No_of_Employees between 5 and 49", ["Boyle"]),
        ("No_of_Employees not between 5 and 49", ALL[1:]),
        ("No_of_Employees in (5, '50')", ["Boyle", "O'Hara"]),
        ("No_of_Employees not in (5)", ALL[1:]),
        ("Annual_Revenue > 9.5", ["Boyle"]),
        ("Annual_Revenue < -0.5", ["100%_!"]),
        ("Annual_Revenue between -1 and 10", ["O'Hara", "Carr (x)"]),
        ("Annual_Revenue not between -1 and 10", ["Boyle", "100%_!"]),
        ("Annual_Revenue in (10.50, -1.75)", ["Boyle", "100%_!"]),
        ("Annual_Revenue not in (10.50, -1.75)", ["O'Hara", "Carr (x)"]),
        ("Annual_Revenue is null", []),
        ("Email_Opt_Out = true", ["Carr (x)"]),
        ("Email_Opt_Out = 'TRUE'", ["Carr (x)"]),
        ("Lead_Source = 'Web, Ads'", ["Boyle"]),
        ("Lead_Source like 'web%'", ["Boyle"]),
        ("Created_Time > '2001-01-01T00:00:00+00:00'", ALL),
        ("Created_Time > 2001-01-01T00:00:00+00:00", ALL),
        ("Created_Time not between '2001-01-01T00:00:00Z' and '2999-01-01T00:00:00Z'", []),
        ("(Last_Name = 'Boyle')", ["Boyle"]),
        ("Last_Name = 'Boyle' or Last_Name = '100%_!'", ["Boyle", "100%_!"]),
        (
            "((City like '%on%' and No_of_Employees > 5) or (Annual_Revenue < 0))",
            ["O'Hara", "Carr (x)", "100%_!"],
        ),
        ("(City is null or City = 'Bonn') and Annual_Revenue > 0", ["Boyle"]),
        ("Owner.id is not null", ALL),
        ("Owner = 1", []),
        ("Owner not in (1)", ALL),
    ],
)
def test_conditions(
    server: Deployment, found: dict[str, str], condition: str, expected: list[str] | None
) -> None:
    """Texts as in a search; everything that is negated also finds records without a value."""
    if expected is None:
        assert coql(server, f"select id from Leads where {condition}").status_code == 400
        return
    assert names(server, condition) == expected


def test_what_a_row_holds(server: Deployment, found: dict[str, str]) -> None:
    """The selected columns in their order, then the id, which is always there."""
    query = "SELECT City, 'Last_Name', No_of_Employees as 'Head count', Annual_Revenue AS Money, "
    query += "Email_Opt_Out, Full_Name FROM Leads WHERE Last_Name = 'Boyle'"
    (row,) = rows(coql(server, query))
    assert list(row.items()) == [
        ("City", "Bonn"),
        ("Last_Name", "Boyle"),
        ("Head count", 5),
        ("Money", 10.5),
        ("Email_Opt_Out", None),
        ("Full_Name", "Ann Boyle"),
        ("id", found["Boyle"]),
    ]
    (row,) = rows(coql(server, "select id as X from Leads where Last_Name='Boyle'"))
    assert row == {"X": found["Boyle"], "id": found["Boyle"]}
    (row,) = rows(coql(server, "select Created_Time from Leads where Last_Name='Boyle'"))
    assert row["Created_Time"][-6] in "+-"


def test_lookups_and_paths(server: Deployment) -> None:
    """A lookup has its name from v7 on; a path is a flat key, also through two lookups."""
    parent, lonely = insert(
        server,
        "Accounts",
        {"Account_Name": "Zylker Coql", "Phone": "555-77"},
        {"Account_Name": "Lonely"},
    )
    ids = insert(
        server,
        "Contacts",
        {"Last_Name": "Path", "Account_Name": {"id": parent}},
        {"Last_Name": "Path", "Account_Name": {"id": lonely}},
        {"Last_Name": "Path"},
    )
    (deal,) = insert(
        server,
        "Deals",
        {"Deal_Name": "D", "Stage": "Qualification", "Contact_Name": {"id": ids[0]}},
    )
    query = "select Account_Name, Account_Name.Account_Name, Account_Name.Phone, Account_Name.id, "
    query += "Owner, Owner.last_name from Contacts where Last_Name = 'Path'"
    for version, named in (("v8", True), ("v7", True), ("v6", False), ("v2", False)):
        answer = coql(server, query.replace(", Account_Name.Phone", ""), version)
        owner = {"id": str(server.tenant.user.id)} | ({"name": "Patricia Boyle"} if named else {})
        assert rows(answer)[0] == {
            "Account_Name": {"id": parent} | ({"name": "Zylker Coql"} if named else {}),
            "Account_Name.Account_Name": "Zylker Coql",
            "Account_Name.id": parent,
            "Owner": owner,
            "Owner.last_name": "Boyle",
            "id": ids[0],
        }
    first, second, third = rows(coql(server, query))
    assert first["Account_Name.Phone"] == "555-77"
    assert second["Account_Name.Phone"] is None
    assert third["Account_Name"] is third["Account_Name.id"] is third["Account_Name.Phone"] is None

    def met(condition: str) -> list[str]:
        query = f"select id from Contacts where (Last_Name = 'Path' and {condition})"
        return [one["id"] for one in rows(coql(server, query))]

    assert met("Account_Name.Account_Name = 'zylker coql'") == ids[:1]
    assert met("Account_Name.Phone like '555%'") == ids[:1]
    assert met("Account_Name.Phone != '555-77'") == ids[1:]
    assert met("Account_Name.Phone is null") == ids[1:]
    assert met("Account_Name.Phone is not null") == ids[:1]
    assert met("Account_Name.Account_Name not in ('Zylker Coql')") == ids[1:]
    assert met("Account_Name.id is null") == ids[2:]
    assert met(f"Account_Name = {lonely}") == ids[1:2]
    assert met(f"Account_Name != '{lonely}'") == [ids[0], ids[2]]
    query = "select Contact_Name.Account_Name.Phone, Contact_Name.Last_Name from Deals where "
    query += "Contact_Name.Account_Name.Account_Name = 'Zylker Coql'"
    assert rows(coql(server, query)) == [
        {"Contact_Name.Account_Name.Phone": "555-77", "Contact_Name.Last_Name": "Path", "id": deal}
    ]


def test_order_limit_and_offset(server: Deployment, found: dict[str, str]) -> None:
    """By id, unless the query sorts; records without a value come last."""

    def last_names(rest: str) -> tuple[list[str], bool]:
        answer = coql(server, f"select Last_Name from Leads where id is not null {rest}")
        listed = [one["Last_Name"] for one in rows(answer)]
        return listed, bool(listed) and answer.json()["info"]["more_records"]

    a, b, c, d = ALL
    assert last_names("limit 2") == ([a, b], True)
    assert last_names("limit 2 offset 2") == ([c, d], False)
    assert last_names("limit 1, 2") == ([b, c], True)
    assert last_names("limit 5 offset 4") == ([], False)
    assert last_names("order by Last_Name")[0] == [d, a, c, b]
    assert last_names("ORDER BY Last_Name DESC limit 1") == ([b], True)
    assert last_names("order by No_of_Employees desc, Annual_Revenue asc")[0] == [b, a, d, c]
    assert last_names("order by No_of_Employees, id desc")[0] == [a, b, d, c]
    query = "select Last_Name as N from Leads where id is not null order by N desc limit 1"
    assert rows(coql(server, query))[0]["N"] == b


def test_aggregates(server: Deployment, found: dict[str, str]) -> None:
    """The keys are as written, or aliases; sums are exact; a group has no id."""
    where = "from Leads where id is not null"
    numbers = "COUNT(id), COUNT(City), SUM(Annual_Revenue), MIN(Annual_Revenue), "
    numbers += "MAX(Annual_Revenue), AVG(No_of_Employees) as 'Mean'"
    answer = coql(server, f"select {numbers.rsplit(',', 1)[0]} {where}")
    assert rows(answer) == [
        {
            "COUNT(id)": 4,
            "COUNT(City)": 3,
            "SUM(Annual_Revenue)": 17.5,
            "MIN(Annual_Revenue)": -1.75,
            "MAX(Annual_Revenue)": 10.5,
        }
    ]
    assert '"SUM(Annual_Revenue)":17.5' in answer.text
    assert rows(coql(server, f"select AVG(No_of_Employees) as 'Mean' {where}")) == [{"Mean": 27.5}]
    query = f"select Owner, City as Town, COUNT(id) {where} group by City, Owner order by Town desc"
    owner = {"name": "Patricia Boyle", "id": str(server.tenant.user.id)}
    assert rows(coql(server, query)) == [
        {"Owner": owner, "Town": town, "COUNT(id)": 1} for town in ("Köln", "Bonn", "BONN", None)
    ]
    query = "select City from Leads where Last_Name != 'Boyle' group by City limit 1"
    assert (rows(coql(server, query)), coql(server, query).json()["info"]) == (
        [{"City": "BONN"}],
        {"count": 1, "more_records": True},
    )
    (row,) = rows(coql(server, f"select MAX(Created_Time), MAX(id), SUM(id) {where}"))
    assert row["MAX(Created_Time)"][10] == "T"
    assert row["MAX(id)"] == max(found.values())
    assert row["SUM(id)"] == sum(map(int, found.values()))
    (row,) = rows(coql(server, "select SUM(No_of_Employees), COUNT(id) from Leads where id = 1"))
    assert row == {"SUM(No_of_Employees)": None, "COUNT(id)": 0}
    assert coql(server, f"select City, COUNT(id) {where} group by Owner").json()["details"] == {
        "column_name": "City"
    }
    too_many = "SUM(id), MIN(id), MAX(id), AVG(id), COUNT(id), COUNT(City)"
    assert coql(server, f"select {too_many} {where}").json()["code"] == "LIMIT_EXCEEDED"


SELECT = "select Last_Name from Leads where "


@pytest.mark.parametrize(
    ("query", "code", "message", "details"),
    [
        ("", "SYNTAX_ERROR", "given coql query not supported", {}),
        ("delete from Leads", "SYNTAX_ERROR", "given coql query not supported", {}),
        ("%", "SYNTAX_ERROR", "given coql query not supported", {}),
        ("select Last_Name from Leads", "SYNTAX_ERROR", "missing clause", {"clause": "where"}),
        ("select Last_Name where id = 1", "SYNTAX_ERROR", "missing clause", {"clause": "from"}),
        ("select from Leads where id = 1", "SYNTAX_ERROR", None, {"near": "from"}),
        ("select * from Leads where id = 1", "SYNTAX_ERROR", None, {"near": "*"}),
        ("select Last_Name from Leads where", "SYNTAX_ERROR", None, {"near": "where"}),
        (f"{SELECT}Last_Name", "SYNTAX_ERROR", None, {"near": "Last_Name"}),
        (f"{SELECT}Last_Name = Boyle", "SYNTAX_ERROR", None, {"near": "Boyle"}),
        (f"{SELECT}Last_Name = 'Boyle", "SYNTAX_ERROR", None, {"near": "'", "column": 47}),
        (f"{SELECT}\nid = 1; drop", "SYNTAX_ERROR", None, {"near": ";", "line": 2, "column": 7}),
        (f"{SELECT}id = 1 -- x", "SYNTAX_ERROR", None, {"near": "-"}),
        (f"{SELECT}id = 1 /* x */", "SYNTAX_ERROR", None, {"near": "/"}),
        (f"{SELECT}id = 1 and id = 2 and id = 3", "SYNTAX_ERROR", None, {"near": "and"}),
        (f"{SELECT}(id = 1", "SYNTAX_ERROR", None, {"near": "1"}),
        (f"{SELECT}id = 1)", "SYNTAX_ERROR", None, {"near": ")"}),
        (f"{SELECT}id in ()", "SYNTAX_ERROR", None, {"near": ")"}),
        (f"{SELECT}id = 1 limit", "SYNTAX_ERROR", None, {"near": "limit"}),
        (f"{SELECT}id = 1 \u00a0", "SYNTAX_ERROR", None, {"near": "\u00a0"}),
        ("select Limit from Leads where id = 1", "SYNTAX_ERROR", None, {"near": "Limit"}),
        ("select Bogus from Leads where id = 1", "INVALID_QUERY",
         "column given seems to be invalid", {"column_name": "Bogus"}),
        ("select Owner.Bogus.x from Leads where id = 1", "NOT_IMPLEMENTED", None, {}),
        ("select Last_Name.x from Leads where id = 1", "INVALID_QUERY",
         "column given seems to be invalid", {"column_name": "Last_Name.x"}),
        ("select Account_Name.Bogus from Contacts where id = 1", "INVALID_QUERY",
         "column given seems to be invalid", {"column_name": "Account_Name.Bogus"}),
        ("select ' ' from Leads where id = 1", "INVALID_QUERY",
         "column given seems to be invalid", {}),
        (f"{SELECT}Bogus = 1", "INVALID_QUERY",
         "column given seems to be invalid", {"column_name": "Bogus"}),
        (f"{SELECT}id is not null order by Bogus", "INVALID_QUERY",
         "column given seems to be invalid", {"column_name": "Bogus"}),
        (f"{SELECT}Description = 'x'", "INVALID_QUERY",
         "unsupported column", {"column_name": "Description"}),
        (f"{SELECT}Last_Name >= 'x'", "INVALID_QUERY", "invalid query formed",
         {"reason": "invalid operator found", "column_name": "Last_Name", "operator": ">="}),
        (f"{SELECT}Last_Name <> 'x'", "INVALID_QUERY", "invalid query formed",
         {"reason": "invalid operator found", "column_name": "Last_Name", "operator": "<>"}),
        (f"{SELECT}No_of_Employees not like '%'", "INVALID_QUERY", "invalid query formed",
         {"reason": "invalid operator found", "column_name": "No_of_Employees",
          "operator": "not like"}),
        (f"{SELECT}Email_Opt_Out != true", "INVALID_QUERY", "invalid query formed",
         {"operator": "!="}),
        (f"{SELECT}Owner like 'x'", "INVALID_QUERY", "invalid query formed", {"operator": "like"}),
        (f"{SELECT}id = 'x'", "INVALID_QUERY",
         "value given seems to be invalid for the column",
         {"expected_data_type": "bigint", "column_name": "id"}),
        (f"{SELECT}Owner = 'x'", "INVALID_QUERY",
         "value given seems to be invalid for the column",
         {"expected_data_type": "bigint", "column_name": "Owner"}),
        (f"{SELECT}Created_Time > 'soon'", "INVALID_QUERY",
         "value given seems to be invalid for the column",
         {"expected_data_type": "datetime", "column_name": "Created_Time"}),
        (f"{SELECT}Last_Name = ''", "INVALID_QUERY",
         "value given seems to be invalid for the column", {"column_name": "Last_Name"}),
        (f"{SELECT}Last_Name like 'a%b'", "INVALID_QUERY",
         "value given seems to be invalid for the column", {"column_name": "Last_Name"}),
        (f"{SELECT}id = 1 limit s", "INVALID_QUERY", "limit given seems to be invalid",
         {"limit": "s"}),
        (f"{SELECT}id = 1 limit '5'", "INVALID_QUERY", "limit given seems to be invalid",
         {"limit": "5"}),
        (f"{SELECT}id = 1 limit 1.5", "INVALID_QUERY", "limit given seems to be invalid",
         {"limit": "1.5"}),
        (f"{SELECT}id = 1 limit 5 offset x", "INVALID_QUERY", "offset given seems to be invalid",
         {"offset": "x"}),
        (f"{SELECT}id = 1 limit 0", "INVALID_DATA", "limit should be greater than 0", {}),
        (f"{SELECT}id = 1 limit -1", "INVALID_DATA", "limit should be greater than 0", {}),
        (f"{SELECT}id = 1 limit 2001", "LIMIT_EXCEEDED", "limit exceeded", {"limit": 2000}),
        (f"{SELECT}id = 1 limit {'9' * 500}", "LIMIT_EXCEEDED", None, {"limit": 2000}),
        (f"{SELECT}id = 1 limit 1 offset 100000", "LIMIT_EXCEEDED", None, {"limit": 100_000}),
        ("select Max(Last_Name) from Leads where id = 1", "INVALID_DATA", "invalid data",
         {"reason": "unsupported aggregate function", "column": "Max(Last_Name)"}),
        ("select Last_Name, City, Last_Name from Leads where id = 1", "DUPLICATE_DATA",
         "duplicate select column", {"column_name": "Last_Name"}),
        ("select SUM(id), SUM(id) from Leads where id = 1", "DUPLICATE_DATA",
         "duplicate aggregate function", {"column_name": "SUM(id)"}),
        ("select City as A, Last_Name as A from Leads where id = 1", "DUPLICATE_ALIAS",
         "same alias cannot refer more than one column", {"alias": "A"}),
        ("select City as Last_Name, Last_Name from Leads where id = 1", "DUPLICATE_ALIAS",
         None, {"alias": "Last_Name"}),
        ("select City as id from Leads where id = 1", "DUPLICATE_ALIAS", None, {"alias": "id"}),
        ("select City as '' from Leads where id = 1", "INVALID_ALIAS",
         "alias name cannot be an empty string", {"alias": ""}),
        ("select id from Lead where id = 1", "INVALID_MODULE",
         "the given module is not supported in api", {}),
        (None, "MANDATORY_NOT_FOUND", "mandatory key not found", {"api_name": "select_query"}),
        (5, "INVALID_DATA", "invalid data", {"expected_data_type": "text"}),
    ],
)  # fmt: skip
def test_a_query_that_is_not_answered(
    server: Deployment, found: dict[str, str], query: object, code: str, message: str | None,
    details: Json,
) -> None:  # fmt: skip
    """Each documented error, alone in the body, with its details."""
    answer = coql(server, query)
    assert answer.status_code == (501 if code == "NOT_IMPLEMENTED" else 400), answer.text
    body = answer.json()
    assert list(body) == ["code", "details", "message", "status"]
    assert (body["code"], body["status"]) == (code, "error")
    assert message in (None, body["message"])
    assert details.items() <= body["details"].items(), body


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("select id from Leads#4150868000005319018 where id = 1", "cvid"),
        ("select 'What_Id->Leads.Last_Name' from Tasks where id = 1", "several modules"),
        ("select id from Leads where !Leads.Owner.role.id = 1", "a module before a column"),
        ("select Owner.role from Leads where id = 1", "other columns of users"),
        (f"{SELECT}Owner.last_name = 'Boyle'", "conditions on columns of users"),
        (f"{SELECT}Full_Name = 'Ann Boyle'", "Full_Name"),
        (f"{SELECT}id is not null order by Owner.last_name", "order by"),
        ("select SUM(City) from Leads where id = 1", "SUM of a text"),
        ("select COUNT(Owner.id) from Leads where id = 1", "lookup's column"),
        ("select COUNT(id) from Leads where id = 1 group by Annual_Revenue", "group by a decimal"),
        ("select COUNT(id) from Leads where id = 1 group by City order by COUNT(id)", "order by"),
    ],
)
def test_what_is_valid_but_not_served_is_a_501(server: Deployment, query: str, name: str) -> None:
    """It is named; no code blames the client."""
    answer = coql(server, query)
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert name in answer.json()["message"]
    meta = coql(server, f"{SELECT}id is not null", include_meta=["fields"])
    assert (meta.status_code, meta.json()["details"]["param_name"]) == (501, "include_meta")


def test_limits_depend_on_the_version(server: Deployment, found: dict[str, str]) -> None:
    """Facts 10.11: rows, rows by offset, joins, values, conditions, columns."""

    def limit(version: str, query: str) -> object:
        answer = coql(server, query, version)
        if answer.status_code in (200, 204):
            return None
        assert answer.json()["code"] == "LIMIT_EXCEEDED", answer.text
        return answer.json()["details"]["limit"]

    every = f"{SELECT}id is not null "
    for version, rows_, reached, values, joins in (
        ("v2", 200, 10_000, 50, 2),
        ("v3", 200, 10_000, 50, 2),
        ("v6", 2_000, 10_000, 50, 2),
        ("v7", 2_000, 100_000, 100, 15),
    ):
        assert limit(version, f"{every}limit {rows_}") is None
        assert limit(version, f"{every}limit {rows_ + 1}") == rows_
        assert limit(version, f"{every}limit 200 offset {reached - 200}") is None
        assert limit(version, f"{every}limit 200 offset {reached - 199}") == reached
        listed = ",".join(["1"] * values)
        assert limit(version, f"{SELECT}id in ({listed})") is None
        assert limit(version, f"{SELECT}id in ({listed},1)") == values
        names_ = "Owner.id, Created_By.id, Modified_By.id"
        found_ = limit(version, f"select {names_} from Leads where id = 1")
        assert found_ == (2 if joins == 2 else None)
    tree = "id = 1"
    for number in range(24):
        tree = f"({tree} or id = {number})"
    assert limit("v8", SELECT + tree) is None
    assert limit("v8", f"{SELECT}({tree} or id = 1)") == 25
    assert limit("v8", f"{SELECT}{'(' * 30}id = 1{')' * 30}") is None
    assert limit("v8", f"{SELECT}{'(' * 31}id = 1{')' * 31}") == 30
    columns = ",".join(f"C{n}" for n in range(51))
    assert limit("v8", f"select {columns} from Leads where id = 1") == 50
    sorts = ",".join(["id"] * 11)
    assert limit("v8", f"{every}order by {sorts}") == 10
    long = coql(server, f"{SELECT}Last_Name = '{'x' * 100_000}'")
    assert (long.json()["code"], long.status_code) == ("LIMIT_EXCEEDED", 400)


def test_scopes_and_orgs(server: Deployment, found: dict[str, str]) -> None:
    """The scope of COQL and the one to read each module; never records of another org."""
    query = f"{SELECT}id is not null"
    for scopes, code in (
        ("ZohoCRM.modules.ALL", "OAUTH_SCOPE_MISMATCH"),
        ("ZohoCRM.coql.READ", "OAUTH_SCOPE_MISMATCH"),
        ("ZohoCRM.coql.READ,ZohoCRM.modules.accounts.READ", "OAUTH_SCOPE_MISMATCH"),
        ("ZohoCRM.coql.READ,ZohoCRM.modules.leads.READ", None),
        ("ZohoCRM.coql.ALL,ZohoCRM.modules.leads.ALL", None),
    ):
        answer = coql(server, query, token=server.token(scopes))
        assert answer.json().get("code") == code, scopes
    contacts = server.token("ZohoCRM.coql.READ,ZohoCRM.modules.contacts.READ")
    for through in (
        "select Account_Name.Phone from Contacts where id = 1",
        "select id from Contacts where Account_Name.Phone = '1'",
    ):
        answer = coql(server, through, token=contacts)
        assert answer.json()["code"] == "OAUTH_SCOPE_MISMATCH"
    assert coql(server, query, token=server.other.token).status_code == 204
    assert server.http.post("/crm/v8/coql", json={"select_query": query}).status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "x' or 1=1 --", "x''; DROP TABLE orgs; --", "\\", "\\'", "%' OR '1'='1", "\u2019 or 1=1",
        "x\" or \"\"=\"", "?", ":name", "$1", "%s", "{0}", "\U0001f600", "\u202e", "' UNION SELECT",
    ],
)  # fmt: skip
def test_a_value_is_never_sql(server: Deployment, found: dict[str, str], text: str) -> None:
    """Quoted, it is a text that no record has; unquoted, it is an error of the grammar."""
    doubled = text.replace("'", "''")
    assert names(server, f"Last_Name = '{doubled}'") == []
    assert names(server, f"Last_Name in ('{doubled}', 'Boyle')") == ["Boyle"]
    if "%" not in text:
        assert names(server, f"Last_Name like '%{doubled}%'") == []
    for query in (
        f"{SELECT}Last_Name = {text}",
        f"select {text} from Leads where id is not null",
        f"select id from {text} where id is not null",
        f"select id from Leads where id is not null order by {text}",
        f"select '{doubled}' from Leads where id is not null",
        f"select id from '{doubled}' where id is not null",
    ):
        assert coql(server, query).status_code == 400, query
    alias = coql(server, f"select City as '{doubled}' from Leads where Last_Name = 'Boyle'")
    assert rows(alias)[0][text] == "Bonn"
    assert names(server, "id is not null") == ALL
