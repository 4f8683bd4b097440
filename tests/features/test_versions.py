"""Every version from the upload to the result: requests and responses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

import pytest
from tests.support.caller import Caller
from tests.support.uploads import zipped

from bulkwright.zoho.versions import VERSIONS

Json = dict[str, Any]
ROOT_V2 = ["status", "character_encoding", "resource", "id", "result", "created_by", "operation",
           "created_time"]  # fmt: skip
ROOT_LATER = ["status", "character_encoding", "resource", "id", "callback", "result",
              "created_by", "ignore_empty", "operation", "created_time"]  # fmt: skip
RESOURCE = {
    "v2": ["status", "type", "module", "field_mappings", "file"],
    "v2.1": ["status", "type", "module", "field_mappings", "file", "code"],
    "v2.2": ["status", "type", "module", "field_mappings", "file", "code"],
}
CAPTURED = ("v2.1", "v2.2")
RESOURCE_LATER = ["status", "code", "type", "module", "field_mappings", "file"]
MAPPING = ["api_name", "index", "format", "find_by", "default_value"]
MAPPING_LATER = ["api_name", "index", "format", "find_by", "module", "default_value"]


@pytest.fixture(scope="module")
def received() -> Iterator[tuple[str, Queue[bytes]]]:
    """A receiver of callbacks: its URL, and the bodies that it received."""
    bodies: Queue[bytes] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/done", bodies
        server.shutdown()
        thread.join()


def _module(name: str, version: str) -> object:
    """Returns a module as the documentation of a version sends it (facts 3.2)."""
    return name if version == "v2" else {"api_name": name}


def _family(caller: Caller, version: str, **root: object) -> Json:
    """Returns a job of accounts and their contacts in one zip, with names of this version only."""
    mark = version.replace(".", "_")
    accounts = f"Account_Name,Phone,Ref\nZylker {mark},,A\nBoyle {mark},1,B\n"
    contacts = f"Last_Name,Of\nKay {mark},B\n,A\nDoe {mark},A\n"
    packed = zipped(accounts, "Accounts.csv", **{"Contacts.csv": contacts.encode()})
    file_id = caller.upload(packed, version)
    return {
        "operation": "insert",
        **root,
        "resource": [
            {
                "type": "data",
                "module": _module("Accounts", version),
                "file_id": file_id,
                "file_names": ["Accounts.csv"],
                "field_mappings": [
                    {"api_name": "Account_Name", "index": 0},
                    {"api_name": "Phone", "index": 1, "default_value": {"value": "555"}},
                ],
            },
            {
                "type": "data",
                "module": _module("Contacts", version),
                "file_id": file_id,
                "file_names": ["Contacts.csv"],
                "field_mappings": [
                    {"api_name": "Last_Name", "index": 0},
                    {"api_name": "Account_Name", "index": 1, "parent_column_index": 2},
                ],
            },
        ],
    }


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_parent_child_job_in_each_version(
    caller: Caller, received: tuple[str, Queue[bytes]], version: str
) -> None:
    """Callback, ignore_empty, defaults, two resources, and the result of both (facts 3 to 6)."""
    url, bodies = received
    body = _family(caller, version, callback={"url": url, "method": "post"}, ignore_empty=True)
    job = caller.create(body, version)
    done = caller.ended(job, version)
    assert done["status"] == "COMPLETED"
    later = version != "v2"
    assert list(done) == (ROOT_LATER if later else ROOT_V2)
    if later:
        assert done["ignore_empty"] is True
        assert done["callback"] == {"url": url, "method": "post"}
    accounts, contacts = done["resource"]
    for resource, name in ((accounts, "Accounts"), (contacts, "Contacts")):
        assert list(resource) == RESOURCE.get(version, RESOURCE_LATER)
        shown = resource["module"]
        if later:
            names = ["id", "api_name"] if version in CAPTURED else ["api_name", "id"]
            assert list(shown) == names
            assert shown["id"].isdigit()
            shown = shown["api_name"]
            assert resource["code"] == ("COMPLETED" if version in CAPTURED else "SUCCESS")
        assert shown == name
        assert list(resource["field_mappings"][0]) == (MAPPING_LATER if later else MAPPING)
        assert resource["file"]["name"] == f"{name}.csv"
    assert accounts["field_mappings"][1]["default_value"] == {"value": "555"}
    assert contacts["field_mappings"][1].get("parent_column_index") == (2 if later else None)
    assert [r["file"]["added_count"] for r in done["resource"]] == [2, 2]
    assert contacts["file"]["skipped_count"] == 1

    link = done["result"]["download_url"]
    assert link == f"/{version}/crm/org{caller.org}/bulk-write/{job}/{job}.zip"
    rows = caller.result(link)
    assert set(rows) == {"Accounts-Accounts.csv", "Contacts-Contacts.csv"}
    assert [r["STATUS"] for r in rows["Contacts-Contacts.csv"]] == ["ADDED", "SKIPPED", "ADDED"]
    account = rows["Accounts-Accounts.csv"][0]["RECORD_ID"]
    contact = rows["Contacts-Contacts.csv"][2]["RECORD_ID"]
    (record,) = caller.http.get(f"/crm/{version}/Contacts/{contact}").json()["data"]
    assert record["Account_Name"]["id"] == account

    # The body of the callback is that of job details in the version of the job (facts 6).
    assert bodies.get(timeout=15) == caller.http.get(f"/crm/bulk/{version}/write/{job}").content


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_spelling_of_a_link_returns_the_result(caller: Caller, version: str) -> None:
    """A doubled slash, with and without `org`, and another version than the job's (facts 5)."""
    job = caller.create(caller.insert(caller.upload()))
    caller.ended(job)
    for org in (f"org{caller.org}", caller.org):
        for slashes in ("", "/"):
            answer = caller.http.get(
                f"{caller.http.base_url}{slashes}/{version}/crm/{org}/bulk-write/{job}/{job}.zip"
            )
            assert answer.status_code == 200
            shown = answer.headers["content-disposition"]
            assert shown == f'attachment; filename="{job}.zip"'
            assert answer.headers["content-type"] == "application/zip"


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_both_shapes_of_module_are_accepted_in_every_version(caller: Caller, version: str) -> None:
    """Clients send both to all versions (facts 3.2)."""
    file_id = caller.upload(version=version)
    for shape in ("Leads", {"api_name": "Leads"}):
        body = caller.insert(file_id)
        body["resource"][0]["module"] = shape
        job = caller.create(body, version)
        assert caller.details(job, "v2")["resource"][0]["module"] == "Leads"
        assert caller.details(job, "v8")["resource"][0]["module"]["api_name"] == "Leads"


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_responses_to_upload_and_create_are_the_same_in_every_version(
    caller: Caller, version: str
) -> None:
    """See facts 2.2 and 3.6."""
    headers = {"feature": "bulk-write", "X-CRM-ORG": caller.org}
    sent = {"file": ("leads.zip", zipped())}
    upload = caller.http.post(f"/crm/{version}/upload", headers=headers, files=sent).json()
    assert list(upload) == ["status", "code", "message", "details"]
    assert list(upload["details"]) == ["file_id", "created_time"]
    assert (upload["code"], upload["message"]) == ("FILE_UPLOAD_SUCCESS", "file uploaded.")
    body = json.dumps(caller.insert(upload["details"]["file_id"]))
    created = caller.http.post(f"/crm/bulk/{version}/write", content=body)
    assert created.status_code == 201
    assert list(created.json()) == ["status", "code", "message", "details"]
    assert list(created.json()["details"]) == ["id", "created_by"]
