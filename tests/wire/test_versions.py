"""The details of one job in each version, to the byte (facts 3 to 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec
import pytest

from bulkwright.domain.job import (
    Callback,
    FieldMapping,
    Job,
    JobStatus,
    Operation,
    Person,
    Resource,
    ResourceStatus,
)
from bulkwright.domain.outcome import Counts
from bulkwright.web.json import encode
from bulkwright.zoho.present import jobs as present
from bulkwright.zoho.versions import VERSIONS

CAPTURED = ("v2.1", "v2.2")
DOCUMENTED = ("v3", "v4", "v5", "v6", "v7", "v8")
ACCOUNTS = "111111000000002177"
CONTACTS = "111111000000002179"


def family_job() -> Job:
    """Returns a job with a parent and a child, and with every part that differs by version."""
    parent = Resource(
        module="Accounts",
        module_id=int(ACCOUNTS),
        file_id=1,
        file_name="Accounts.csv",
        mappings=(
            FieldMapping("Account_Name", 0),
            FieldMapping("Industry", None, default="ERP", default_json={"value": "ERP"}),
        ),
        find_by="Account_Name",
        status=ResourceStatus.COMPLETED,
        counts=Counts(added=2, updated=1),
    )
    child = Resource(
        module="Contacts",
        module_id=int(CONTACTS),
        file_id=1,
        file_name="Contacts.csv",
        mappings=(
            FieldMapping("Last_Name", 0),
            FieldMapping("Account_Name", 1, parent_column_index=2),
            FieldMapping("Date_of_Birth", 3, format="yyyy/MM/dd"),
            FieldMapping("What_Id", 4, find_by="id", module="Deals"),
        ),
        status=ResourceStatus.COMPLETED,
        counts=Counts(skipped=4),
    )
    return Job(
        id=111111000002308051,
        org_id=6196138,
        operation=Operation.UPSERT,
        created_by=Person(111111000000035795, "Patricia Boyle"),
        created_time=datetime.fromisoformat("2019-01-30T02:18:15-12:00"),
        time_zone="Etc/GMT+12",
        resources=(parent, child),
        status=JobStatus.COMPLETED,
        character_encoding="UTF-8",
        ignore_empty=True,
        callback=Callback("https://www.zylker.example/done"),
        has_result=True,
    )


def _mapping(name: str, middle: str, default: str = "null") -> str:
    return f'{{"api_name":"{name}",{middle},"default_value":{default}}}'


def _file(name: str, added: int, skipped: int, updated: int) -> str:
    return (
        f'"file":{{"status":"COMPLETED","name":"{name}","added_count":{added},'
        f'"skipped_count":{skipped},"updated_count":{updated},'
        f'"total_count":{added + skipped + updated}}}'
    )


def _mappings(versioned: bool) -> tuple[str, str]:
    none = ',"module":null' if versioned else ""
    deals = ',"module":"Deals"' if versioned else ""
    parent = ',"parent_column_index":2' if versioned else ""
    plain = '"index":{},"format":null,"find_by":null' + none
    accounts = [
        _mapping("Account_Name", plain.format(0)),
        _mapping("Industry", plain.format("null"), '{"value":"ERP"}'),
    ]
    contacts = [
        _mapping("Last_Name", plain.format(0)),
        _mapping("Account_Name", plain.format(1) + parent),
        _mapping("Date_of_Birth", '"index":3,"format":"yyyy/MM/dd","find_by":null' + none),
        _mapping("What_Id", '"index":4,"format":null,"find_by":"id"' + deals),
    ]
    return ",".join(accounts), ",".join(contacts)


def _root(version: str, resources: list[str], callback: str = "", ignore_empty: str = "") -> bytes:
    job = "111111000002308051"
    return (
        '{"status":"COMPLETED","character_encoding":"UTF-8","resource":['
        + ",".join(resources)
        + f'],"id":"{job}",{callback}'
        f'"result":{{"download_url":"/{version}/crm/org6196138/bulk-write/{job}/{job}.zip"}},'
        '"created_by":{"id":"111111000000035795","name":"Patricia Boyle"},'
        f'{ignore_empty}"operation":"upsert","created_time":"2019-01-30T02:18:15-12:00"}}'
    ).encode()


CALLBACK = '"callback":{"url":"https://www.zylker.example/done","method":"post"},'


def test_v2_shows_modules_as_strings_and_no_newer_key() -> None:
    """No code, no callback, no ignore_empty, no module in a mapping (facts 4.1)."""
    one, two = _mappings(versioned=False)
    expected = _root("v2", [
        f'{{"status":"COMPLETED","type":"data","module":"Accounts","field_mappings":[{one}],'
        f'{_file("Accounts.csv", 2, 0, 1)}}}',
        f'{{"status":"COMPLETED","type":"data","module":"Contacts","field_mappings":[{two}],'
        f'{_file("Contacts.csv", 0, 4, 0)}}}',
    ])  # fmt: skip
    assert encode(present.job_details(family_job(), VERSIONS["v2"])) == expected


@pytest.mark.parametrize("version", CAPTURED)
def test_v2_1_is_as_captured(version: str) -> None:
    """`id` before `api_name`, `code` last and equal to the status (facts 4.2); v2.2 like it."""
    one, two = _mappings(versioned=True)
    expected = _root(version, [
        f'{{"status":"COMPLETED","type":"data","module":{{"id":"{ACCOUNTS}","api_name":"Accounts"}}'
        f',"field_mappings":[{one}],{_file("Accounts.csv", 2, 0, 1)},"code":"COMPLETED"}}',
        f'{{"status":"COMPLETED","type":"data","module":{{"id":"{CONTACTS}","api_name":"Contacts"}}'
        f',"field_mappings":[{two}],{_file("Contacts.csv", 0, 4, 0)},"code":"COMPLETED"}}',
    ], CALLBACK, '"ignore_empty":true,')  # fmt: skip
    assert encode(present.job_details(family_job(), VERSIONS[version])) == expected


@pytest.mark.parametrize("version", DOCUMENTED)
def test_newer_versions_are_as_documented(version: str) -> None:
    """`code` after the status, `api_name` before `id` (facts 4.2)."""
    one, two = _mappings(versioned=True)
    module = '{{"api_name":"{}","id":"{}"}}'.format
    expected = _root(version, [
        f'{{"status":"COMPLETED","code":"SUCCESS","type":"data",'
        f'"module":{module("Accounts", ACCOUNTS)},"field_mappings":[{one}],'
        f'{_file("Accounts.csv", 2, 0, 1)}}}',
        f'{{"status":"COMPLETED","code":"SUCCESS","type":"data",'
        f'"module":{module("Contacts", CONTACTS)},"field_mappings":[{two}],'
        f'{_file("Contacts.csv", 0, 4, 0)}}}',
    ], CALLBACK, '"ignore_empty":true,')  # fmt: skip
    assert encode(present.job_details(family_job(), VERSIONS[version])) == expected


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ("v2", "INPROGRESS", None),
        *((v, status, status) for v in CAPTURED for status in ("INPROGRESS", "COMPLETED")),
        *((v, "INPROGRESS", "ADDED") for v in DOCUMENTED),
        *((v, "COMPLETED", "SUCCESS") for v in DOCUMENTED),
    ],
)
def test_the_code_follows_the_status(version: str, status: str, code: str | None) -> None:
    """ADDED until SUCCESS in the pages, the status itself in the capture (facts 4.2)."""
    job = family_job()
    kept = replace(job.resources[0], status=ResourceStatus(status))
    shown = msgspec.json.decode(
        encode(present.job_details(replace(job, resources=(kept,)), VERSIONS[version]))
    )
    assert shown["resource"][0].get("code") == code


def test_all_versions_are_one_of_the_three_above() -> None:
    """A new version needs a test of its own if it differs from these."""
    assert set(VERSIONS) == {"v2", *CAPTURED, *DOCUMENTED}
