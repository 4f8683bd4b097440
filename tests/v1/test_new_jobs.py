"""`POST /api/v1/files` and `/api/v1/jobs`: a job is created without the Zoho API."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import zipped
from tests.v1.test_jobs import JOBS, get, problem

from bulkwright.service import uploads

Json = dict[str, Any]
FILES = "/api/v1/files"
LEADS = "Last Name,E Mail,Colour\nBoyle,p@zylker.example,red\n"


def send_file(server: Deployment, data: bytes, token: str | None = None, **headers: str) -> Any:
    """POST a file."""
    sent = server.auth(token) | {name.replace("_", "-"): v for name, v in headers.items()}
    return server.http.post(FILES, headers=sent, files={"file": ("leads.zip", data)})


def uploaded(server: Deployment, text: str | bytes = LEADS) -> Json:
    """A new file."""
    answer = send_file(server, zipped(text))
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def send_job(server: Deployment, body: object, token: str | None = None, **more: str) -> Any:
    """POST a job; bytes are sent as they are."""
    headers = server.auth(token) | {name.replace("_", "-"): v for name, v in more.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return server.http.post(JOBS, headers=headers, content=content)


def wanted(server: Deployment, text: str | bytes = LEADS, **changes: object) -> Json:
    """A sound request for a job; None takes a key out."""
    body = {"operation": "insert", "module": "Leads", "file_id": uploaded(server, text)["id"]}
    return {key: value for key, value in (body | changes).items() if value is not None}


def created(server: Deployment, body: Json) -> Json:
    """A new job."""
    answer: httpx2.Response = send_job(server, body)
    assert answer.status_code == 201, answer.text
    job: Json = answer.json()
    assert answer.headers["location"] == f"{JOBS}/{job['id']}"
    assert get(server, answer.headers["location"]) == job
    return job


def test_an_upload_says_how_it_is_read(server: Deployment) -> None:
    file = uploaded(server, "Last_Name;Company\r\nBöyle;Zylker\r\n".encode("cp1252"))
    (csv,) = file["csvs"]
    assert (file["name"], file["problem"], file["bytes"] > 0) == ("leads.zip", None, True)
    assert (csv["header"], csv["delimiter"]) == (["Last_Name", "Company"], ";")
    assert (csv["encoding"], csv["encoding_by"], csv["rows"]) == ("windows-1252", "guess", 1)


def test_an_upload_that_no_job_can_read_says_why(any_server: Deployment) -> None:
    file = send_file(any_server, zipped("", "notes.txt")).json()
    assert file["csvs"] == [] and "CSV" in file["problem"]
    answer = send_job(any_server, wanted(any_server, file_id=file["id"]))
    assert "upload it again" in problem(answer, 400, "FILE_NOT_SUPPORTED")["detail"]
    problem(send_file(any_server, b"no zip"), 400, "INVALID_FILE_FORMAT")
    nothing = any_server.http.post(FILES, headers=any_server.auth(), files={"file": b""})
    problem(nothing, 400, "FILE_NOT_SUPPORTED")
    problem(any_server.http.post(FILES, headers=any_server.auth()), 400, "INVALID_REQUEST")


def test_headers_name_the_fields_as_for_the_command_write(server: Deployment) -> None:
    """By API name, label or another spelling; what is left out is in the response."""
    text = "last name,Email,Colour,COMPANY\nBoyle,p@zylker.example,red,Zylker\n"
    job = created(server, wanted(server, text))
    (resource,) = job["resources"]
    assert resource["mapped_by_header"] is True
    assert [(m["api_name"], m["index"]) for m in resource["mappings"]] == [
        ("Email", 1), ("Last_Name", 0), ("Company", 3),
    ]  # fmt: skip
    assert resource["reading"]["columns_left_out"] == ["Colour"]


def test_columns_name_their_fields(server: Deployment) -> None:
    """By header, by index, or by neither; nothing else fills a field."""
    columns = [
        {"field": "Last_Name", "header": "Last Name"},
        {"field": "Description", "index": 2, "default": "none"},
        {"field": "Lead_Source", "default": "Trade Show"},
    ]
    job = created(server, wanted(server, columns=columns, ignore_empty=True))
    (resource,) = job["resources"]
    assert resource["mappings"] == [
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Description", "index": 2, "default": "none"},
        {"api_name": "Lead_Source", "default": "Trade Show"},
    ]
    assert (resource["mapped_by_header"], resource["ignore_empty"]) == (False, True)
    assert resource["reading"]["columns_left_out"] == ["E Mail"]


def test_a_job_has_what_was_asked_for(server: Deployment) -> None:
    job = created(
        server,
        wanted(
            server, "Last_Name\tEmail\nBoyle\tp@zylker.example\n", operation="upsert",
            find_by="Email", encoding="utf-8", delimiter="\t", file_name="leads.csv",
            callback_url="http://127.0.0.1:9/end",
        ),
    )  # fmt: skip
    (resource,) = job["resources"]
    assert (job["status"], job["operation"], job["callback_url"]) == (
        "ADDED", "upsert", "http://127.0.0.1:9/end",
    )  # fmt: skip
    assert (resource["find_by"], resource["file_name"]) == ("Email", "leads.csv")
    reading = resource["reading"]
    assert job["dry_run"] is False
    assert (reading["encoding_by"], reading["delimiter"]) == ("named", "\t")


WRONG = [
    ({"colour": "red"}, "INVALID_BODY", "colour"),
    ({"operation": "delete"}, "INVALID_BODY", "delete"),
    ({"operation": None}, "INVALID_BODY", "operation"),
    ({"file_id": 12}, "INVALID_BODY", "file_id"),
    ({"columns": []}, "INVALID_BODY", "columns"),
    ({"columns": [{"field": "Last_Name"}]}, "INVALID_BODY", "columns[0]"),
    ({"columns": [{"field": "Last_Name", "index": 0, "header": "x"}]}, "INVALID_BODY", "[0]"),
    ({"columns": [{"field": "Last_Name", "index": 0, "kind": 1}]}, "INVALID_BODY", "kind"),
    ({"columns": [{"field": "Email", "default": ""}]}, "INVALID_BODY", "default"),
    ({"columns": [{"field": "Last_Nme", "index": 0}]}, "INVALID_FIELD", "mean Last_Name?"),
    ({"columns": [{"field": "Last_Name", "header": "Lst Name"}]}, "INVALID_FIELD", "Last Name"),
    ({"columns": [{"field": "Last_Name", "index": 9}]}, "COLUMN_INDEX_NOT_FOUND", "index"),
    ({"columns": [{"field": "Email", "index": 1}]}, "MANDATORY_FIELDS_NOT_MAPPED", "Last_Name"),
    ({"columns": [{"field": "Last_Name", "index": 0}] * 2}, "DUPLICATE_DATA", "twice"),
    ({"columns": [{"field": "Email", "index": 1, "format": "x"}]}, "INVALID_FORMAT", "Email"),
    ({"columns": [{"field": "Email", "default": "x"}] * 501}, "LIMIT_EXCEEDED", "500"),
    ({"module": "Leds"}, "MODULE_NOT_AVAILABLE", "Leds"),
    ({"module": "Lea\0ds"}, "INVALID_BODY", "NUL"),
    ({"file_id": "12"}, "INVALID_FILE_ID", "POST /api/v1/files"),
    ({"file_name": "other.csv"}, "FILE_NOT_FOUND", "file_name"),
    ({"operation": "update"}, "MANDATORY_NOT_FOUND", "find_by"),
    ({"operation": "upsert", "find_by": "Colour"}, "INVALID_FIELD", "Colour"),
    ({"encoding": "klingon"}, "INVALID_DATA", "encoding"),
    ({"delimiter": "#"}, "INVALID_BODY", "#"),
    ({"delimiter": ";"}, "FILE_NOT_SUPPORTED", "semicolon"),
    ({"callback_url": "ftp://x"}, "INVALID_CALLBACK_URL", "callback"),
]


@pytest.mark.parametrize(("changes", "code", "named"), WRONG)
def test_a_mistake_is_named(any_server: Deployment, changes: Json, code: str, named: str) -> None:
    """The body says what is wrong; a place is one of this request."""
    body = wanted(any_server, **changes)
    found = problem(send_job(any_server, body), 400, code)
    assert named in found["detail"], found
    place = str(found["details"].get("json_path", "$"))
    assert "resource" not in place and "field_mappings" not in place, found


NO_OBJECTS = [
    b"", b"[]", b"{", b"\xff", b"null", b'{"operation":"\\ud800"}', b'{"operation":"\xff"}',
    b'{"unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"[" * 100_000,
]  # fmt: skip
"""The last two have more levels than a parser reads."""


@pytest.mark.parametrize("body", NO_OBJECTS, ids=range(len(NO_OBJECTS)))
def test_a_body_that_is_no_json_object_is_refused(any_server: Deployment, body: bytes) -> None:
    problem(send_job(any_server, body), 400, "INVALID_BODY")
    undo = any_server.http.post(f"{JOBS}/1/undo", headers=any_server.auth(), content=body)
    assert undo.status_code in (400, 404)


def test_a_long_body_is_refused(any_server: Deployment) -> None:
    problem(send_job(any_server, b" " * 600_000), 413, "BODY_TOO_LONG")


def test_a_file_without_a_known_column_is_refused(any_server: Deployment) -> None:
    found = problem(send_job(any_server, wanted(any_server, "a,b\n1,2\n")), 400, "INVALID_FIELD")
    assert "a (no such field)" in found["detail"]


def test_a_file_of_another_org_does_not_exist(server: Deployment) -> None:
    body = wanted(server)
    problem(send_job(server, body, server.other.token), 400, "INVALID_FILE_ID")


def test_a_token_needs_the_scope_of_jobs_and_that_of_the_module(server: Deployment) -> None:
    body = wanted(server)
    for scopes in ("bulkwright.jobs.READ", "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL"):
        denied = problem(send_job(server, body, server.token(scopes)), 403, "OAUTH_SCOPE_MISMATCH")
        assert "bulkwright.jobs.CREATE" in denied["detail"]
        problem(send_file(server, b"", server.token(scopes)), 403, "OAUTH_SCOPE_MISMATCH")
    alone = server.token("bulkwright.jobs.CREATE")
    denied = problem(send_job(server, body, alone), 403, "OAUTH_SCOPE_MISMATCH")
    assert "write to the module" in denied["detail"]
    both = server.token("bulkwright.jobs.CREATE,ZohoCRM.modules.leads.CREATE")
    assert send_job(server, body, both).status_code == 201
    problem(server.http.post(JOBS, content=b"{}"), 401, "AUTHENTICATION_FAILURE")


def test_requests_with_one_key_have_one_effect(server: Deployment) -> None:
    """Uploads and jobs; another request with the key is refused."""
    key, other = str(uuid4()), str(uuid4())
    file = send_file(server, zipped(LEADS), Idempotency_Key=key)
    again = send_file(server, zipped(LEADS), Idempotency_Key=key)
    assert (again.status_code, again.json()) == (201, file.json())
    problem(
        send_file(server, zipped("Email\n"), Idempotency_Key=key), 409, "IDEMPOTENCY_KEY_REUSED"
    )
    body = wanted(server, file_id=file.json()["id"])
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: send_job(server, body, Idempotency_Key=other), range(16))
        )
    assert {(a.status_code, a.json()["id"]) for a in answers} == {(201, answers[0].json()["id"])}
    changed = body | {"ignore_empty": True}
    problem(send_job(server, changed, Idempotency_Key=other), 409, "IDEMPOTENCY_KEY_REUSED")
    problem(send_job(server, body, Idempotency_Key=key), 409, "IDEMPOTENCY_KEY_REUSED")
    problem(send_job(server, body, Idempotency_Key="x" * 256), 400, "INVALID_DATA")


def test_a_repeated_upload_is_not_converted_again(
    server: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by the file itself; another file is another request."""
    headers = server.auth() | {"Idempotency-Key": str(uuid4())}

    def send(text: bytes) -> Any:
        files = {"file": ("leads.csv", text)}
        return server.http.post(FILES, headers=headers, files=files)

    first = send(b"Last_Name\nBoyle\n")
    assert first.json()["format"] == "csv"

    def convert(*_: object) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(uploads, "convert", convert)
    again = send(b"Last_Name\nBoyle\n")
    assert (again.status_code, again.json()) == (201, first.json())
    problem(send(b"Last_Name\nKay\n"), 409, "IDEMPOTENCY_KEY_REUSED")


