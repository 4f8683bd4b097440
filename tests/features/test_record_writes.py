"""Records written one by one, over HTTP on both stores (facts 10)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.record_write import RecordFault, RecordInput, WrittenRecord
from bulkwright.wiring import open_check

Json = dict[str, Any]


def send(
    server: Deployment,
    method: str,
    path: str,
    body: object = None,
    version: str = "v8",
    **more: Any,
) -> httpx2.Response:
    """A request as the tenant; `path` is what follows the version."""
    headers = server.auth(more.pop("token", None)) | more.pop("headers", {})
    if body is not None:
        more["content"] = body if isinstance(body, bytes) else json.dumps(body)
    return server.http.request(method, f"/crm/{version}/{path}", headers=headers, **more)


def insert(server: Deployment, module: str, *records: Json, version: str = "v8") -> list[str]:
    """The ids of new records."""
    answer = send(server, "POST", module, {"data": list(records)}, version)
    assert answer.status_code == 201, answer.text
    return [one["details"]["id"] for one in answer.json()["data"]]


def read(server: Deployment, module: str, record_id: str) -> Json:
    """One record."""
    answer = server.get(f"/crm/v8/{module}/{record_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()["data"][0]
    return found


def errors(answer: httpx2.Response) -> list[Json]:
    """The outcomes of a call."""
    found: list[Json] = answer.json()["data"]
    return found


def test_a_record_is_inserted_and_read_back(server: Deployment) -> None:
    """The documented shape: code, details, message, status in this order."""
    given = {
        "Last_Name": "Boyle",
        "Email": "one@insert.example",
        "Annual_Revenue": 1250.50,
        "No_of_Employees": 12,
        "Email_Opt_Out": True,
        "Owner": {"id": str(server.tenant.user.id)},
        "Unknown_Key": {"a": [1]},
        "Created_Time": "2001-01-01T00:00:00Z",
    }
    answer = send(server, "POST", "Leads", {"data": [given], "trigger": ["workflow"]})
    assert answer.status_code == 201
    (one,) = errors(answer)
    assert list(one) == ["code", "details", "message", "status"]
    assert (one["code"], one["message"], one["status"]) == ("SUCCESS", "record added", "success")
    assert list(one["details"]) == [
        "Modified_Time", "Modified_By", "Created_Time", "id", "Created_By", "$approval_state",
    ]  # fmt: skip
    user = {"name": "Patricia Boyle", "id": str(server.tenant.user.id)}
    assert one["details"]["Created_By"] == one["details"]["Modified_By"] == user
    stored = read(server, "Leads", one["details"]["id"])
    assert stored["Last_Name"] == "Boyle"
    assert stored["Annual_Revenue"] == 1250.5
    assert stored["No_of_Employees"] == 12
    assert stored["Email_Opt_Out"] is True
    assert stored["Created_Time"] == one["details"]["Created_Time"]
    assert stored["Owner"]["id"] == user["id"]
    old = send(server, "POST", "Leads", {"data": [{"Last_Name": "x"}]}, "v2")
    assert "$approval_state" not in errors(old)[0]["details"]


@pytest.mark.parametrize(("version", "bad"), [("v2", 202), ("v2.1", 400), ("v8", 400)])
def test_each_record_has_its_own_outcome(server: Deployment, version: str, bad: int) -> None:
    """Some good, some bad: 207; all bad: 202 in v2, else 400. json_path from v2.1 on."""
    data = [{"Last_Name": "A"}, {"First_Name": "B"}, {"Last_Name": "C", "Email": "no"}, 7]
    answer = send(server, "POST", "Leads", {"data": data}, version)
    assert answer.status_code == 207
    good, *rest = errors(answer)
    assert good["status"] == "success"
    codes = [(one["code"], one["details"].get("api_name")) for one in rest]
    assert codes == [
        ("MANDATORY_NOT_FOUND", "Last_Name"),
        ("INVALID_DATA", "Email"),
        ("INVALID_DATA", None),
    ]
    assert rest[0]["message"] == "required field not found"
    path = rest[0]["details"].get("json_path")
    assert path == (None if version == "v2" else "$.data[1].Last_Name")
    assert rest[1]["details"]["expected_data_type"] == "email"
    answer = send(server, "POST", "Leads", {"data": data[1:]}, version)
    assert answer.status_code == bad
    assert len(errors(answer)) == 3


def test_update_changes_only_what_is_given(server: Deployment) -> None:
    """By ids in the body, or one by the id in the path; null clears; a mandatory one stays."""
    first, second = insert(
        server,
        "Leads",
        {"Last_Name": "A", "Company": "Zylker", "Phone": "123"},
        {"Last_Name": "B", "Company": "Zylker"},
    )
    body = {
        "data": [{"id": first, "Phone": None, "City": "Bonn"}, {"id": int(second), "City": "X"}]
    }
    answer = send(server, "PUT", "Leads", body)
    assert answer.status_code == 200
    assert [one["message"] for one in errors(answer)] == ["record updated"] * 2
    stored = read(server, "Leads", first)
    values = [stored[name] for name in ("Last_Name", "Company", "Phone", "City")]
    assert values == ["A", "Zylker", None, "Bonn"]
    answer = send(server, "PUT", f"Leads/{second}", {"data": [{"Company": ""}]})
    assert answer.status_code == 200
    assert read(server, "Leads", second)["Company"] is None
    answer = send(server, "PUT", f"Leads/{second}", {"data": [{"Last_Name": None}]})
    assert (answer.status_code, errors(answer)[0]["code"]) == (400, "MANDATORY_NOT_FOUND")
    assert read(server, "Leads", second)["Last_Name"] == "B"


def test_update_of_what_is_not_there(server: Deployment) -> None:
    """An unknown id in the body is the record's own error, in the path that of the call."""
    (known,) = insert(server, "Leads", {"Last_Name": "A"})
    data = [{"id": known, "City": "X"}, {"id": "1", "City": "X"}, {"id": "x"}, {"City": "X"}]
    answer = send(server, "PUT", "Leads", {"data": data})
    assert answer.status_code == 207
    good, *bad = errors(answer)
    assert good["code"] == "SUCCESS"
    assert [(one["code"], one["details"]["api_name"]) for one in bad] == [
        ("INVALID_DATA", "id"),
        ("INVALID_DATA", "id"),
        ("MANDATORY_NOT_FOUND", "id"),
    ]
    assert bad[0]["message"] == "the id given seems to be invalid"
    for number in ("1", "x", "9" * 30):
        answer = send(server, "PUT", f"Leads/{number}", {"data": [{"City": "X"}]})
        assert (answer.status_code, answer.json()) == (
            400,
            {
                "code": "INVALID_DATA",
                "details": {"resource_path_index": 1},
                "message": "the id given seems to be invalid",
                "status": "error",
            },
        )


