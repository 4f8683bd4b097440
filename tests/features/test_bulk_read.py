"""Bulk read over HTTP: create, details, result, callback (facts 12)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.features.test_record_writes import insert
from tests.support.deployment import Deployment
from tests.support.job_runner import JobRunner

from bulkwright.domain import limits
from bulkwright.domain.account import Role

Json = dict[str, Any]
READ = "/crm/bulk/{}/read"
FIELDS = ["Last_Name", "Email", "No_of_Employees", "Email_Opt_Out", "Owner"]


@pytest.fixture(scope="module")
def worker(server: Deployment) -> Iterator[JobRunner]:
    """A worker on the store of the server."""
    with JobRunner(server.settings) as running:
        yield running


@pytest.fixture(scope="module")
def leads(server: Deployment) -> list[str]:
    """The ids of three leads, of which the last has a comma, a quote and a line end."""
    return insert(
        server,
        "Leads",
        {"Last_Name": "Reader", "Email": "r@bulk.example", "No_of_Employees": 7,
         "Email_Opt_Out": True},
        {"Last_Name": "Reader", "Email": "s@bulk.example", "No_of_Employees": 8},
        {"Last_Name": 'Reader, "Q"\nx', "Email": "t@bulk.example"},
    )  # fmt: skip


def create(server: Deployment, query: object, version: str = "v8", **more: Any) -> httpx2.Response:
    """POST of a create request; `more` are keys of its root."""
    token = more.pop("token", None)
    body = {"query": query, **more}
    return server.http.post(READ.format(version), headers=server.auth(token), json=body)


def job(server: Deployment, query: Json, version: str = "v8", **more: Any) -> str:
    """The id of a new job."""
    answer = create(server, query, version, **more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"][0]["details"]["id"])


def ended(server: Deployment, worker: JobRunner, job_id: str, version: str = "v8") -> Json:
    """The details of a job after a worker has run it."""
    worker.run(job_id)
    answer = server.get(f"{READ.format(version)}/{job_id}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()["data"][0]
    assert found["state"] in ("COMPLETED", "FAILURE")
    return found


def rows(answer: httpx2.Response) -> list[dict[str, str]]:
    """The rows of a result."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="{name.removesuffix(".csv")}.zip"'
        )
        return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def mine(*more: Json) -> Json:
    """Criteria of the leads of this file."""
    first = {"api_name": "Email", "comparator": "ends_with", "value": "@bulk.example"}
    return {"group": [first, *more], "group_operator": "and"} if more else first


def module(version: str) -> object:
    """The module as a version writes it."""
    return "Leads" if version == "v2" else {"api_name": "Leads"}


@pytest.mark.parametrize("version", ["v2", "v2.1", "v6", "v8"])
def test_a_read_from_creation_to_its_csv(
    server: Deployment, worker: JobRunner, leads: list[str], version: str
) -> None:
    """The keys are those of the documentation, and the CSV has the records."""
    criterion = {"comparator": "equal", "value": "Reader"}
    name = {"api_name": "Last_Name"}
    query = {"module": module(version), "fields": FIELDS, "criteria": mine(
        {**name, **criterion} if version == "v2" else {"field": name, **criterion})}  # fmt: skip
    answer = create(server, query, version, file_type="csv")
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["data", "info"] and body["info"] == {}
    (one,) = body["data"]
    assert (one["status"], one["code"], one["message"]) == (
        "success", "ADDED_SUCCESSFULLY", "Added successfully.")  # fmt: skip
    assert list(one["details"]) == ["id", "operation", "state", "created_by", "created_time"]
    assert (one["details"]["operation"], one["details"]["state"]) == ("read", "ADDED")
    details = ended(server, worker, one["details"]["id"], version)
    keys = ["id", "operation", "state", "result", "query", "created_by", "created_time",
            "file_type"]  # fmt: skip
    assert list(details) == keys
    assert details["state"] == "COMPLETED" and details["file_type"] == "csv"
    url = f"{READ.format(version)}/{details['id']}/result"
    assert details["result"] == {"page": 1, "per_page": 200_000, "count": 2, "download_url": url,
                                 "more_records": False}  # fmt: skip
    shown = details["query"]
    assert shown["fields"] == FIELDS and shown["page"] == 1
    part = shown["criteria"]["group"][1]
    if version == "v2":
        assert shown["module"] == "Leads" and part == {**name, **criterion}
    else:
        assert shown["module"]["api_name"] == "Leads" and shown["module"]["id"].isdigit()
        assert part["field"]["api_name"] == "Last_Name" and part["field"]["id"].isdigit()
    found = rows(server.get(url))
    assert [list(row) for row in found] == [["id", *FIELDS]] * 2
    assert [row["id"] for row in found] == leads[:2]
    assert found[0] == {
        "id": leads[0], "Last_Name": "Reader", "Email": "r@bulk.example", "No_of_Employees": "7",
        "Email_Opt_Out": "true", "Owner": str(server.tenant.user.id),
    }  # fmt: skip
    head = server.http.head(url, headers=server.auth())
    assert head.status_code == 200 and int(head.headers["content-length"]) > 0


