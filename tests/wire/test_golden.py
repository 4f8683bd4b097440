"""The sample responses of the founding page, to the byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

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
from bulkwright.wire.responses import JobDetails
from bulkwright.zoho.present import jobs as present
from bulkwright.zoho.versions import VERSIONS

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = ("added", "in_progress", "completed")


def golden(name: str) -> bytes:
    """Returns a sample response without its white space."""
    return (GOLDEN / f"{name}.json").read_bytes().rstrip()


def sample_job() -> Job:
    """Returns the job of the second and third samples before it begins."""
    resource = Resource(
        module="Deals",
        module_id=111111000000002181,
        file_id=111111000001492610,
        file_name="Accounts.csv",
        mappings=(FieldMapping("Deal_Name", 1), FieldMapping("Stage", 2)),
    )
    return Job(
        id=111111000002308051,
        org_id=6196138,
        operation=Operation.INSERT,
        created_by=Person(111111000000035795, "Patricia Boyle"),
        created_time=datetime.fromisoformat("2019-01-30T02:18:15.999999-12:00"),
        time_zone="Etc/GMT+12",
        resources=(resource,),
    )


def begun(job: Job, status: JobStatus) -> Job:
    """Returns the job after its 100 rows were skipped."""
    of_resource = ResourceStatus(status.value)
    resource = replace(job.resources[0], status=of_resource, counts=Counts(skipped=100))
    return replace(job, status=status, character_encoding="UTF-8", resources=(resource,))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_decode_and_encode_again_to_the_byte(name: str) -> None:
    """Absent keys stay absent, explicit nulls stay nulls, the order stays."""
    details = msgspec.json.decode(golden(name), type=JobDetails, strict=True)
    assert encode(details) == golden(name)


def test_a_job_that_was_only_added_is_presented_as_in_the_sample() -> None:
    """No encoding, no counts and no result, even if the request had an encoding."""
    job = sample_job()
    resource = replace(
        job.resources[0], mappings=(FieldMapping("Deal_Name", 1), FieldMapping("Stage", 132))
    )
    job = replace(
        job,
        id=111111000002308098,
        created_time=datetime.fromisoformat("2019-01-30T02:21:32-12:00"),
        resources=(resource,),
        character_encoding="UTF-8",
    )
    assert encode(present.job_details(job, VERSIONS["v2"])) == golden("added")


def test_a_job_in_progress_is_presented_as_in_the_sample() -> None:
    """Encoding, file name and counts are present once processing has started."""
    job = begun(sample_job(), JobStatus.INPROGRESS)
    assert encode(present.job_details(job, VERSIONS["v2"])) == golden("in_progress")


def test_a_completed_job_is_presented_as_in_the_sample() -> None:
    """A job whose rows were all skipped is COMPLETED and has a result."""
    job = replace(begun(sample_job(), JobStatus.COMPLETED), has_result=True)
    assert encode(present.job_details(job, VERSIONS["v2"])) == golden("completed")


def test_v2_1_is_presented_as_captured_from_the_real_service() -> None:
    """`id` before `api_name`, `code` last; the download URL is ours (facts 4.2)."""
    job = sample_job()
    resource = replace(
        job.resources[0],
        module="Leads",
        module_id=4150868000000002175,
        mappings=(FieldMapping("Owner", 2),),
        status=ResourceStatus.COMPLETED,
        file_name="Fil2.csv",
        counts=Counts(added=9, skipped=2),
    )
    job = replace(
        job,
        id=4150868000005350003,
        org_id=694902309,
        created_by=Person(4150868000000225013, "Patricia Boyle"),
        created_time=datetime.fromisoformat("2021-05-11T12:38:29+05:30"),
        status=JobStatus.COMPLETED,
        character_encoding="UTF-8",
        ignore_empty=True,
        callback=Callback("https://www.zoho.com/"),
        has_result=True,
        resources=(resource,),
    )
    assert encode(present.job_details(job, VERSIONS["v2.1"])) == golden("v2_1_completed")


@pytest.mark.parametrize("version", sorted(set(VERSIONS) - {"v2"}))
def test_newer_versions_show_modules_as_objects(version: str) -> None:
    """The download URL has the version of the request (client contract 1.4)."""
    job = replace(begun(sample_job(), JobStatus.COMPLETED), has_result=True)
    shown = msgspec.json.decode(encode(present.job_details(job, VERSIONS[version])))
    resource = shown["resource"][0]
    assert resource["module"] == {"api_name": "Deals", "id": "111111000000002181"}
    assert resource["code"] in ("SUCCESS", "COMPLETED")
    assert "module" in resource["field_mappings"][0]
    assert shown["ignore_empty"] is False
    assert "callback" not in shown
    assert shown["result"]["download_url"].startswith(f"/{version}/crm/org6196138/bulk-write/")


def test_a_failed_job_shows_its_code_from_v2_1_on() -> None:
    """The same shape without a result; `resource[].code` is the reason (facts 12)."""
    job = begun(sample_job(), JobStatus.FAILED)
    failed = replace(job, resources=(replace(job.resources[0], code="FILE_NOT_SUPPORTED"),))
    newer = msgspec.json.decode(encode(present.job_details(failed, VERSIONS["v7"])))
    assert newer["resource"][0]["code"] == "FILE_NOT_SUPPORTED"
    assert "result" not in newer
    older = msgspec.json.decode(encode(present.job_details(failed, VERSIONS["v2"])))
    assert "code" not in older["resource"][0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë", b'"Zo\\u00eb"'),
        ("Ķ€", b'"\\u0136\\u20ac"'),
        ("😀", b'"\\ud83d\\ude00"'),
        ('a"b\\c\n', b'"a\\"b\\\\c\\n"'),
        ("\x7f", b'"\x7f"'),
    ],
)
def test_responses_are_ascii(text: str, shown: bytes) -> None:
    """The browser SDK reads responses as Latin-1 (client contract 5)."""
    assert encode(text) == shown
    assert msgspec.json.decode(encode(text)) == text
