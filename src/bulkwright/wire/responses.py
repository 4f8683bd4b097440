"""The bodies that the server sends. Key order, absent keys and explicit nulls are exact.

`UNSET` is an absent key, `None` an explicit null (facts 4.1). Ids are always strings of digits
(client contract 1.3). The client decodes with the same structs; `module` may have either shape.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

# The constraints are documentation: the OpenAPI document shows them, and no decoder checks them.
_Status = Annotated[
    str, Meta(extra_json_schema={"enum": ["ADDED", "INPROGRESS", "COMPLETED", "FAILED"]})
]
_ResourceStatus = Annotated[
    str, Meta(extra_json_schema={"enum": ["INPROGRESS", "COMPLETED", "FAILED", "SKIPPED"]})
]
_Operation = Annotated[str, Meta(extra_json_schema={"enum": ["insert", "update", "upsert"]})]
_ResourceType = Annotated[str, Meta(extra_json_schema={"enum": ["data"]})]
_Id = Annotated[str, Meta(extra_json_schema={"pattern": "^[1-9][0-9]{0,17}$"})]
_Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class PersonReference(Struct, frozen=True):
    """A user as a reference (facts 4.1)."""

    id: str
    name: str


class ModuleReference(Struct, frozen=True, kw_only=True):
    """A module from v2.1 on, in the key order of the pages of v3 to v8 (facts 4.2)."""

    api_name: str
    id: str | UnsetType = UNSET


class CapturedModuleReference(Struct, frozen=True, kw_only=True):
    """A module as the real v2.1 returns it: `id` first (facts 4.2, capture)."""

    id: str
    api_name: str


class FieldMappingDetails(Struct, frozen=True, kw_only=True):
    """One mapping. A key that the request lacks is null (facts 4.1; order of v7, facts 4.2)."""

    api_name: str
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    module: str | UnsetType | None = UNSET
    parent_column_index: int | UnsetType | None = UNSET
    default_value: object = None


class File(Struct, frozen=True, kw_only=True):
    """The CSV of a resource. It has a name and counts once processing has started (facts 4.1)."""

    status: _ResourceStatus
    name: str | UnsetType = UNSET
    added_count: int | UnsetType = UNSET
    skipped_count: int | UnsetType = UNSET
    updated_count: int | UnsetType = UNSET
    total_count: int | UnsetType = UNSET


class ResourceDetails(Struct, frozen=True, kw_only=True):
    """The part of a job for one module, in the key order of the pages of v3 to v8 (facts 4.2)."""

    status: _ResourceStatus
    code: str | UnsetType = UNSET
    type: _ResourceType
    module: str | ModuleReference
    field_mappings: list[FieldMappingDetails]
    file: File


class CapturedResourceDetails(Struct, frozen=True, kw_only=True):
    """A resource as the real v2.1 returns it: `code` last (facts 4.2, capture)."""

    status: _ResourceStatus
    type: str
    module: CapturedModuleReference
    field_mappings: list[FieldMappingDetails]
    file: File
    code: str | UnsetType = UNSET


class CallbackDetails(Struct, frozen=True, kw_only=True):
    """The URL that is called when the job has ended (facts 6)."""

    url: str
    method: str


class Result(Struct, frozen=True, kw_only=True):
    """The path of the result (facts 5)."""

    download_url: str


class JobDetails(Struct, frozen=True, kw_only=True):
    """The response of Get Bulk Write Job Details, and the body of a callback (facts 4.1, 6)."""

    status: _Status
    character_encoding: str | UnsetType = UNSET
    resource: list[ResourceDetails]
    id: _Id
    callback: CallbackDetails | UnsetType = UNSET
    result: Result | UnsetType = UNSET
    created_by: PersonReference
    ignore_empty: bool | UnsetType = UNSET
    operation: _Operation
    created_time: _Time


class UploadDetails(Struct, frozen=True, kw_only=True):
    """The id of a new upload, and its time (facts 2.2)."""

    file_id: _Id
    created_time: _Time


class Uploaded(Struct, frozen=True, kw_only=True):
    """The response to an upload, in the key order of the documentation (facts 2.2)."""

    status: str = "success"
    code: str = "FILE_UPLOAD_SUCCESS"
    message: str = "file uploaded."
    details: UploadDetails


class CreatedDetails(Struct, frozen=True, kw_only=True):
    """The id of a new job (facts 3.6)."""

    id: _Id
    created_by: PersonReference


class Created(Struct, frozen=True, kw_only=True):
    """The response to a create request (facts 3.6)."""

    status: str = "success"
    code: str = "SUCCESS"
    message: str = "success"
    details: CreatedDetails


class Problem(Struct, frozen=True, kw_only=True):
    """The body of every error. It always has all four keys (client contract 1.8)."""

    code: str
    details: dict[str, object]
    message: str
    status: str = "error"


class GatewayProblem(
    Struct, frozen=True, kw_only=True, rename={"x_error": "x-error", "x_info": "x-info"}
):
    """The error body of the upload and download hosts (facts 2.3, client contract 3)."""

    status: str = "error"
    info: str = "Forbidden"
    x_error: str | UnsetType = UNSET
    x_info: str = "Link not valid"
    http_status: str


class TokenGranted(Struct, frozen=True, kw_only=True):
    """The response of the token endpoint (facts 7.2).

    It must not have the key `expires_in_sec`: if it had, clients would read `expires_in` as
    milliseconds (client contract 2).
    """

    access_token: str
    refresh_token: str | UnsetType = UNSET
    scope: str
    api_domain: str
    token_type: str = "Bearer"  # noqa: S105 - the type of a token
    expires_in: int


class TokenRefused(Struct, frozen=True, kw_only=True):
    """An error of the token endpoint. Clients raise an exception with its text (facts 7.2)."""

    error: str


class TokensDenied(Struct, frozen=True, kw_only=True):
    """The response to a client that sends too many token requests (facts 7.2)."""

    error_description: str = (
        "You have made too many requests continuously. Please try again after some time."
    )
    error: str = "Access Denied"
    status: str = "failure"