def test_without_fields_there_is_every_one(
    server: Deployment, worker: JobRunner, leads: list[str]
) -> None:
    """Also no criteria: the whole module; quotes and line ends survive."""
    done = ended(server, worker, job(server, {"module": "Leads"}))
    found = {row["id"]: row for row in rows(server.get(done["result"]["download_url"]))}
    assert done["result"]["count"] == len(found)
    assert found[leads[2]]["Last_Name"] == 'Reader, "Q"\nx'
    assert {"Created_Time", "Layout", "Company"} <= set(found[leads[0]])
    assert found[leads[0]]["Created_Time"] == server.get(
        f"/crm/v8/Leads/{leads[0]}").json()["data"][0]["Created_Time"]  # fmt: skip
    assert "fields" not in done["query"] and "criteria" not in done["query"]


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"api_name": "No_of_Employees", "comparator": "in", "value": [7, 9]}, [0]),
        ({"api_name": "No_of_Employees", "comparator": "not_in", "value": ["7"]}, [1, 2]),
        ({"api_name": "No_of_Employees", "comparator": "equal", "value": "${EMPTY}"}, [2]),
        ({"api_name": "No_of_Employees", "comparator": "not_equal", "value": "${EMPTY}"}, [0, 1]),
        ({"api_name": "No_of_Employees", "comparator": "less_equal", "value": 7}, [0]),
        ({"api_name": "Last_Name", "comparator": "contains", "value": "READER"}, [0, 1, 2]),
        ({"api_name": "Last_Name", "comparator": "not_contains", "value": ","}, [0, 1]),
        ({"api_name": "Last_Name", "comparator": "ends_with", "value": "x"}, [2]),
        ({"api_name": "Last_Name", "comparator": "starts_with", "value": "read"}, [0, 1, 2]),
        ({"api_name": "Email_Opt_Out", "comparator": "equal", "value": True}, [0]),
        ({"api_name": "Created_Time", "comparator": "between",
          "value": ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00+01:00"]}, [0, 1, 2]),
        ({"api_name": "Created_Time", "comparator": "not_between",
          "value": ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00+01:00"]}, []),
        ({"group": [{"api_name": "Email", "comparator": "equal", "value": "r@bulk.example"},
                    {"api_name": "Email", "comparator": "equal", "value": "T@bulk.example"}],
          "group_operator": "or"}, [0, 2]),
    ],
)  # fmt: skip
def test_criteria(
    server: Deployment, worker: JobRunner, leads: list[str], criterion: Json, expected: list[int]
) -> None:
    """Each comparator of the documentation."""
    query = {"module": "Leads", "fields": ["Email"], "criteria": mine(criterion)}
    done = ended(server, worker, job(server, query))
    found = rows(server.get(done["result"]["download_url"]))
    assert [row["id"] for row in found] == [leads[i] for i in expected]


def owner(value: str) -> Json:
    """A criterion on the owner."""
    return {"api_name": "Owner", "comparator": "equal", "value": value}


def email(**changes: Any) -> Json:
    """A query with one sound criterion but for the changes."""
    criterion = {"api_name": "Email", "comparator": "equal", "value": "x"} | changes
    return {"module": "Leads", "criteria": {k: v for k, v in criterion.items() if v is not None}}


MANY = {"group": [{"api_name": "Email", "comparator": "equal", "value": "x"}] * 26,
        "group_operator": "or"}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "code", "details"),
    [
        ({"module": "Nothing"}, "MODULE_NOT_AVAILABLE", {"api_name": "Nothing"}),
        ({}, "REQUEST_BODY_NOT_SUPPORTED", {"json_path": "$.query.module"}),
        (7, "REQUEST_BODY_NOT_SUPPORTED",
         {"json_path": "$.query", "expected_data_type": "jsonobject"}),
        ({"module": "Leads", "fields": "id"}, "REQUEST_BODY_NOT_SUPPORTED",
         {"json_path": "$.query.fields", "expected_data_type": "jsonarray"}),
        ({"module": "Leads", "fields": ["Nothing"]}, "FIELD_NOT_AVAILABLE",
         {"api_name": "Nothing", "module": "Leads"}),
        ({"module": "Leads", "page": 0}, "PAGE_RANGE_EXCEEDED", {"max_limit": limits.READ_PAGES}),
        ({"module": "Leads", "page": 501}, "PAGE_RANGE_EXCEEDED",
         {"max_limit": limits.READ_PAGES}),
        ({"module": "Leads", "page": "1"}, "REQUEST_BODY_NOT_SUPPORTED",
         {"json_path": "$.query.page", "expected_data_type": "integer"}),
        ({"page_token": "!"}, "INVALID_DATA", {"param_name": "page_token"}),
        ({"page_token": "cmVhZDox"}, "EXPIRED_VALUE", {"param_name": "page_token"}),
        (email(api_name="Nothing"), "FIELD_IN_CRITERIA_NOT_AVAILABLE", {"api_name": "Nothing"}),
        (email(comparator="less_than"), "FIELD_AND_COMPARATOR_IN_CRITERIA_NOT_COMPATIBLE",
         {"comparator": "less_than", "api_name": "Email", "supported": [
             "equal", "not_equal", "in", "not_in", "contains", "not_contains", "starts_with",
             "ends_with"]}),
        (email(api_name="No_of_Employees"), "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
         {"api_name": "No_of_Employees", "expected_data_type": "integer"}),
        (email(value="x" * 256), "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
         {"api_name": "Email", "maximum_length": 255}),
        ({"module": "Leads", "criteria": owner("Boyle")},
         "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
         {"api_name": "Owner", "expected_data_type": "bigint"}),
        (email(value=["a"]), "COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
         {"json_path": "$.query.criteria.value"}),
        (email(comparator="contains", value="${EMPTY}"),
         "COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
         {"comparator": "contains", "api_name": "Email"}),
        (email(comparator="in", value=["a"] * 201), "VALUE_LIMIT_EXCEEDED_IN_CRITERIA",
         {"max_limit": 200}),
        ({"module": "Leads", "criteria": MANY}, "CRITERIA_LIMIT_EXCEEDED", {"max_limit": 25}),
        ({"module": "Leads", "criteria": []}, "INVALID_CRITERIA",
         {"json_path": "$.query.criteria"}),
        (email(value=None), "INVALID_CRITERIA", {"json_path": "$.query.criteria"}),
        (email(group=[]), "AMBIGUOUS_CRITERIA", {"json_path": "$.query.criteria"}),
        ({"module": "Leads", "criteria": {"group": [owner("1")], "group_operator": "and"}},
         "AMBIGUOUS_GROUP_IN_CRITERIA", {"json_path": "$.query.criteria.group"}),
        ({"module": "Leads", "criteria": {"group": [owner("1")] * 2, "group_operator": "xor"}},
         "GROUP_OPERATOR_NOT_SUPPORTED",
         {"supported": ["and", "or"], "json_path": "$.query.criteria.group_operator"}),
    ],
)  # fmt: skip
def test_every_error_of_a_query(
    any_server: Deployment, query: object, code: str, details: Json
) -> None:
    """HTTP 400, and the envelope stands alone."""
    answer = create(any_server, query)
    assert answer.status_code == 400
    body = answer.json()
    assert list(body) == ["code", "details", "message", "status"]
    assert (body["code"], body["details"], body["status"]) == (code, details, "error")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "REQUEST_BODY_IS_EMPTY"),
        (b"{", "REQUEST_BODY_NOT_READABLE"),
        (b"[]", "REQUEST_BODY_NOT_READABLE"),
        (b"{}", "REQUEST_BODY_NOT_SUPPORTED"),
        (b'{"query":{"module":"Leads"},"file_type":"xml"}', "REQUEST_BODY_NOT_SUPPORTED"),
        (b'{"query":{"module":"Leads"},"callback":{"url":"ftp://x","method":"post"}}',
         "INVALID_CALLBACK_URL"),
        (b'{"query":{"module":"Leads"},"callback":{"url":"https://x.example/","method":"get"}}',
         "INVALID_CALLBACK_METHOD"),
    ],
)  # fmt: skip
def test_every_error_of_a_body(any_server: Deployment, body: bytes, code: str) -> None:
    """HTTP 400."""
    answer = any_server.http.post(READ.format("v8"), headers=any_server.auth(), content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("query", "more", "named"),
    [
        ({"module": "Leads", "cvid": "123"}, {}, "query.cvid"),
        ({"module": "Events"}, {"file_type": "ics"}, "file_type ics"),
        ({"module": "Events", "file_type": "ics"}, {}, "file_type ics"),
        (email(type="field"), {}, "query.criteria type"),
        ({"module": "Leads", "fields": ["Owner.last_name"]}, {}, "query.fields Owner.last_name"),
        ({"module": "Leads", "fields": ["$converted"]}, {}, "query.fields $converted"),
        (email(api_name="Owner.last_name"), {}, "query.criteria Owner.last_name"),
    ],
)
def test_what_is_not_served_is_named(
    any_server: Deployment, query: Json, more: Json, named: str
) -> None:
    """HTTP 501: never a CSV that lacks what was asked for."""
    answer = create(any_server, query, **more)
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert answer.json()["details"]["param_name"] == named