def test_a_record_that_has_changed_since_is_not_updated(server: Deployment) -> None:
    """HTTP 412, with the details of a success."""
    (known,) = insert(server, "Leads", {"Last_Name": "A"})
    headers = {"If-Unmodified-Since": "2001-01-01T00:00:00+00:00"}
    body = {"data": [{"City": "X"}]}
    answer = send(server, "PUT", f"Leads/{known}", body, headers=headers)
    assert (answer.status_code, errors(answer)[0]["code"]) == (412, "ALREADY_MODIFIED")
    assert errors(answer)[0]["details"]["id"] == known
    headers = {"If-Unmodified-Since": "2101-01-01T00:00:00+00:00"}
    assert send(server, "PUT", f"Leads/{known}", body, headers=headers).status_code == 200


def test_upsert_finds_by_the_checked_fields(server: Deployment) -> None:
    """In order; a second record with the key of the first updates it."""
    email = "upsert@x.example"
    body = {
        "data": [
            {"Last_Name": "A", "Email": email, "City": "one"},
            {"Email": f" {email.upper()}", "City": "two"},
            {"Last_Name": "B"},
            {"City": "three"},
        ],
        "duplicate_check_fields": ["Email"],
    }
    answer = send(server, "POST", "Leads/upsert", body)
    assert answer.status_code == 207
    first, second, third, fourth = errors(answer)
    assert list(first) == ["code", "duplicate_field", "action", "details", "message", "status"]
    assert (first["action"], first["duplicate_field"]) == ("insert", None)
    assert (second["action"], second["duplicate_field"]) == ("update", "Email")
    assert second["message"] == "record updated"
    assert second["details"]["id"] == first["details"]["id"]
    assert third["action"] == "insert"
    assert fourth["code"] == "MANDATORY_NOT_FOUND"
    assert read(server, "Leads", first["details"]["id"])["City"] == "two"
    again = send(server, "POST", "Leads/upsert", {"data": [{"Last_Name": "C", "Email": email}]})
    assert again.status_code == 200
    assert errors(again)[0]["details"]["id"] == first["details"]["id"]
    by_id = {"data": [{"id": first["details"]["id"], "City": "four"}]}
    assert errors(send(server, "POST", "Leads/upsert", by_id))[0]["action"] == "update"
    wrong = {"data": [{"Last_Name": "A"}], "duplicate_check_fields": ["City"]}
    answer = send(server, "POST", "Leads/upsert", wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")


def test_upsert_by_a_key_of_several_records(server: Deployment) -> None:
    """CANNOT_PROCESS, as for a row of a job."""
    twice = {"Last_Name": "A", "Email": "twice@x.example"}
    insert(server, "Leads", twice, twice)
    answer = send(server, "POST", "Leads/upsert", {"data": [twice]})
    assert (answer.status_code, errors(answer)[0]["code"]) == (400, "CANNOT_PROCESS")


def test_records_are_deleted(server: Deployment) -> None:
    """By ids in the query, or one in the path; an id that is not there has its error."""
    first, second, third = insert(server, "Leads", *[{"Last_Name": n} for n in "ABC"])
    answer = send(server, "DELETE", "Leads", params={"ids": f"{first},{second},1,{first}"})
    assert answer.status_code == 207
    assert errors(answer)[0] == {
        "code": "SUCCESS",
        "details": {"id": first},
        "message": "record deleted",
        "status": "success",
    }
    assert [one["code"] for one in errors(answer)] == [
        "SUCCESS", "SUCCESS", "INVALID_DATA", "INVALID_DATA",
    ]  # fmt: skip
    assert errors(answer)[2]["details"]["id"] == "1"
    assert send(server, "DELETE", f"Leads/{third}").status_code == 200
    assert server.get(f"/crm/v8/Leads/{third}").status_code == 204
    gone = send(server, "DELETE", f"Leads/{third}")
    assert (gone.status_code, gone.json()["code"]) == (400, "INVALID_DATA")
    assert gone.json()["details"] == {"resource_path_index": 1}
    none = send(server, "DELETE", "Leads")
    assert (none.status_code, none.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    assert none.json()["details"] == {"param_name": "ids"}
    assert send(server, "DELETE", "Leads", params={"ids": "a,b"}).json()["code"] == "INVALID_DATA"


def test_a_reference_must_exist(server: Deployment) -> None:
    """A lookup without an id is mandatory, one of an unknown id invalid; users too."""
    (account,) = insert(server, "Accounts", {"Account_Name": "Zylker"})
    (theirs,) = [
        one["details"]["id"]
        for one in errors(
            send(
                server, "POST", "Accounts", {"data": [{"Account_Name": "Theirs"}]},
                token=server.other.token,
            )
        )
    ]  # fmt: skip
    owner = str(server.other.user.id)
    data = [
        {"Last_Name": "A", "Account_Name": {"id": account}},
        {"Last_Name": "A", "Account_Name": account},
        {"Last_Name": "A", "Account_Name": {"name": "Zylker"}},
        {"Last_Name": "A", "Account_Name": {"id": theirs}},
        {"Last_Name": "A", "Account_Name": {"id": "x"}},
        {"Last_Name": "A", "Owner": {"id": owner}},
    ]
    answer = send(server, "POST", "Contacts", {"data": data})
    assert answer.status_code == 207
    found = errors(answer)
    assert [one["code"] for one in found] == [
        "SUCCESS", "SUCCESS", "MANDATORY_NOT_FOUND", "INVALID_DATA", "INVALID_DATA", "INVALID_DATA",
    ]  # fmt: skip
    assert found[2]["details"]["json_path"] == "$.data[2].Account_Name.id"
    stored = read(server, "Contacts", found[0]["details"]["id"])
    assert stored["Account_Name"] == {"name": "Zylker", "id": account}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "INVALID_DATA"),
        (b"[]", "INVALID_DATA"),
        (b'{"data":{}}', "INVALID_DATA"),
        (b'{"data":[]}', "INVALID_DATA"),
        (b"{}", "INVALID_DATA"),
        (json.dumps({"data": [{"Last_Name": "x"}] * 101}).encode(), "LIMIT_EXCEEDED"),
        (b'{"data":[' + b"{" * 30_000 + b"]}", "LIMIT_EXCEEDED"),
        (b'{"data":[{"Last_Name":' + b"[" * 5_000 + b"]" * 5_000 + b"}]}", "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a\\u0000"}]}', "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a","Last_Name":"b"}]}', "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a","Annual_Revenue":1e400}]}', "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a","No_of_Employees":' + b"9" * 20 + b"}]}", "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a"}],"duplicate_check_fields":"Email"}', "INVALID_DATA"),
        (b'{"data":[{"Last_Name":"a"}],"duplicate_check_fields":[1]}', "INVALID_DATA"),
    ],
)
def test_a_bad_call_stores_nothing(server: Deployment, body: bytes, code: str) -> None:
    """The error stands alone."""
    before = server.get("/crm/v2/Leads").json()["data"][0]["id"] if _any(server) else None
    answer = send(server, "POST", "Leads", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    after = server.get("/crm/v2/Leads").json()["data"][0]["id"] if _any(server) else None
    assert before == after


def _any(server: Deployment) -> bool:
    return server.get("/crm/v2/Leads").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("Last_Name", 7, "text"),
        ("Last_Name", {"id": "1"}, "text"),
        ("Last_Name", {"name": "x"}, "text"),
        ("Email", {}, "email"),
        ("Company", ["a"], "text"),
        ("No_of_Employees", "x", "integer"),
        ("No_of_Employees", 1.5, "integer"),
        ("No_of_Employees", True, "integer"),
        ("Annual_Revenue", [1], "double"),
        ("Email_Opt_Out", "yes", "boolean"),
        ("Email_Opt_Out", 1, "boolean"),
        ("Owner", {"id": "1"}, "jsonobject"),
        ("Owner", [{"id": "1"}], "jsonobject"),
    ],
)
def test_a_value_of_another_type(server: Deployment, field: str, value: object, kind: str) -> None:
    """INVALID_DATA, which names the type and the place."""
    record = {"Last_Name": "x", field: value}
    answer = send(server, "POST", "Leads", {"data": [record]})
    assert answer.status_code == 400
    (one,) = errors(answer)
    assert (one["code"], one["message"]) == ("INVALID_DATA", "invalid data")
    assert one["details"] == {
        "expected_data_type": kind, "api_name": field, "json_path": f"$.data[0].{field}",
    }  # fmt: skip


