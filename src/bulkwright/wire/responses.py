"""Bodies that the service sends: field order, absent keys and explicit nulls are exact.

`UNSET` is an absent key, `None` an explicit null (facts 4.1). Ids are strings of digits, always
(client contract 1.3). A client decodes with these same structs; `module` may be either shape.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class Person(Struct, frozen=True):
    """A user as a reference (facts 4.1)."""

    id: str
    name: str


class ModuleRef(Struct, frozen=True, kw_only=True):
    """A module from v2.1 on, as the pages of v3 to v8 show it (facts 4.2)."""

    api_name: str
    id: str | UnsetType = UNSET


class CapturedModuleRef(Struct, frozen=True, kw_only=True):
    """A module as the real v2.1 answers it: `id` first (facts 4.2, capture)."""

    id: str
    api_name: str


class FieldMapping(Struct, frozen=True, kw_only=True):
    """One mapping; what was not given is null, never absent (facts 4.1; order of v7, facts 4.2)."""

    api_name: str
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    module: str | UnsetType | None = UNSET
    parent_column_index: int | UnsetType | None = UNSET
    default_value: object = None


class File(Struct, frozen=True, kw_only=True):
    """The CSV of a resource; name and counts once processing has started (facts 4.1)."""

    status: str
    name: str | UnsetType = UNSET
    added_count: int | UnsetType = UNSET
    skipped_count: int | UnsetType = UNSET
    updated_count: int | UnsetType = UNSET
    total_count: int | UnsetType = UNSET


class Resource(Struct, frozen=True, kw_only=True):
    """One module's part of a job; `code` stands where the pages of v3 to v8 put it (facts 4.2)."""

    status: str
    code: str | UnsetType = UNSET
    type: str
    module: str | ModuleRef
    field_mappings: list[FieldMapping]
    file: File


class CapturedResource(Struct, frozen=True, kw_only=True):
    """The same as the real v2.1 answers it: `code` last (facts 4.2, capture)."""

    status: str
    type: str
    module: CapturedModuleRef
    field_mappings: list[FieldMapping]
    file: File
    code: str | UnsetType = UNSET


class Callback(Struct, frozen=True, kw_only=True):
    """Where the caller is told that the job has ended (facts 6)."""

    url: str
    method: str


class Result(Struct, frozen=True, kw_only=True):
    """Where the result lies (facts 5)."""

    download_url: str


class JobDetails(Struct, frozen=True, kw_only=True):
    """The answer of Get Bulk Write Job Details, and the body of a callback (facts 4.1, 6)."""

    status: str
    character_encoding: str | UnsetType = UNSET
    resource: list[Resource]
    id: str
    callback: Callback | UnsetType = UNSET
    result: Result | UnsetType = UNSET
    created_by: Person
    ignore_empty: bool | UnsetType = UNSET
    operation: str
    created_time: str


class UploadDetails(Struct, frozen=True, kw_only=True):
    """What an upload is known by from now on (facts 2.2)."""

    file_id: str
    created_time: str


class Uploaded(Struct, frozen=True, kw_only=True):
    """The answer to an upload; key order of the documentation (facts 2.2)."""

    status: str = "success"
    code: str = "FILE_UPLOAD_SUCCESS"
    message: str = "file uploaded."
    details: UploadDetails


class CreatedDetails(Struct, frozen=True, kw_only=True):
    """The id of a new job (facts 3.6)."""

    id: str
    created_by: Person


class Created(Struct, frozen=True, kw_only=True):
    """The answer to a create request (facts 3.6)."""

    status: str = "success"
    code: str = "SUCCESS"
    message: str = "success"
    details: CreatedDetails


class Problem(Struct, frozen=True, kw_only=True):
    """The envelope of every error: all four keys, always (client contract 1.8)."""

    code: str
    details: dict[str, object]
    message: str
    status: str = "error"


class GatewayProblem(
    Struct, frozen=True, kw_only=True, rename={"x_error": "x-error", "x_info": "x-info"}
):
    """The upload and download hosts' own error shape (facts 2.3, client contract 3)."""

    status: str = "error"
    info: str = "Forbidden"
    x_error: str | UnsetType = UNSET
    x_info: str = "Link not valid"
    http_status: str


class TokenGranted(Struct, frozen=True, kw_only=True):
    """The token endpoint's answer (facts 7.2).

    `expires_in_sec` must not be there: with it clients take `expires_in` for milliseconds
    (client contract 2).
    """

    access_token: str
    refresh_token: str | UnsetType = UNSET
    scope: str
    api_domain: str
    token_type: str = "Bearer"  # noqa: S105 - a kind of token, not one
    expires_in: int


class TokenRefused(Struct, frozen=True, kw_only=True):
    """The token endpoint's own error; the text becomes the client's exception (facts 7.2)."""

    error: str


class TokensDenied(Struct, frozen=True, kw_only=True):
    """The token endpoint's answer to a client that asks too often (facts 7.2)."""

    error_description: str = (
        "You have made too many requests continuously. Please try again after some time."
    )
    error: str = "Access Denied"
    status: str = "failure"
