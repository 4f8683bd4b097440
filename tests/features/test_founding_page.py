"""What the founding page says about the details of a job, on a job that has run.

docs/job-details.md lists each statement of that page with its test; those that had none are here.
"""

from __future__ import annotations

import re
import socket
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.caller import Caller
from tests.support.live import Live
from tests.support.uploads import zipped

Json = dict[str, Any]
MAPPINGS = [
    {"api_name": "Last_Name", "index": 0},
    {"api_name": "Email", "index": 1},
    {"api_name": "Lead_Source", "index": 2, "default_value": {"value": "Partner"}},
]
OUTCOMES = {"ADDED": 2, "UPDATED": 1, "SKIPPED": 1}


@pytest.fixture(scope="module")
def job(caller: Caller) -> Json:
    """An upsert with every outcome: the third row updates the record of the first."""
    mail = f"{uuid.uuid4().hex}@zylker.example"
    rows = f"Boyle,{mail},Web Download\nKay,k{mail},\nBoyle-Kay,{mail},Partner\n,x{mail},\n"
    file_id = caller.upload(zipped(f"Name,Mail,Source\n{rows}", "People.csv"))
    resource = {
        "type": "data",
        "module": "Leads",
        "file_id": file_id,
        "find_by": "Email",
        "field_mappings": MAPPINGS,
    }
    return caller.ended(caller.create({"operation": "upsert", "resource": [resource]}), "v2")


def test_the_request_of_the_curl_sample(live: Live, caller: Caller, job: Json) -> None:
    """GET, the path with the id, the Authorization header; byte by byte."""
    host, port = live.base_url.removeprefix("http://").split(":")
    token = caller.auth["Authorization"]
    request = (
        f"GET /crm/bulk/v2/write/{job['id']} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"User-Agent: curl/8.5.0\r\nAccept: */*\r\nAuthorization: {token}\r\n"
        "Connection: close\r\n\r\n"
    )
    assert token.startswith("Zoho-oauthtoken 1000.")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f'"id":"{job["id"]}"'.encode() in answer


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_the_details_name_id_operation_creator_and_time(
    live: Live, caller: Caller, operation: str
) -> None:
    """The id is that of the response to the create request; the time is that of the creation."""
    body = caller.insert(caller.upload())
    body["resource"][0] |= {"find_by": "id"} if operation != "insert" else {}
    if operation != "insert":
        body["resource"][0]["field_mappings"].append({"api_name": "id", "index": 1})
    created = caller.create(body | {"operation": operation})
    details = caller.details(created)
    assert (details["id"], details["operation"]) == (created, operation)
    user = live.credentials["user"]
    assert details["created_by"] == {"id": user["id"], "name": user["name"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", details["created_time"])
    age = datetime.now(UTC) - datetime.fromisoformat(details["created_time"])
    assert timedelta(seconds=-2) < age < timedelta(minutes=2)


def test_a_resource_names_its_type_module_and_mappings(job: Json) -> None:
    """As they were requested; a key that the request lacks is null."""
    (resource,) = job["resource"]
    assert (resource["type"], resource["module"]) == ("data", "Leads")
    missing = {"index": None, "format": None, "find_by": None, "default_value": None}
    assert resource["field_mappings"] == [missing | mapping for mapping in MAPPINGS]
    assert [list(mapping) for mapping in resource["field_mappings"]] == [
        ["api_name", "index", "format", "find_by", "default_value"]
    ] * len(MAPPINGS)


def test_the_counts_are_the_rows_of_the_result(caller: Caller, job: Json) -> None:
    """Added, updated, skipped, and their sum; the result is a CSV with the reason of each skip."""
    file = job["resource"][0]["file"]
    counts = [file[f"{name}_count"] for name in ("added", "updated", "skipped", "total")]
    assert counts == [*OUTCOMES.values(), 4]
    assert file["name"] == "People.csv"
    ((name, rows),) = caller.result(job["result"]["download_url"]).items()
    assert name == "Leads-People.csv"
    statuses = [row["STATUS"] for row in rows]
    assert {status: statuses.count(status) for status in OUTCOMES} == OUTCOMES
    errors = [row["ERRORS"] for row in rows if row["STATUS"] == "SKIPPED"]
    assert errors == ["MANDATORY_NOT_FOUND-Name"]


def test_a_default_value_replaces_an_empty_cell(caller: Caller, job: Json) -> None:
    """And no other cell."""
    (rows,) = caller.result(job["result"]["download_url"]).values()
    sources = []
    for row in rows:
        if row["STATUS"] == "ADDED":
            answer = caller.http.get(f"/crm/v2/Leads/{row['RECORD_ID']}")
            sources.append(answer.json()["data"][0]["Lead_Source"])
    assert sources == ["Partner", "Partner"]  # the third row has set that of the first


def test_keys_that_only_the_text_has_are_not_shown(job: Json) -> None:
    """The id of the upload and `file.module`: no sample and no capture has them."""
    (resource,) = job["resource"]
    assert list(resource) == ["status", "type", "module", "field_mappings", "file"]
    assert list(resource["file"]) == [
        "status", "name", "added_count", "skipped_count", "updated_count", "total_count",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "declared", "shown"),
    [
        ("Last_Name\nMüller\n".encode(), None, "UTF-8"),
        ("Last_Name\nMüller\n".encode("utf-16"), None, "UTF-16"),
        ("Last_Name\nMüller\n".encode(), "ISO-8859-1", "ISO-8859-1"),
    ],
)
def test_the_encoding_is_detected_unless_it_is_declared(
    caller: Caller, text: bytes, declared: str | None, shown: str
) -> None:
    """A declared encoding wins, even over one that would be detected."""
    more = {} if declared is None else {"character_encoding": declared}
    created = caller.create(caller.insert(caller.upload(zipped(text)), **more))
    assert caller.ended(created, "v2")["character_encoding"].startswith(shown)
