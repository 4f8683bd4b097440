"""The bodies that a client sends. Absent keys are left out, not null (client contract 4).

The server does not decode with these structs, because an error has to name the exact key that is
wrong. `zoho/parse/jobs.py` does that.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

# The constraints are documentation: the OpenAPI document shows them, and no decoder checks them.
_Operation = Annotated[str, Meta(extra_json_schema={"enum": ["insert", "update", "upsert"]})]
_ResourceType = Annotated[str, Meta(extra_json_schema={"enum": ["data"]})]
_Method = Annotated[str, Meta(extra_json_schema={"pattern": "^[Pp][Oo][Ss][Tt]$"})]
_Index = Annotated[int, Meta(extra_json_schema={"minimum": 0})]
_Text = Annotated[str, Meta(extra_json_schema={"minLength": 1})]


class ModuleName(Struct, frozen=True, kw_only=True):
    """A module in a request from v2.1 on (facts 3.2)."""

    api_name: str


class DefaultValue(Struct, frozen=True, kw_only=True):
    """The value of empty cells, or of every row if the mapping has no index (facts 3.3)."""

    value: _Text | int | float | bool


class NewFieldMapping(Struct, frozen=True, kw_only=True):
    """The column that fills a field (facts 3.3)."""

    api_name: str
    index: _Index | UnsetType = UNSET
    format: str | UnsetType = UNSET
    find_by: str | UnsetType = UNSET
    module: str | UnsetType = UNSET
    parent_column_index: _Index | UnsetType = UNSET
    default_value: DefaultValue | UnsetType = UNSET


FieldMapping = NewFieldMapping
"""The earlier name of `NewFieldMapping`, for programs that use the client."""


_Mappings = Annotated[list[NewFieldMapping], Meta(extra_json_schema={"minItems": 1})]


class NewCallback(Struct, frozen=True, kw_only=True):
    """The URL that is called when the job has ended (facts 3.2)."""

    url: str
    method: _Method = "post"


class NewResource(Struct, frozen=True, kw_only=True):
    """One module and the file with its records (facts 3.2)."""

    type: _ResourceType = "data"
    module: str | ModuleName
    file_id: str
    file_names: list[str] | UnsetType = UNSET
    find_by: str | UnsetType = UNSET
    ignore_empty: bool | UnsetType = UNSET
    field_mappings: _Mappings | UnsetType = UNSET


class WriteRequest(Struct, frozen=True, kw_only=True):
    """The body of a create request (facts 3.2)."""

    operation: _Operation
    character_encoding: str | UnsetType = UNSET
    ignore_empty: bool | UnsetType = UNSET
    callback: NewCallback | UnsetType = UNSET
    resource: Annotated[list[NewResource], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})]