def test_a_field_without_stored_values_is_left_out_or_refused(any_server: Deployment) -> None:
    """A formula has no values here: an empty column would be a false answer."""
    any_server.services.schema.apply(
        any_server.tenant.org.id,
        {"modules": [{"api_name": "Leads", "fields": [
            {"api_name": "Sum", "data_type": "formula"}]}]},
    )  # fmt: skip
    answer = create(any_server, {"module": "Leads", "fields": ["Sum"]})
    assert answer.json()["details"]["param_name"] == "query.fields Sum"


def test_scopes_and_roles(any_server: Deployment) -> None:
    """READ of bulk and of the module to create, either to look; a Guest may not."""
    query = {"module": "Leads"}
    for scopes, status in (
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.leads.READ", 201),
        ("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL", 201),
        ("ZohoCRM.bulk.READ", 401),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.ALL", 401),
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.contacts.READ", 401),
    ):
        answer = create(any_server, query, token=any_server.token(scopes))
        assert answer.status_code == status, scopes
    path = f"{READ.format('v8')}/{job(any_server, query)}"
    assert any_server.get(path, any_server.token("ZohoCRM.bulk.READ")).status_code == 200
    assert any_server.get(path, any_server.token("ZohoCRM.modules.READ")).status_code == 200
    assert any_server.get(path, any_server.token("ZohoCRM.users.READ")).status_code == 401
    for role, status in ((Role.STANDARD, 201), (Role.GUEST, 400)):
        setup, client = any_server.services.setup, any_server.tenant.client
        mail = f"{role.value}@reader.example"
        user = setup.create_user(any_server.tenant.org, "Kay", "Doe", mail, role=role)
        token = any_server.services.tokens.issue_access(
            client, "zohocrm.bulk.all,zohocrm.modules.all", user_id=user.id
        )
        assert create(any_server, query, token=token).status_code == status


