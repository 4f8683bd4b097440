"""The examples of the API's description: the founding page's samples, made by the code itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from bulkwright import present
from bulkwright.domain.job import Callback, Job, JobStatus, Mapping, Operation, Person, Resource
from bulkwright.domain.outcome import Counts
from bulkwright.wire import responses as wire
from bulkwright.wire.encode import encode
from bulkwright.wire.versions import VERSIONS

FILE_ID = "111111000001492610"
JOB_ID = "111111000002308051"
ORG = "org6196138"
_DEALS = 111111000000002181
_NEW_JOB = 111111000002308098
_CREATED = "2019-01-30T02:18:15-12:00"
_PATRICIA = Person(111111000000035795, "Patricia Boyle")


def job_details() -> dict[str, object]:
    """The job's three states as the founding page shows them, and the last one in newer shapes."""
    job = _job()
    done = replace(_begun(job, JobStatus.COMPLETED), has_result=True)
    later = replace(done, ignore_empty=True, callback=Callback("https://www.zylker.example/done"))
    return {
        "added": _shown(_added(), "v2"),
        "in_progress": _shown(_begun(job, JobStatus.INPROGRESS), "v2"),
        "completed": _shown(done, "v2"),
        "completed_v2_1": _shown(later, "v2.1"),
        "completed_v8": _shown(later, "v8"),
        "failed_v8": _shown(_failed(), "v8"),
    }


def uploaded() -> object:
    """An acknowledged upload (facts 2.2)."""
    details = wire.UploadDetails(file_id=FILE_ID, created_time=_CREATED)
    return _plain(wire.Uploaded(details=details))


def created() -> object:
    """A created job (facts 3.6)."""
    return _plain(present.created(_job()))


def granted() -> object:
    """Tokens (facts 7.2)."""
    token = f"1000.{'8cb99d' * 5}00.{'9b8f' * 8}"
    return _plain(
        wire.TokenGranted(
            access_token=token,
            scope="ZohoCRM.bulk.ALL",
            api_domain="http://127.0.0.1:8080",
            expires_in=3600,
        )
    )


def requests() -> dict[str, object]:
    """Bodies of create requests (facts 3.5)."""
    lead = {"type": "data", "module": "Leads", "file_id": FILE_ID}
    names = [{"api_name": "Last_Name", "index": 0}, {"api_name": "Email", "index": 1}]
    link = {"api_name": "Account_Name", "index": 1, "parent_column_index": 0}
    child = [{"api_name": "Last_Name", "index": 0}, link]
    parent = [{"api_name": "Account_Name", "index": 0}]
    return {
        "insert": {"operation": "insert", "resource": [{**lead, "field_mappings": names}]},
        "upsert": {
            "operation": "upsert",
            "ignore_empty": True,
            "character_encoding": "UTF-8",
            "callback": {"url": "https://www.zylker.example/done", "method": "post"},
            "resource": [
                {
                    **lead,
                    "module": {"api_name": "Leads"},
                    "find_by": "Email",
                    "field_mappings": [
                        *names,
                        {"api_name": "Lead_Source", "default_value": {"value": "Web"}},
                    ],
                }
            ],
        },
        "by_header": {"operation": "insert", "resource": [lead]},
        "parent_and_child": {
            "operation": "insert",
            "resource": [
                {
                    "type": "data",
                    "module": {"api_name": module},
                    "file_id": FILE_ID,
                    "file_names": [f"{module}.csv"],
                    "field_mappings": mappings,
                }
                for module, mappings in (("Accounts", parent), ("Contacts", child))
            ],
        },
    }


def _job() -> Job:
    deals = Resource(
        module="Deals",
        module_id=_DEALS,
        file_id=int(FILE_ID),
        file_name="Accounts.csv",
        mappings=(Mapping("Deal_Name", 1), Mapping("Stage", 2)),
    )
    return Job(
        id=int(JOB_ID),
        org_id=int(ORG.removeprefix("org")),
        operation=Operation.INSERT,
        created_by=_PATRICIA,
        created_time=datetime.fromisoformat(_CREATED),
        time_zone="Etc/GMT+12",
        resources=(deals,),
    )


def _added() -> Job:
    job = _job()
    mappings = (Mapping("Deal_Name", 1), Mapping("Stage", 132))
    created = datetime.fromisoformat("2019-01-30T02:21:32-12:00")
    resource = replace(job.resources[0], mappings=mappings)
    return replace(job, id=_NEW_JOB, created_time=created, resources=(resource,))


def _begun(job: Job, status: JobStatus) -> Job:
    resource = replace(job.resources[0], status=status, counts=Counts(skipped=100))
    return replace(job, status=status, character_encoding="UTF-8", resources=(resource,))


def _failed() -> Job:
    job = _begun(_job(), JobStatus.FAILED)
    return replace(job, resources=(replace(job.resources[0], code="INVALID_FILE_FORMAT"),))


def _shown(job: Job, version: str) -> object:
    return _plain(present.job_details(job, VERSIONS[version]))


def _plain(body: object) -> object:
    """A body as JSON holds it, keys in their order."""
    return msgspec.json.decode(encode(body))