def test_the_zoho_api_shows_a_job_of_the_own_api(server: Deployment) -> None:
    job = created(server, wanted(server))
    shown = server.get(f"/crm/bulk/v8/write/{job['id']}").json()
    assert (shown["id"], shown["status"]) == (job["id"], "ADDED")


def test_the_bodies_are_described(any_server: Deployment) -> None:
    document = any_server.http.get("/api/v1/openapi.json").json()
    post = document["paths"][JOBS]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/NewJob"}
    properties = document["components"]["schemas"]["NewJob"]["properties"]
    assert {"operation", "module", "file_id", "columns", "callback_url"} <= properties.keys()
    assert "Location" in post["responses"]["201"]["headers"]
    assert "multipart/form-data" in document["paths"][FILES]["post"]["requestBody"]["content"]


def test_the_body_of_the_page_creates_a_job(server: Deployment) -> None:
    """That of docs/api.md, with the id of a file that has its columns."""
    page = (Path(__file__).parents[2] / "docs/api.md").read_text("utf-8")
    (body,) = re.findall(r'^    (\{"operation".*?\]\})$', page, re.MULTILINE | re.DOTALL)
    file_id = server.file_id("Name,E-mail address\nBoyle,p@x.example\n")
    job = created(server, {**json.loads(body), "file_id": file_id})
    mapped = {m["api_name"]: m.get("index") for m in job["resources"][0]["mappings"]}
    assert mapped == {"Email": 1, "Last_Name": 0, "Lead_Source": None}
