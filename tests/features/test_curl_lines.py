"""The curl lines of Zoho's pages, run by curl: the responses have the documented shapes.

A line has the options of the sample of its page (version 7) in their order; host, token and ids are
replaced. The bodies have the documented keys, with values of our own.
"""

from __future__ import annotations

import io
import json
import shlex
import shutil
import subprocess
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.caller import Caller
from tests.support.live import Live
from tests.support.processes import until
from tests.support.uploads import zipped

Json = dict[str, Any]
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

WRITTEN = ["code", "details", "message", "status"]
TIMES = ["Modified_Time", "Modified_By", "Created_Time", "id", "Created_By", "$approval_state"]


@dataclass(frozen=True)
class Curl:
    """Runs the lines in a folder, which has their files."""

    live: Live
    token: str
    folder: Path

    def __call__(
        self, line: str, body: object = None, status: int = 200, ids: dict[str, str] | None = None
    ) -> Any:
        """The JSON of the response; `ids` replace those of the line, `body` is its file."""
        if body is not None:
            (self.folder / "input.json").write_text(json.dumps(body))
        sent = line.replace("\n", " ")
        for name, value in (ids or {}).items():
            sent = sent.replace(name, value)
        assert "https://" in sent
        for host in ("https://www.zohoapis.com", "https://content.zohoapis.com"):
            sent = sent.replace(host, self.live.base_url)
        sent = sent.replace("1000.8cb99d.9b8", self.token)
        answer = self.folder / "answer"
        done = subprocess.run(
            [*shlex.split(sent), "-s", "-w", "%{http_code}", "-o", str(answer)],
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        got = answer.read_bytes()
        assert done.stdout == str(status), got
        return json.loads(got) if got[:1] == b"{" else got


@pytest.fixture(scope="module")
def curl(live: Live, caller: Caller, tmp_path_factory: pytest.TempPathFactory) -> Curl:
    """curl with the token of the development user."""
    token = caller.auth["Authorization"].removeprefix("Zoho-oauthtoken ")
    return Curl(live, token, tmp_path_factory.mktemp("curl"))


AUTH = '-H "Authorization: Zoho-oauthtoken 1000.8cb99d.9b8"'
INSERT = f'curl "https://www.zohoapis.com/crm/v7/Leads" {AUTH} -d "@input.json" -X POST'
WORD = uuid.uuid4().hex[:10]
"""A word that only the records of this file have."""


def lead(name: str) -> Json:
    """A record of a body."""
    return {"Last_Name": name, "Company": WORD, "Email": f"{name.lower()}@{WORD}.example",
            "Annual_Revenue": 500, "Phone": "555-0199"}  # fmt: skip


@pytest.fixture(scope="module")
def ids(curl: Curl) -> list[str]:
    """The ids of two leads."""
    body = {"data": [lead("Boyle"), lead("Kay")], "trigger": ["approval", "workflow", "blueprint"]}
    written = curl(INSERT, body, 201)["data"]
    assert [list(one) for one in written] == [WRITTEN] * 2
    assert [list(one["details"]) for one in written] == [TIMES] * 2
    assert {one["message"] for one in written} == {"record added"}
    return [one["details"]["id"] for one in written]


def test_records_are_updated_and_upserted(curl: Curl, ids: list[str]) -> None:
    """One in the path, many in the body, and by a key."""
    path = "https://www.zohoapis.com/crm/v7/Leads"
    one = f'curl "{path}/4150868000003194003" {AUTH} -d "@input.json" -X PUT'
    many = f'curl "{path}" {AUTH} -d "@input.json" -X PUT'
    upsert = f'curl "{path}/upsert" {AUTH} -d "@input.json" -X POST'
    for line, data in (
        (one, [{"City": "Bonn"}]),
        (many, [{"id": number, "City": "Bonn"} for number in ids]),
    ):
        answer = curl(line, {"data": data}, ids={"4150868000003194003": ids[0]})
        assert [list(row) for row in answer["data"]] == [WRITTEN] * len(data)
        assert list(answer["data"][0]["details"]) == TIMES
        assert answer["data"][0]["message"] == "record updated"
    body = {"data": [lead("Boyle"), lead("Third")], "duplicate_check_fields": ["Email"]}
    known, new = curl(upsert, body)["data"]
    assert list(known) == ["code", "duplicate_field", "action", *WRITTEN[1:]]
    assert (known["action"], known["duplicate_field"]) == ("update", "Email")
    assert (new["action"], new["duplicate_field"]) == ("insert", None)


def test_records_are_listed_and_found(curl: Curl, ids: list[str]) -> None:
    """List, get one, search in its four ways, count, deleted."""
    path = "https://www.zohoapis.com/crm/v7/Leads"
    listed = curl(f'curl "{path}?fields=Last_Name,Email&per_page=1" -X GET {AUTH}')
    assert list(listed) == ["data", "info"]
    assert set(listed["data"][0]) == {"Last_Name", "Email", "id"}
    assert set(listed["info"]) == {
        "call", "per_page", "next_page_token", "count", "sort_by", "page", "previous_page_token",
        "page_token_expiry", "sort_order", "email", "more_records",
    }  # fmt: skip
    one = curl(
        f'curl "{path}/3652397000002034003" -X GET {AUTH}', ids={"3652397000002034003": ids[0]}
    )
    assert one["data"][0]["id"] == ids[0]
    for query in (
        rf"criteria=((Last_Name:equals:Boyle)and(Company:starts_with:{WORD}))",
        f"criteria=(Email:in:boyle@{WORD}.example,none@{WORD}.example)&fields=Email,Company",
        f"email=boyle@{WORD}.example",
        f"word={WORD}",
        "phone=555-0199",
        "criteria=Created_Time%3Abetween%3A2024-02-01T18%3A52%3A56%2B00%3A00"
        "%2C2099-02-20T18%3A52%3A56%2B00%3A00",
    ):
        found = curl(f'curl "{path}/search?{query}" -X GET {AUTH}')
        assert ids[0] in [row["id"] for row in found["data"]], query
        assert {"per_page", "count", "page", "more_records"} <= set(found["info"])
    count = curl(f'curl "{path}/actions/count?criteria=(Company:equals:{WORD})" -X GET {AUTH}')
    assert list(count) == ["count"] and count["count"] >= 2


def test_records_are_deleted(curl: Curl) -> None:
    """One in the path, many in a parameter; the list of deleted ones has them."""
    path = "https://www.zohoapis.com/crm/v7/Leads"
    gone = [
        row["details"]["id"]
        for row in curl(INSERT, {"data": [lead(f"Gone{n}") for n in range(3)]}, 201)["data"]
    ]
    one = curl(
        f'curl "{path}/410405000001112011" {AUTH} -X DELETE', ids={"410405000001112011": gone[0]}
    )
    many = curl(
        f'curl "{path}?ids=410888000000698006,410888000000698009&wf_trigger=true" {AUTH} -X DELETE',
        ids={"410888000000698006": gone[1], "410888000000698009": gone[2]},
    )
    for row, number in zip([*one["data"], *many["data"]], gone, strict=True):
        assert row == {"code": "SUCCESS", "details": {"id": number}, "message": "record deleted",
                       "status": "success"}  # fmt: skip
    deleted = curl(f'curl "{path}/deleted?type=all" -X GET {AUTH}')
    row = next(row for row in deleted["data"] if row["id"] == gone[2])
    assert set(row) == {"deleted_by", "id", "display_name", "type", "created_by", "deleted_time"}
    assert set(deleted["info"]) >= {"per_page", "count", "page", "more_records"}


@pytest.mark.usefixtures("ids")
def test_a_query(curl: Curl) -> None:
    """COQL: rows with their ids last, and an aggregate."""
    line = f'curl "https://www.zohoapis.com/crm/v7/coql" {AUTH} -d "@input.json" -X POST'
    where = f"((Last_Name = 'Boyle' and Company = '{WORD}') and id is not null)"
    query = f"select Last_Name, Email, Created_Time from Leads where {where} limit 2"
    answer = curl(line, {"select_query": query})
    assert list(answer) == ["data", "info"]
    assert list(answer["data"][0]) == ["Last_Name", "Email", "Created_Time", "id"]
    assert answer["info"] == {"count": 1, "more_records": False}
    total = curl(line, {"select_query":
        f"select SUM(Annual_Revenue) from Leads where Company = '{WORD}'"})  # fmt: skip
    assert list(total["data"][0]) == ["SUM(Annual_Revenue)"]


def test_settings_and_people(curl: Curl) -> None:
    """What a client asks for first."""
    root = "https://www.zohoapis.com/crm/v7"
    org = curl(f'curl "{root}/org" -X GET {AUTH}')["org"][0]
    assert {"company_name", "zgid", "id", "time_zone", "iso_code"} <= set(org)
    users = curl(f'curl "{root}/users?type=AllUsers" -X GET {AUTH}')
    assert {"id", "email", "full_name", "role", "profile", "status"} <= set(users["users"][0])
    assert {"per_page", "count", "page", "more_records"} <= set(users["info"])
    user = users["users"][0]["id"]
    one = curl(f'curl "{root}/users/554023000000691003" -X GET {AUTH}',
               ids={"554023000000691003": user})  # fmt: skip
    assert one["users"][0]["id"] == user
    modules = curl(f'curl "{root}/settings/modules" -X GET {AUTH}')["modules"]
    assert {"api_name", "module_name", "id", "plural_label"} <= set(modules[0])
    fields = curl(f'curl "{root}/settings/fields?module=Leads" -X GET {AUTH}')["fields"]
    assert {"api_name", "field_label", "data_type", "id", "length"} <= set(fields[0])
    layouts = curl(f'curl "{root}/settings/layouts?module=Leads" -X GET {AUTH}')["layouts"]
    assert {"id", "name", "sections"} <= set(layouts[0])


@pytest.mark.usefixtures("ids")
def test_a_bulk_read(curl: Curl) -> None:
    """Create, details, result."""
    root = "https://www.zohoapis.com/crm/bulk/v7/read"
    create = f'curl "{root}" -X POST {AUTH} -H "Content-Type: application/json" -d "@input.json"'
    criteria = {"field": {"api_name": "Company"}, "comparator": "equal", "value": WORD}
    query = {"module": {"api_name": "Leads"}, "fields": ["Last_Name"], "criteria": criteria}
    (created,) = curl(create, {"query": {**query, "page": 1}, "file_type": "csv"}, 201)["data"]
    assert list(created) == ["status", "code", "message", "details"]
    job = created["details"]["id"]
    details = f'curl "{root}/554023000000568002" -X GET {AUTH}'

    def now() -> Json:
        found: Json = curl(details, ids={"554023000000568002": job})["data"][0]
        return found

    assert until(lambda: now()["state"] == "COMPLETED")
    assert {"page", "per_page", "count", "download_url", "more_records"} <= set(now()["result"])
    zipped_csv = curl(f'curl "{root}/554023000000568002/result" -X GET {AUTH}',
                      ids={"554023000000568002": job})  # fmt: skip
    assert zipped_csv[:2] == b"PK"


def test_a_bulk_write(curl: Curl, live: Live) -> None:
    """Upload, create, details, result: with the host, the file and the header of the page."""
    rows = f"Last_Name,Company,Email\nBulk,{WORD},bulk@{WORD}.example\n"
    (curl.folder / "file.csv.zip").write_bytes(zipped(rows, "Leads.csv"))
    org = live.org_id
    sent = curl(
        f'curl "https://content.zohoapis.com/crm/v7/upload" -X POST {AUTH} '
        '-H "X-CRM-ORG: 56xxxx47" -H "feature: bulk-write" -F "file=@file.csv.zip"',
        ids={"56xxxx47": org},
    )
    assert (sent["code"], list(sent["details"])) == (
        "FILE_UPLOAD_SUCCESS", ["file_id", "created_time"])  # fmt: skip
    mappings = [{"api_name": name, "index": n}
                for n, name in enumerate(("Last_Name", "Company", "Email"))]  # fmt: skip
    resource = {"type": "data", "module": {"api_name": "Leads"}, "field_mappings": mappings,
                "file_id": sent["details"]["file_id"]}  # fmt: skip
    body = {"operation": "insert", "ignore_empty": True, "resource": [resource]}
    root = "https://www.zohoapis.com/crm/bulk/v7/write"
    job = curl(f'curl "{root}" -X POST {AUTH} -d "@input.json"', body, 201)["details"]["id"]

    def now() -> Json:
        found: Json = curl(f'curl "{root}/111111000002308098" {AUTH} -X GET',
                           ids={"111111000002308098": job})  # fmt: skip
        return found

    assert until(lambda: now()["status"] == "COMPLETED")
    done = now()
    assert done["resource"][0]["file"]["added_count"] == 1
    url = done["result"]["download_url"]
    result = curl(f'curl "https://www.zohoapis.com{url.removeprefix(live.base_url)}" {AUTH} -X GET')
    with zipfile.ZipFile(io.BytesIO(result)) as archive:
        (name,) = archive.namelist()
        assert b"ADDED" in archive.read(name)
