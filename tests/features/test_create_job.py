"""Creating jobs: valid requests, and every rule of facts 3."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import LEADS, zipped

from bulkwright.domain.job import Job
from bulkwright.service.uploads import UploadService

Body = dict[str, Any]


def refused(server: Deployment, body: object, code: str, status: int = 400) -> Body:
    """Sends a create request that is rejected with this code; returns the whole error."""
    answer = server.create(body)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    error: Body = answer.json()
    assert list(error) == ["code", "details", "message", "status"]
    assert isinstance(error["details"], dict)
    assert error["status"] == "error"
    return error


def made(server: Deployment, body: object, version: str = "v2") -> Job:
    """Creates a job; returns it as it is stored."""
    answer = server.create(body, version=version)
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["details"]["id"])
    return server.services.jobs.details(server.tenant.org.id, number)


def test_a_job_is_created(server: Deployment) -> None:
    """The response is 201 in the documented shape; the id is a string of digits (facts 3.6)."""
    answer = server.create(server.insert())
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["status", "code", "message", "details"]
    assert (body["status"], body["code"], body["message"]) == ("success", "SUCCESS", "success")
    assert re.fullmatch(r"[0-9]{15,18}", body["details"]["id"])
    assert body["details"]["created_by"] == {
        "id": str(server.tenant.user.id),
        "name": "Patricia Boyle",
    }


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", None]
)
def test_the_body_is_json_whatever_its_type(server: Deployment, kind: str | None) -> None:
    """The curl command of the documentation sends the Content-Type of a form."""
    headers = server.auth() | ({} if kind is None else {"Content-Type": kind})
    body = json.dumps(server.insert()).encode()
    answer = server.http.post("/crm/bulk/v2/write", headers=headers, content=body)
    assert answer.status_code == 201


def test_every_version_accepts_both_shapes_of_module(server: Deployment) -> None:
    """A string and an object (client contract 1.4; facts 3.2)."""
    for version in ("v2", "v2.1", "v8"):
        for module in ("Leads", {"api_name": "Leads"}, {"api_name": "Leads", "id": "1"}):
            job = made(server, server.insert(module=module), version)
            assert job.resources[0].module == "Leads"


def test_the_documented_sample_is_accepted(server: Deployment) -> None:
    """The insert of v2 (facts 3.5)."""
    text = "a,b,c,d,e,f\n1,2,3,4,5,6\n"
    body = {
        "operation": "insert",
        "ignore_empty": True,
        "character_encoding": "utf8",
        "callback": {"url": "https://example.com/cb", "method": "POST"},
        "resource": [
            {
                "type": "data",
                "module": "Leads",
                "file_id": server.file_id(text),
                "code": None,
                "status": "ADDED",
                "field_mappings": [
                    {"api_name": "Last_Name", "index": 0},
                    {"api_name": "Company", "index": 1},
                    {"api_name": "Lead_Source", "index": 3, "default_value": {"value": "Web"}},
                    {"api_name": "Owner", "index": 4, "find_by": "email"},
                    {"api_name": "No_of_Employees", "index": 5, "format": "#,##0"},
                    {"api_name": "Annual_Revenue", "default_value": {"value": 12.50}},
                    {"api_name": "Email_Opt_Out", "default_value": {"value": True}},
                    {"api_name": "Layout", "default_value": {"value": "5725767000001022168"}},
                ],
            }
        ],
    }
    job = made(server, json.dumps(body).replace("12.5", "12.50").encode())
    assert job.callback is not None
    assert (job.callback.url, job.callback.method) == ("https://example.com/cb", "post")
    assert job.character_encoding == "UTF-8"
    resource = job.resources[0]
    assert resource.ignore_empty
    assert not resource.auto_mapped
    mappings = {m.api_name: m for m in resource.mappings}
    assert mappings["Lead_Source"].default == "Web"
    assert mappings["Lead_Source"].default_json == {"value": "Web"}
    assert mappings["Annual_Revenue"].default == "12.50"
    assert mappings["Email_Opt_Out"].default == "true"
    assert mappings["Owner"].find_by == "email"


def test_a_resources_ignore_empty_wins(server: Deployment) -> None:
    """It can be at the root, in the resource, or in both (facts 3.2)."""
    for root, inner, result in (
        (True, None, True),
        (None, True, True),
        (True, False, False),
        (None, None, False),
    ):
        body = server.insert(ignore_empty=inner)
        if root is not None:
            body["ignore_empty"] = root
        assert made(server, body).resources[0].ignore_empty is result


# The body itself


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b'{"operation":"insert"',
        b'{"operation":"insert"}{}',
        b'{"operation":"insert",}',
        b"{'operation':'insert'}",
        b'{"operation":"insert"} // c',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a\\u0000":"x"}',
        b'{"a":"\\u0000"}',
        '{"operation":"insert"}'.encode("utf-16"),
        b'{"operation":"insert","operation":"update"}',
        b'{"resource":[{"file_id":"1","file_id":"2"}]}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_a_body_that_is_no_valid_json_object_is_invalid_data(
    any_server: Deployment, body: bytes
) -> None:
    """The status is 400 and never 500, also for deep nesting."""
    assert refused(any_server, body, "INVALID_DATA")["details"]["json_path"] == "$"


def test_a_byte_order_mark_is_ignored(server: Deployment) -> None:
    """Some clients send one before the JSON."""
    body = b"\xef\xbb\xbf" + json.dumps(server.insert()).encode()
    assert made(server, body).resources[0].module == "Leads"


def test_a_body_over_half_a_mebibyte_is_refused(any_server: Deployment) -> None:
    """Before it is parsed."""
    refused(any_server, b'{"a":"' + b"x" * 1_500_000 + b'"}', "LIMIT_EXCEEDED")


def test_a_body_of_many_keys_is_answered(any_server: Deployment) -> None:
    """Repeated hashing of keys must not make the parser slow."""
    body = json.dumps({f"k{i}": 0 for i in range(20_000)}).encode()
    refused(any_server, body, "MISSING_REQUIRED_KEY")


def test_unknown_keys_are_ignored(server: Deployment) -> None:
    """`__proto__` is a key like any other."""
    body = server.insert() | {"__proto__": {"x": 1}, "trigger": [], "callBack": None}
    made(server, body)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("$.operation", "operation"),
        ("$.resource", "resource"),
        ("$.resource[0].type", "type"),
        ("$.resource[0].module", "module"),
        ("$.resource[0].file_id", "file_id"),
        ("$.resource[0].field_mappings[0].api_name", "api_name"),
    ],
)
def test_a_missing_key_is_named(any_server: Deployment, path: str, key: str) -> None:
    """The error has `details.json_path` and the documented message."""
    body: Body = any_server.insert(file_id="1")
    if path.count(".") == 1:
        del body[key]
    elif "mappings" in path:
        del body["resource"][0]["field_mappings"][0][key]
    else:
        del body["resource"][0][key]
    error = refused(any_server, body, "MISSING_REQUIRED_KEY")
    assert error["details"] == {"json_path": path}
    assert error["message"] == f"required key {key} is not found in request body."


Change = Callable[[Body], object]


def _root(**values: object) -> Change:
    return lambda body: body.update(values)


def _resource(**values: object) -> Change:
    return lambda body: body["resource"][0].update(values)


def _mapping(**values: object) -> Change:
    return lambda body: body["resource"][0]["field_mappings"][2].update(values)


WRONG = [
    (_root(operation="delete"), "INVALID_DATA", "$.operation"),
    (_root(operation="INSERT"), "INVALID_DATA", "$.operation"),
    (_root(operation=1), "INVALID_DATA", "$.operation"),
    (_root(operation=None), "MISSING_REQUIRED_KEY", "$.operation"),
    (_root(resource={}), "INVALID_DATA", "$.resource"),
    (_root(resource=[]), "MISSING_REQUIRED_KEY", "$.resource"),
    (_root(resource=["x"]), "INVALID_DATA", "$.resource[0]"),
    (_root(resource=[{}] * 101), "INVALID_DATA", "$.resource"),
    (lambda b: b["resource"].append(b["resource"][0]), "INVALID_DATA", "$.resource[1].module"),
    (_root(ignore_empty="true"), "INVALID_DATA", "$.ignore_empty"),
    (_root(ignore_empty=1), "INVALID_DATA", "$.ignore_empty"),
    (_root(character_encoding=7), "INVALID_DATA", "$.character_encoding"),
    (_root(character_encoding="klingon"), "INVALID_DATA", "$.character_encoding"),
    (_root(character_encoding="base64"), "INVALID_DATA", "$.character_encoding"),
    (_root(callback="https://x.example"), "INVALID_DATA", "$.callback"),
    (_root(callback={"method": "post"}), "MISSING_REQUIRED_KEY", "$.callback.url"),
    (_root(callback={"url": "https://x.example"}), "MISSING_REQUIRED_KEY", "$.callback.method"),
    (_root(callback={"url": "ftp://x.example", "method": "post"}), "INVALID_CALLBACK_URL",
     "$.callback.url"),
    (_root(callback={"url": "x.example", "method": "post"}), "INVALID_CALLBACK_URL",
     "$.callback.url"),
    (_root(callback={"url": "https://", "method": "post"}), "INVALID_CALLBACK_URL",
     "$.callback.url"),
    (_root(callback={"url": "https://u:p@x.example/", "method": "post"}), "INVALID_CALLBACK_URL",
     "$.callback.url"),
    (_root(callback={"url": "https://x.example/\r\na", "method": "post"}),
     "INVALID_CALLBACK_URL", "$.callback.url"),
    (_root(callback={"url": "https://x.example:99999/", "method": "post"}),
     "INVALID_CALLBACK_URL", "$.callback.url"),
    (_resource(type="photo"), "INVALID_DATA", "$.resource[0].type"),
    (_resource(module=5), "INVALID_DATA", "$.resource[0].module"),
    (_resource(module={"id": "1"}), "MISSING_REQUIRED_KEY", "$.resource[0].module.api_name"),
    (_resource(find_by=["Email"]), "INVALID_DATA", "$.resource[0].find_by"),
    (_resource(find_by="Company"), "INVALID_FIELD", "$.resource[0].find_by"),
    (_resource(find_by="Nothing"), "INVALID_FIELD", "$.resource[0].find_by"),
    (_resource(find_by="id"), "INVALID_FIELD", "$.resource[0].find_by"),
    (_resource(ignore_empty=0), "INVALID_DATA", "$.resource[0].ignore_empty"),
    (_resource(field_mappings=[]), "INVALID_DATA", "$.resource[0].field_mappings"),
    (_resource(field_mappings={}), "INVALID_DATA", "$.resource[0].field_mappings"),
    (_resource(field_mappings=[{"api_name": "Last_Name", "index": 0}] * 501), "LIMIT_EXCEEDED",
     "$.resource[0].field_mappings"),
    (_resource(file_names=["other.csv"]), "FILE_NOT_FOUND", "$.resource[0].file_names"),
    (_mapping(index=-1), "COLUMN_INDEX_NOT_FOUND", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=3), "COLUMN_INDEX_NOT_FOUND", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=2**31), "COLUMN_INDEX_NOT_FOUND", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=2**63), "COLUMN_INDEX_NOT_FOUND", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=1.0), "INVALID_DATA", "$.resource[0].field_mappings[2].index"),
    (_mapping(index="2"), "INVALID_DATA", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=True), "INVALID_DATA", "$.resource[0].field_mappings[2].index"),
    (_mapping(index={}), "INVALID_DATA", "$.resource[0].field_mappings[2].index"),
    (_mapping(index=None), "MISSING_REQUIRED_KEY", "$.resource[0].field_mappings[2].index"),
    (_mapping(api_name="email"), "INVALID_FIELD", "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name=""), "INVALID_FIELD", "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name="x'; DROP TABLE jobs;--"), "INVALID_FIELD",
     "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name="Created_Time"), "INVALID_FIELD",
     "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name="Record_Image"), "INVALID_FIELD",
     "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name="id"), "INVALID_FIELD", "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name=7), "INVALID_DATA", "$.resource[0].field_mappings[2].api_name"),
    (_mapping(api_name="Last_Name"), "DUPLICATE_DATA",
     "$.resource[0].field_mappings[2].api_name"),
    (_mapping(format="yyyy"), "INVALID_FORMAT", "$.resource[0].field_mappings[2].format"),
    (_mapping(api_name="Annual_Revenue", format="abc"), "INVALID_FORMAT",
     "$.resource[0].field_mappings[2].format"),
    (_mapping(find_by="Company"), "INVALID_FIELD", "$.resource[0].field_mappings[2].find_by"),
    (_mapping(api_name="Owner", find_by="name"), "INVALID_FIELD",
     "$.resource[0].field_mappings[2].find_by"),
    (_mapping(default_value="x"), "INVALID_DATA",
     "$.resource[0].field_mappings[2].default_value"),
    (_mapping(default_value={}), "MISSING_REQUIRED_KEY",
     "$.resource[0].field_mappings[2].default_value.value"),
    (_mapping(default_value={"value": []}), "INVALID_DATA",
     "$.resource[0].field_mappings[2].default_value"),
    (_mapping(default_value={"value": ""}), "INVALID_DATA",
     "$.resource[0].field_mappings[2].default_value"),
    (_mapping(default_value={"value": "x" * 70_000}), "INVALID_DATA",
     "$.resource[0].field_mappings[2].default_value"),
    (_mapping(module={"api_name": 5}), "INVALID_DATA",
     "$.resource[0].field_mappings[2].module"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "path"), WRONG)
def test_an_error_names_the_place_of_the_mistake(
    server: Deployment, change: Change, code: str, path: str
) -> None:
    """Each rule of facts 3.3 and 3.6."""
    body = server.insert()
    change(body)
    assert refused(server, body, code)["details"]["json_path"] == path


@pytest.mark.parametrize("encoding", [None, "ISO-8859-15"])
def test_all_resources_of_a_job_are_in_one_zip(server: Deployment, encoding: str | None) -> None:
    """In an encoding that a file was not read in, this is checked before it is read."""
    names = [{"api_name": "Last_Name", "index": 0}]
    body = server.insert(field_mappings=names) | {"character_encoding": encoding or "UTF-8"}
    body["resource"] += server.insert(field_mappings=names, module="Contacts")["resource"]
    assert refused(server, body, "INVALID_DATA")["details"] == {
        "json_path": "$.resource[1].file_id"
    }


NOT_SUPPORTED: list[str | bytes] = [
    "Last_Name\tCity\nBoyle\tBonn\n",
    "Name,x;Town\nBoyle,1;Bonn\n",
    "Last_Name,City\nA;1\nB;2\n",
    "Last_Name,City\nכהן,חיפה\nלוי,אשדוד\n".encode("cp1255"),
    "",
]


@pytest.mark.parametrize("csv", NOT_SUPPORTED, ids=range(len(NOT_SUPPORTED)))
def test_a_file_that_is_not_supported_is_named_by_its_place(
    any_server: Deployment, csv: str | bytes
) -> None:
    """Whatever is in doubt, with what to do about it."""
    file_id = any_server.upload(zipped(csv)).json()["details"]["file_id"]
    body = any_server.insert(file_id=file_id, field_mappings=None)
    details = refused(any_server, body, "FILE_NOT_SUPPORTED")["details"]
    assert details["json_path"] == "$.resource[0].file_id"
    assert len(details["reason"]) > 20


def test_only_post_is_a_callback_method(any_server: Deployment) -> None:
    """The details list the supported methods (facts 3.6)."""
    body = any_server.insert() | {"callback": {"url": "https://x.example/", "method": "get"}}
    error = refused(any_server, body, "INVALID_CALLBACK_METHOD")
    assert error["details"] == {"supported_callback_methods": ["post"]}


@pytest.mark.parametrize("module", ["leads", "Nothing", "Calls", "Quotes", "../x", "L" * 100_000])
def test_a_module_that_bulk_write_does_not_write_is_not_available(
    server: Deployment, module: str
) -> None:
    """MODULE_NOT_AVAILABLE (facts 1.3, 3.6)."""
    error = refused(server, server.insert(module=module), "MODULE_NOT_AVAILABLE")
    assert error["message"].startswith(f"Requested module '{module[:100]}")
    assert error["message"].endswith("' is not available.") or len(module) > 100


@pytest.mark.parametrize(
    "file_id",
    [
        *("word", "0", "-1", str(2**63), "9" * 400, "1.0", "1", "1 OR 1=1", "../1", "", " 1"),
        *("\u0661\u0662", "0x1", "1_000"),
        *(12, 1.5, [], {}, True),
    ],
)
def test_a_malformed_file_id_is_rejected(any_server: Deployment, file_id: object) -> None:
    """The status is never 500."""
    error = refused(any_server, any_server.insert(file_id=file_id), "INVALID_FILE_ID")
    assert error["message"] == "improper file id"


def test_an_upload_of_another_org_does_not_exist(server: Deployment) -> None:
    """The response is the same as for an unknown id."""
    theirs = server.file_id(tenant=server.other)
    error = refused(server, server.insert(file_id=theirs), "INVALID_FILE_ID")
    assert error == refused(server, server.insert(file_id="123456"), "INVALID_FILE_ID")


def test_two_jobs_can_use_one_file(server: Deployment) -> None:
    """The documentation of the real service does not say whether they can."""
    file_id = server.file_id()
    assert (
        made(server, server.insert(file_id=file_id)).id
        != made(server, server.insert(file_id=file_id)).id
    )


def test_update_and_upsert_need_find_by(server: Deployment) -> None:
    """MANDATORY_NOT_FOUND (facts 3.2)."""
    for operation in ("update", "upsert"):
        body = server.insert() | {"operation": operation}
        error = refused(server, body, "MANDATORY_NOT_FOUND")
        assert error["message"] == "Required key find_by is not available"
        made(server, server.insert(find_by="Email") | {"operation": operation})


def test_find_by_must_be_mapped(server: Deployment) -> None:
    """Otherwise no row could match."""
    mappings = [{"api_name": "Last_Name", "index": 0}]
    refused(server, server.insert(find_by="Email", field_mappings=mappings), "INVALID_FIELD")


def test_id_can_be_mapped_only_as_a_key(server: Deployment) -> None:
    """With `find_by` id, or if records are updated (facts 3.3)."""
    mappings = [{"api_name": "id", "index": 1}, {"api_name": "Last_Name", "index": 0}]
    refused(server, server.insert(field_mappings=mappings), "INVALID_FIELD")
    for operation, find_by in (("insert", "id"), ("update", "id"), ("upsert", "id")):
        body = server.insert(find_by=find_by, field_mappings=mappings)
        made(server, body | {"operation": operation})


def test_mandatory_fields_must_be_mapped_if_records_are_added(server: Deployment) -> None:
    """The message lists them. A default is enough, and an update needs none (facts 3.6)."""
    email = [{"api_name": "Email", "index": 2}]
    error = refused(server, server.insert(field_mappings=email), "MANDATORY_FIELDS_NOT_MAPPED")
    assert error["message"] == "All mandatory fields are not mapped for the layout [Last_Name]"
    assert error["details"] == {}
    made(server, server.insert(find_by="Email", field_mappings=email) | {"operation": "update"})
    named = [*email, {"api_name": "Last_Name", "default_value": {"value": "Unknown"}}]
    made(server, server.insert(field_mappings=named))


def test_the_job_of_the_founding_page_is_accepted(server: Deployment) -> None:
    """It maps only Deal_Name and Stage: layout-mandatory fields are not required."""
    mappings = [{"api_name": "Deal_Name", "index": 1}, {"api_name": "Stage", "index": 2}]
    made(server, server.insert(module="Deals", field_mappings=mappings))


def _contacts(server: Deployment, **lookup: object) -> Body:
    mappings = [
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Account_Name", "index": 1, **lookup},
    ]
    return server.insert(module="Contacts", field_mappings=mappings)


def test_a_lookup_needs_a_find_by_of_its_module(server: Deployment) -> None:
    """`id`, a key field or the display field (facts 3.3)."""
    error = refused(server, _contacts(server), "MANDATORY_NOT_FOUND")
    assert error["message"] == "Required key find_by is not available"
    for find_by in ("id", "Account_Name"):
        made(server, _contacts(server, find_by=find_by))
    for find_by in ("Nothing", "Phone", "Email"):
        refused(server, _contacts(server, find_by=find_by), "INVALID_FIELD")


def test_a_missing_index_is_named_by_its_field(server: Deployment) -> None:
    """The message is the one of the real service (facts 3.6)."""
    mappings = [{"api_name": "Last_Name", "index": 0}, {"api_name": "Company"}]
    error = refused(server, server.insert(field_mappings=mappings), "MISSING_REQUIRED_KEY")
    assert error["message"] == (
        "required key index for field Company is not found in request body."
    )


# Auto-mapping (facts 1.4)


def test_without_mappings_the_header_maps(server: Deployment) -> None:
    """A column whose header is an API name is mapped; other columns are ignored."""
    text = "Last_Name,Nonsense,Email,Created_Time,id\na,b,c,d,e\n"
    job = made(server, server.insert(file_id=server.file_id(text), field_mappings=None))
    resource = job.resources[0]
    assert resource.auto_mapped
    assert [(m.api_name, m.index) for m in resource.mappings] == [("Last_Name", 0), ("Email", 2)]


def test_a_header_names_the_field_of_a_lookup(server: Deployment) -> None:
    """`Account_Name.Account_Name` names a field; `Account_Name` alone means record ids."""
    for header, find_by in (
        ("Account_Name.Account_Name", "Account_Name"),
        ("Account_Name.id", "id"),
        ("Account_Name", "id"),
    ):
        file_id = server.file_id(f"Last_Name,{header}\na,b\n")
        body = server.insert(module="Contacts", file_id=file_id, field_mappings=None)
        assert made(server, body).resources[0].mappings[1].find_by == find_by


def test_the_header_maps_id_for_an_update(server: Deployment) -> None:
    """The column `id` is the key (facts 1.4)."""
    file_id = server.file_id("id,Company\n1,b\n")
    body = server.insert(file_id=file_id, field_mappings=None, find_by="id")
    job = made(server, body | {"operation": "update"})
    assert [m.api_name for m in job.resources[0].mappings] == ["id", "Company"]


def test_a_header_without_any_field_is_refused(server: Deployment) -> None:
    """Otherwise a typing error would lead to a job without any value."""
    file_id = server.file_id("name,mail\na,b\n")
    error = refused(server, server.insert(file_id=file_id, field_mappings=None), "INVALID_FIELD")
    assert error["message"] == "invalid mapping. invalid api_name name."


def test_a_header_that_names_a_field_twice_is_refused(server: Deployment) -> None:
    """DUPLICATE_DATA."""
    file_id = server.file_id("Last_Name,Email,Email\na,b,c\n")
    refused(server, server.insert(file_id=file_id, field_mappings=None), "DUPLICATE_DATA")


# Limits (facts 1.2)


def test_a_file_of_more_than_25000_records_is_refused(server: Deployment) -> None:
    """With the limits profile `zoho`; 25,000 are accepted."""
    rows = "Boyle,Zylker,p@zylker.example\n" * 25_000
    header = "Last_Name,Company,Email\n"
    made(server, server.insert(file_id=server.file_id(header + rows)))
    many = server.file_id(header + rows + "one,too,many\n")
    refused(server, server.insert(file_id=many), "LIMIT_EXCEEDED")


def test_a_file_of_more_than_200_columns_is_refused(server: Deployment) -> None:
    """HEADER_LIMIT_EXCEEDED; 200 are accepted."""
    for columns, code in ((200, None), (201, "HEADER_LIMIT_EXCEEDED")):
        text = ",".join(f"c{i}" for i in range(columns)) + "\n"
        body = server.insert(file_id=server.file_id(text + text))
        if code is None:
            made(server, body)
        else:
            refused(server, body, code)


# Encodings


def test_a_declared_encoding_decides_how_the_header_reads(server: Deployment) -> None:
    """The encoding of the request wins over the detected one (facts 3.2)."""
    file_id = server.file_id("Last_Name;Größe\nMüller;1\n".encode("cp1252"))
    body = server.insert(file_id=file_id, field_mappings=None)
    assert made(server, body | {"character_encoding": "windows-1252"}).character_encoding == (
        "windows-1252"
    )


# Scopes


def test_creating_needs_a_scope_of_the_module_too(server: Deployment) -> None:
    """Beside a scope for bulk write (facts 3.1)."""
    body = server.insert()
    for scopes, allowed in (
        ("ZohoCRM.bulk.ALL", False),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.ALL", True),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.leads.CREATE", True),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.leads.ALL", True),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.leads.READ", False),
        ("ZohoCRM.bulk.CREATE,ZohoCRM.modules.deals.ALL", False),
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.ALL", False),
    ):
        answer = server.create(body, token=server.token(scopes))
        assert answer.status_code == (201 if allowed else 401), scopes
        if not allowed:
            assert answer.json()["code"] == "OAUTH_SCOPE_MISMATCH"


def test_the_sample_file_has_its_columns() -> None:
    """The tests above rely on them."""
    assert LEADS.splitlines()[0] == "Last_Name,Company,Email"


def test_a_request_that_is_rejected_reads_no_file(
    server: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a file in another encoding takes long: everything else is checked before.

    Requests that name the same encoding again, rejected or not, do not read it either.
    """
    body = server.insert()
    body["character_encoding"] = "windows-1250"
    resource = body["resource"][0]
    mapping = {"api_name": "Last_Name", "index": 0}
    read: list[str | None] = []
    read_csvs = UploadService._read

    def counted(self: UploadService, file: Any, encoding: str | None, origin: Any) -> Any:
        read.append(encoding)
        return read_csvs(self, file, encoding, origin)

    monkeypatch.setattr(UploadService, "_read", counted)
    for wrong, code in (
        ({"module": "Nothing"}, "MODULE_NOT_AVAILABLE"),
        ({"file_id": "111111111111111111"}, "INVALID_FILE_ID"),
        ({"field_mappings": [{"api_name": "Nothing", "index": 0}]}, "INVALID_FIELD"),
        ({"field_mappings": [mapping, mapping]}, "DUPLICATE_DATA"),
        ({"field_mappings": [mapping | {"index": 200}]}, "COLUMN_INDEX_NOT_FOUND"),
        ({"field_mappings": [mapping | {"format": "x"}]}, "INVALID_FORMAT"),
        ({"field_mappings": [mapping] * 501}, "LIMIT_EXCEEDED"),
        ({"find_by": "Nothing"}, "INVALID_FIELD"),
    ):
        refused(server, body | {"resource": [resource | wrong]}, code)
    assert read == []
    beyond = resource | {"field_mappings": [mapping | {"index": 199}]}
    for _ in range(3):
        refused(server, body | {"resource": [beyond]}, "COLUMN_INDEX_NOT_FOUND")
    assert made(server, body).character_encoding == "windows-1250"
    assert read == ["windows-1250"]