def test_a_text_that_is_too_long(server: Deployment) -> None:
    """The detail names the length."""
    answer = send(server, "POST", "Leads", {"data": [{"Last_Name": "x" * 5000}]})
    assert errors(answer)[0]["details"]["maximum_length"] > 0


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"Last_Name": "x"}], "lar_id": "1"},
        {"data": [{"Last_Name": "x"}], "apply_feature_execution": [{"name": "layout_rules"}]},
        {"data": [{"Last_Name": "x", "Tag": [{"name": "t"}]}]},
        {"data": [{"Last_Name": "x", "Record_Image": "1"}]},
        {"data": [{"Last_Name": "x"}], "apply_validation_rule": True},
        {"data": [{"Last_Name": "x"}], "apply_function_validation_rule": True},
        {"data": [{"Last_Name": "x", "$approved": False}]},
        {"data": [{"Last_Name": "x", "$wizard_connection_path": ["1"]}]},
    ],
)
def test_what_is_not_done_is_a_501(server: Deployment, body: Json) -> None:
    """It is not dropped in silence; `Tag: []` and null, which reads return, are nothing."""
    answer = send(server, "POST", "Leads", body)
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    accepted: Json = {
        "data": [{"Last_Name": "x", "Tag": [], "Record_Image": None, "$approved": True}],
        "trigger": [],
        "apply_validation_rule": False,
        "skip_feature_execution": [],
    }
    assert send(server, "POST", "Leads", accepted).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "good", "bad"),
    [
        ("POST", "Leads", "CREATE", "UPDATE"),
        ("POST", "Leads/upsert", "CREATE", "UPDATE"),
        ("PUT", "Leads", "UPDATE", "CREATE"),
        ("PUT", "Leads/1", "WRITE", "READ"),
        ("DELETE", "Leads?ids=1", "DELETE", "WRITE"),
        ("DELETE", "Leads/1", "DELETE", "READ"),
    ],
)
def test_scopes(server: Deployment, method: str, path: str, good: str, bad: str) -> None:
    """Facts 10.6: those of the module and the operation."""
    body = None if method == "DELETE" else {"data": [{"Last_Name": "x"}]}
    for operation, permitted in ((good, True), ("ALL", True), (bad, False)):
        token = server.token(f"ZohoCRM.modules.leads.{operation}")
        answer = send(server, method, path, body, token=token)
        mismatch = answer.status_code == 401 and answer.json()["code"] == "OAUTH_SCOPE_MISMATCH"
        assert mismatch is not permitted, (operation, answer.text)


