"""Uploads and jobs: domain to wire, for the responses of the API and for callbacks."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from msgspec import UNSET, UnsetType

from bulkwright.domain.job import FieldMapping, Job, JobStatus, Person, Resource
from bulkwright.domain.upload import Upload
from bulkwright.wire import responses as wire
from bulkwright.zoho.versions import Style, Version


def job_details(job: Job, version: Version) -> wire.JobDetails:
    """Returns the details of a job as they are now (facts 4.1, 4.2)."""
    encoding = job.character_encoding
    ignore_empty: bool | UnsetType = UNSET
    callback: wire.CallbackDetails | UnsetType = UNSET
    if version.shows_request:
        ignore_empty = bool(job.ignore_empty)
        if job.callback is not None:
            callback = wire.CallbackDetails(url=job.callback.url, method=job.callback.method)
    return wire.JobDetails(
        status=job.status.value,
        # Absent while ADDED, even when the request named one (facts 4.1).
        character_encoding=encoding if encoding and job.status is not JobStatus.ADDED else UNSET,
        resource=[_resource(r, job.status, version) for r in job.resources],
        id=str(job.id),
        callback=callback,
        result=wire.Result(download_url=download_url(job, version)) if job.has_result else UNSET,
        created_by=person(job.created_by),
        ignore_empty=ignore_empty,
        operation=job.operation.value,
        created_time=moment(job.created_time),
    )


def download_url(job: Job, version: Version) -> str:
    """Returns the path of a job's result, in the version of the request (facts 5)."""
    return f"/{version.name}/crm/org{job.org_id}/bulk-write/{job.id}/{job.id}.zip"


def created(job: Job) -> wire.Created:
    """Returns the response to a create request (facts 3.6)."""
    details = wire.CreatedDetails(id=str(job.id), created_by=person(job.created_by))
    return wire.Created(details=details)


def uploaded(upload: Upload) -> wire.Uploaded:
    """Returns the response to an upload (facts 2.2)."""
    details = wire.UploadDetails(file_id=str(upload.id), created_time=moment(upload.created_time))
    return wire.Uploaded(details=details)


def person(user: Person) -> wire.PersonReference:
    """Returns a reference to a user."""
    return wire.PersonReference(id=str(user.id), name=user.name)


def moment(time: datetime) -> str:
    """Returns a time in ISO 8601, with offset and without fraction: `2019-01-30T02:18:15-12:00`."""
    return time.isoformat(timespec="seconds")


def _resource(resource: Resource, job: JobStatus, version: Version) -> wire.ResourceDetails:
    status = resource.status.value
    codes = version.resource_code
    code = resource.code or codes.get(status, status) if codes else UNSET
    module: object = resource.module
    details: type[wire.ResourceDetails] | type[wire.CapturedResourceDetails] = wire.ResourceDetails
    if version.style is Style.CAPTURE:
        details = wire.CapturedResourceDetails
        module = wire.CapturedModuleReference(id=str(resource.module_id), api_name=resource.module)
    elif version.module_is_object:
        module = wire.ModuleReference(api_name=resource.module, id=str(resource.module_id))
    made = details(
        status=status,
        code=code,
        type="data",
        module=module,  # type: ignore[arg-type]  # each class gets its own kind of module
        field_mappings=[_mapping(m, version) for m in resource.mappings],
        file=_file(resource, job),
    )
    # The two classes differ in the order of their keys only.
    return cast("wire.ResourceDetails", made)


def _mapping(mapping: FieldMapping, version: Version) -> wire.FieldMappingDetails:
    parent = mapping.parent_column_index
    return wire.FieldMappingDetails(
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
    """Returns the CSV of a resource; name and counts once processing has started (facts 4.1)."""
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
