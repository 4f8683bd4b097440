"""The examples of the OpenAPI document: the founding page's samples, made by the presenters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib.resources import files

import msgspec

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
from bulkwright.wire import responses as wire
from bulkwright.zoho.present import jobs as present
from bulkwright.zoho.versions import VERSIONS

Json = dict[str, object]

_CREATED = "2019-01-30T02:18:15-12:00"
_JOB = Job(
    id=111111000002308051,
    org_id=6196138,
    operation=Operation.INSERT,
    created_by=Person(111111000000035795, "Patricia Boyle"),
    created_time=datetime.fromisoformat(_CREATED),
    time_zone="Etc/GMT+12",
    resources=(
        Resource(
            module="Deals",
            module_id=111111000000002181,
            file_id=111111000001492610,
            file_name="Accounts.csv",
            mappings=(FieldMapping("Deal_Name", 1), FieldMapping("Stage", 2)),
        ),
    ),
)


def _job_details() -> Json:
    """Returns the job in three states as the founding page shows them, and in newer versions."""
    done = replace(_started(JobStatus.COMPLETED), has_result=True)
    newer = replace(done, ignore_empty=True, callback=Callback("https://www.zylker.example/done"))
    failed = _started(JobStatus.FAILED)
    failed = replace(failed, resources=(replace(failed.resources[0], code="INVALID_FILE_FORMAT"),))
    return {
        "added": _details(_added(), "v2"),
        "in_progress": _details(_started(JobStatus.INPROGRESS), "v2"),
        "completed": _details(done, "v2"),
        "completed_v2_1": _details(newer, "v2.1"),
        "completed_v8": _details(newer, "v8"),
        "failed_v8": _details(failed, "v8"),
        "failed_parent_v8": _details(_failed_parent(failed), "v8"),
    }


def _uploaded() -> Json:
    """Returns an upload (facts 2.2)."""
    details = wire.UploadDetails(file_id=str(_JOB.resources[0].file_id), created_time=_CREATED)
    return {"uploaded": _decoded(wire.Uploaded(details=details))}


def _created() -> Json:
    """Returns a new job (facts 3.6)."""
    return {"created": _decoded(present.created(_JOB))}


def _granted() -> Json:
    """Returns tokens (facts 7.2)."""
    tokens = wire.TokenGranted(
        access_token=f"1000.{'8cb99d' * 5}00.{'9b8f' * 8}",
        scope="ZohoCRM.bulk.ALL",
        api_domain="http://127.0.0.1:8080",
        expires_in=3600,
    )
    return {"granted": _decoded(tokens)}


def _requests() -> Json:
    """Returns bodies of create requests (facts 3.5)."""
    path = files(__package__) / "requests.json"
    bodies: Json = json.loads(path.read_text("utf-8"))
    return bodies


SAMPLES: Mapping[str, Callable[[], Json]] = {
    "job_details": _job_details,
    "uploaded": _uploaded,
    "created": _created,
    "granted": _granted,
    "requests": _requests,
}
"""The examples by the names that routes use."""


def _added() -> Job:
    mappings = (FieldMapping("Deal_Name", 1), FieldMapping("Stage", 132))
    return replace(
        _JOB,
        id=111111000002308098,
        created_time=datetime.fromisoformat("2019-01-30T02:21:32-12:00"),
        resources=(replace(_JOB.resources[0], mappings=mappings),),
    )


def _started(status: JobStatus) -> Job:
    of_resource = ResourceStatus(status.value)
    resource = replace(_JOB.resources[0], status=of_resource, counts=Counts(skipped=100))
    return replace(_JOB, status=status, character_encoding="UTF-8", resources=(resource,))


def _failed_parent(failed: Job) -> Job:
    """Returns the job with a child that was not begun."""
    child = Resource(
        module="Contacts",
        module_id=111111000000002179,
        file_id=111111000001492610,
        file_name="Contacts.csv",
        mappings=(
            FieldMapping("Last_Name", 0),
            FieldMapping("Account_Name", 1, parent_column_index=1),
        ),
        status=ResourceStatus.SKIPPED,
    )
    return replace(failed, resources=(*failed.resources, child))


def _details(job: Job, version: str) -> object:
    return _decoded(present.job_details(job, VERSIONS[version]))


def _decoded(body: object) -> object:
    """Returns a body as plain JSON values, in the order of its keys."""
    return msgspec.json.decode(encode(body))