def test_other_jobs_and_other_orgs(server: Deployment) -> None:
    """A bulk write is no bulk read, nor the other way round; another org sees neither."""
    written, read = server.job_id(), job(server, {"module": "Leads"})
    other = server.other.token
    for path, token in (
        (f"/crm/bulk/v8/read/{written}", None),
        (f"/crm/bulk/v8/write/{read}", None),
        (f"/crm/bulk/v8/read/{read}", other),
        (f"/crm/bulk/v8/read/{read}/result", other),
        ("/crm/bulk/v8/read/1/result", None),
        ("/crm/bulk/v8/read/x", None),
    ):
        answer = server.get(path, token)
        assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_FOUND"), path


def test_a_removed_field_ends_the_job(
    server: Deployment, worker: JobRunner, leads: list[str]
) -> None:
    """FAILURE with a code, as the details show it; there is no result."""
    reads, modules = server.services.reads, server.services.modules
    assert leads and modules is not None
    from dataclasses import replace

    from bulkwright.domain.account import Caller
    from bulkwright.domain.read_job import ReadQuery, ReadRequest
    from bulkwright.domain.scope import EVERY, normalise

    caller = Caller(server.tenant.org.id, server.tenant.user.id, normalise(EVERY))
    with reads.reads.transaction():
        made = reads.create(caller, ReadRequest("Leads", ReadQuery(fields=("Email",))))
        spoiled = replace(made, id=modules.take_ids(1), query=replace(made.query, fields=("Gone",)))
        reads.reads.add(spoiled)
    details = ended(server, worker, str(spoiled.id))
    assert details["state"] == "FAILURE"
    error = details["result"]["error_message"]
    assert (error["status"], error["code"]) == ("error", "MODULE_NOT_AVAILABLE")
    assert server.get(f"/crm/bulk/v8/read/{spoiled.id}/result").status_code == 404


def test_the_quota_of_open_jobs_counts_reads(any_server: Deployment) -> None:
    """They are jobs like others."""
    from dataclasses import replace

    service = any_server.services.reads
    before = service.limits
    object.__setattr__(service, "limits", replace(before, org_open_jobs=0))
    try:
        answer = create(any_server, {"module": "Leads"})
    finally:
        object.__setattr__(service, "limits", before)
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
