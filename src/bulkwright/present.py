"""Domain to wire. The API answers with it, the callback posts it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from msgspec import UNSET, UnsetType

from bulkwright.domain.job import Job, JobStatus, Mapping, Person, Resource
from bulkwright.domain.upload import Upload
from bulkwright.wire import responses as wire
from bulkwright.wire.versions import Style, Version


def job_details(job: Job, version: Version) -> wire.JobDetails:
    """A job as it stands now (facts 4.1, 4.2)."""
    encoding = job.character_encoding
    shown: bool | UnsetType = UNSET
    callback: wire.Callback | UnsetType = UNSET
    if version.shows_request:
        shown = bool(job.ignore_empty)
        if job.callback is not None:
            callback = wire.Callback(url=job.callback.url, method=job.callback.method)
    return wire.JobDetails(
        status=job.status.value,
        # Absent while ADDED, even when the request named one (facts 4.1).
        character_encoding=encoding if encoding and job.status is not JobStatus.ADDED else UNSET,
        resource=[_resource(r, job.status, version) for r in job.resources],
        id=str(job.id),
        callback=callback,
        result=wire.Result(download_url=download_url(job, version)) if job.has_result else UNSET,
        created_by=person(job.created_by),
        ignore_empty=shown,
        operation=job.operation.value,
        created_time=moment(job.created_time),
    )


def download_url(job: Job, version: Version) -> str:
    """The path of a job's result, in the version that was asked (founding page; facts 5)."""
    return f"/{version.name}/crm/org{job.org_id}/bulk-write/{job.id}/{job.id}.zip"


def created(job: Job) -> wire.Created:
    """The answer to a create request (facts 3.6)."""
    details = wire.CreatedDetails(id=str(job.id), created_by=person(job.created_by))
    return wire.Created(details=details)


def uploaded(upload: Upload) -> wire.Uploaded:
    """The answer to an upload (facts 2.2)."""
    details = wire.UploadDetails(file_id=str(upload.id), created_time=moment(upload.created_time))
    return wire.Uploaded(details=details)


def person(user: Person) -> wire.Person:
    """A user as a reference."""
    return wire.Person(id=str(user.id), name=user.name)


def moment(time: datetime) -> str:
    """ISO 8601 with a numeric offset and no fraction: `2019-01-30T02:18:15-12:00`."""
    return time.isoformat(timespec="seconds")


def _resource(resource: Resource, job: JobStatus, version: Version) -> wire.Resource:
    status = resource.status.value
    known = version.resource_code
    code = resource.code or known.get(status, status) if known else UNSET
    module: object = resource.module
    shape: type[wire.Resource] | type[wire.CapturedResource] = wire.Resource
    if version.style is Style.CAPTURE:
        shape = wire.CapturedResource
        module = wire.CapturedModuleRef(id=str(resource.module_id), api_name=resource.module)
    elif version.module_is_object:
        module = wire.ModuleRef(api_name=resource.module, id=str(resource.module_id))
    made = shape(
        status=status,
        code=code,
        type="data",
        module=module,  # type: ignore[arg-type]  # each shape gets the module that it names
        field_mappings=[_mapping(m, version) for m in resource.mappings],
        file=_file(resource, job),
    )
    # The shapes differ in key order only, which no type can say.
    return cast("wire.Resource", made)


def _mapping(mapping: Mapping, version: Version) -> wire.FieldMapping:
    parent = mapping.parent_column_index
    return wire.FieldMapping(
        api_name=mapping.api_name,
        index=mapping.index,
        format=mapping.format,
        find_by=mapping.find_by,
        module=mapping.module if version.mapping_module else UNSET,
        parent_column_index=(
            parent if version.parent_column_index and parent is not None else UNSET
        ),
        default_value=mapping.default_json,
    )


def _file(resource: Resource, job: JobStatus) -> wire.File:
    """The CSV of a resource; its name and counts once processing has started (facts 4.1)."""
    if job is JobStatus.ADDED:
        return wire.File(status=resource.status.value)
    counts = resource.counts
    return wire.File(
        status=resource.status.value,
        name=resource.file_name,
        added_count=counts.added,
        skipped_count=counts.skipped,
        updated_count=counts.updated,
        total_count=counts.total,
    )