def test_another_org_changes_nothing(server: Deployment) -> None:
    """Its ids are unknown."""
    (mine,) = insert(server, "Leads", {"Last_Name": "mine"})
    token = server.other.token
    body = {"data": [{"id": mine, "Last_Name": "theirs"}]}
    assert send(server, "PUT", "Leads", body, token=token).status_code == 400
    assert send(server, "PUT", f"Leads/{mine}", body, token=token).status_code == 400
    assert send(server, "DELETE", f"Leads/{mine}", token=token).status_code == 400
    assert send(server, "POST", "Leads/upsert", body, token=token).status_code == 400
    assert read(server, "Leads", mine)["Last_Name"] == "mine"


def test_the_check_knows_single_records(server: Deployment) -> None:
    """Records without a result line, and deleted ones, are no findings."""

    def found() -> list[str]:
        with open_check(server.settings) as check:
            return [one.problem for one in check.run() if "Solutions" in one.where]

    before = found()  # of tests that store records without a job
    first, _ = insert(server, "Solutions", {"Solution_Title": "A"}, {"Solution_Title": "B"})
    send(server, "DELETE", f"Solutions/{first}")
    assert found() == before


@pytest.fixture(scope="module")
def badges(server: Deployment) -> str:
    """A module whose records share neither a number nor a code."""
    fields = [
        {"api_name": "Number", "data_type": "integer", "unique": True},
        {"api_name": "Code", "data_type": "text", "unique": True},
    ]
    module = {
        "api_name": "Badges", "singular_label": "Badge", "plural_label": "Badges", "fields": fields,
    }  # fmt: skip
    server.services.schema.apply(server.tenant.org.id, {"modules": [module]})
    return "Badges"


