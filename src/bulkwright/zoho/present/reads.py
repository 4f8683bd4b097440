"""Bulk reads as JSON (facts 12)."""

from __future__ import annotations

from bulkwright.domain.criteria import Condition, Criteria, CriteriaGroup
from bulkwright.domain.job import JobStatus, Person
from bulkwright.domain.limits import READ_ROWS
from bulkwright.domain.read_job import ReadJob
from bulkwright.service.read_criteria import LISTED
from bulkwright.zoho.parse.reads import token_of
from bulkwright.zoho.present.jobs import moment
from bulkwright.zoho.versions import Version

Json = dict[str, object]

_STATES = {
    JobStatus.ADDED: "ADDED",
    JobStatus.INPROGRESS: "IN PROGRESS",
    JobStatus.COMPLETED: "COMPLETED",
    JobStatus.FAILED: "FAILURE",
}
"""Other words than those of bulk write."""
_INTERNAL = "INTERNAL_ERROR"
_FAILED: Json = {
    "status": "error",
    "code": "INTERNAL_SERVER_ERROR",
    "message": "Internal server error occurred.",
    "details": {},
}


def created(job: ReadJob) -> Json:
    """Returns the response to a create request."""
    details: Json = {
        "id": str(job.id),
        "operation": "read",
        "state": _STATES[job.status],
        "created_by": _person(job.created_by),
        "created_time": moment(job.created_time),
    }
    one = {
        "status": "success",
        "code": "ADDED_SUCCESSFULLY",
        "message": "Added successfully.",
        "details": details,
    }
    return {"data": [one], "info": {}}


def details(job: ReadJob, version: Version) -> Json:
    """Returns the details of a bulk read as they are now."""
    shown: Json = {
        "id": str(job.id),
        "operation": "read",
        "state": _STATES[job.status],
    }
    result = _result(job, version)
    if result is not None:
        shown["result"] = result
    shown |= {
        "query": _query(job, version),
        "created_by": _person(job.created_by),
        "created_time": moment(job.created_time),
        "file_type": "csv",
    }
    return {"data": [shown]}


def _result(job: ReadJob, version: Version) -> Json | None:
    if job.status is JobStatus.FAILED:
        error = _FAILED
        if job.code != _INTERNAL:
            error = error | {"code": job.code, "message": "The records could not be read."}
        return {"error_message": error}
    if job.status is not JobStatus.COMPLETED or job.read is None:
        return None
    result: Json = {
        "page": job.query.page,
        "per_page": READ_ROWS,
        "count": job.read.rows,
        "download_url": f"/crm/bulk/{version.name}/read/{job.id}/result",
        "more_records": job.read.more,
    }
    if version.read_tokens and job.read.more:
        result["next_page_token"] = token_of(job.id)
    return result


def _query(job: ReadJob, version: Version) -> Json:
    query = job.query
    module: object = job.module
    if version.module_is_object:
        module = {"id": str(job.module_id), "api_name": job.module}
    shown: Json = {"module": module, "page": query.page}
    if query.page_token is not None:
        shown["page_token"] = query.page_token
    if query.fields is not None:
        shown["fields"] = list(query.fields)
    if query.criteria is not None:
        shown["criteria"] = _criteria(query.criteria, job, version)
    return shown


def _criteria(criteria: Criteria, job: ReadJob, version: Version) -> Json:
    if isinstance(criteria, CriteriaGroup):
        parts = [_criteria(part, job, version) for part in criteria.parts]
        return {"group": parts, "group_operator": criteria.junction.value}
    named: Json = {"api_name": criteria.field}
    if version.module_is_object:
        number = job.bound.field_ids.get(criteria.field)
        named = {"field": named | ({} if number is None else {"id": str(number)})}
    return named | {"comparator": criteria.comparator, "value": _value(criteria)}


def _value(condition: Condition) -> object:
    several = condition.comparator in LISTED
    return list(condition.values) if several else condition.values[0]


def _person(user: Person) -> Json:
    return {"id": str(user.id), "name": user.name}