def test_a_value_that_another_record_has(server: Deployment, badges: str) -> None:
    """DUPLICATE_DATA names field and record; several are one error on the versions that have it."""
    one, two = insert(
        server, badges, {"Name": "A", "Number": 1, "Code": "x"},
        {"Name": "B", "Number": 2, "Code": "y"},
    )  # fmt: skip
    taken = send(server, "POST", badges, {"data": [{"Name": "C", "Number": 1}]})
    (error,) = errors(taken)
    assert (taken.status_code, error["code"]) == (400, "DUPLICATE_DATA")
    details = error["details"]
    assert (details["api_name"], details["id"]) == ("Number", one)
    assert details["json_path"] == "$.data[0].Number"
    assert details["duplicate_record"]["id"] == one
    both = {"data": [{"Name": "C", "Number": 1, "Code": " Y "}]}
    (error,) = errors(send(server, "POST", badges, both))
    assert error["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    single = [(e["code"], e["details"]["api_name"]) for e in error["details"]["errors"]]
    assert single == [("DUPLICATE_DATA", "Number"), ("DUPLICATE_DATA", "Code")]
    (error,) = errors(send(server, "POST", badges, both, "v2"))
    assert (error["code"], error["details"]) == (
        "DUPLICATE_DATA",
        {"api_name": "Number", "id": one},
    )
    within = [{"Name": "D", "Code": "d"}, {"Name": "E", "Code": "D"}]
    assert [e["code"] for e in errors(send(server, "POST", badges, {"data": within}))] == [
        "SUCCESS", "DUPLICATE_DATA",
    ]  # fmt: skip
    # A record may keep its value, and take one that a record before it in the call gives up.
    passed_on = [{"id": one, "Number": 1, "Code": "z"}, {"id": two, "Code": "x"}]
    assert send(server, "PUT", badges, {"data": passed_on}).status_code == 200
    assert [read(server, badges, number)["Code"] for number in (one, two)] == ["z", "x"]


def test_owner_and_layout_have_defaults(server: Deployment) -> None:
    """Null is the caller and the only layout; what is no id of a layout is that one too."""
    given: list[Json] = [
        {"Last_Name": "A", "Owner": None, "Layout": None},
        {"Last_Name": "B", "Layout": "nonsense"},
        {"Last_Name": "B", "Layout": "123"},
        {"Last_Name": "B", "Layout": {"id": "123"}},
    ]
    plain, *others = insert(server, "Leads", {"Last_Name": "C"}, *given)
    expected = read(server, "Leads", plain)
    for number in others:
        stored = read(server, "Leads", number)
        assert stored["Owner"]["id"] == str(server.tenant.user.id)
        assert stored["Layout"] == expected["Layout"]


def test_a_reference_may_have_its_id_as_a_number(server: Deployment) -> None:
    """Some clients send it so; other objects are no reference."""
    (account,) = insert(server, "Accounts", {"Account_Name": "By number"})
    data = [{"Last_Name": "A", "Account_Name": {"id": int(account)}}]
    answer = send(server, "POST", "Contacts", {"data": data})
    assert answer.status_code == 201, answer.text
    objects: list[object] = [{"id": True}, {"id": [1]}, [{"id": account}]]
    for wrong in objects:
        body = {"data": [{"Last_Name": "A", "Account_Name": wrong}]}
        (error,) = errors(send(server, "POST", "Contacts", body))
        assert (error["code"], error["details"]["api_name"]) == ("INVALID_DATA", "Account_Name")


def test_the_record_in_the_path_is_alone(server: Deployment) -> None:
    """Two records for one id are an error of the call, and nothing is changed."""
    (known,) = insert(server, "Leads", {"Last_Name": "A"})
    body = {"data": [{"Last_Name": "B"}, {"Last_Name": "C"}]}
    answer = send(server, "PUT", f"Leads/{known}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    assert answer.json()["details"]["maximum_length"] == 1
    assert read(server, "Leads", known)["Last_Name"] == "A"


def test_a_full_picklist_takes_no_new_value(server: Deployment) -> None:
    """INVALID_DATA names the field; its known values are stored as before."""
    insert(server, "Campaigns", {"Campaign_Name": "A", "Type": "Known here"})
    calls, tenant = server.services.record_calls, server.tenant
    small = replace(calls, limits=replace(calls.limits, picklist_values=1))
    caller = Caller(tenant.org.id, tenant.user.id, scope.normalise(scope.EVERY))
    given = [RecordInput({"Campaign_Name": t, "Type": f"{t} here"}) for t in ("New", "Known")]
    full, known = small.insert(caller, "Campaigns", given)
    assert isinstance(full, RecordFault) and (full.code, full.api_name) == ("INVALID_DATA", "Type")
    assert isinstance(known, WrittenRecord)
