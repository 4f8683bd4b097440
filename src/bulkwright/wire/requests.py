"""Bodies that a client sends. Absent keys are left out, not null (client contract 4).

The server does not decode with these: it has to name the exact key that is wrong, which
`api/parse.py` does.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class ModuleRef(Struct, frozen=True, kw_only=True):
    """A module from v2.1 on (facts 3.2)."""

    api_name: str


class DefaultValue(Struct, frozen=True, kw_only=True):
    """What fills empty cells, or every row where there is no index (facts 3.3)."""

    value: str | int | float | bool | None


class FieldMapping(Struct, frozen=True, kw_only=True):
    """Which column fills which field (facts 3.3)."""

    api_name: str
    index: int | UnsetType = UNSET
    format: str | UnsetType = UNSET
    find_by: str | UnsetType = UNSET
    module: str | UnsetType = UNSET
    parent_column_index: int | UnsetType = UNSET
    default_value: DefaultValue | UnsetType = UNSET


class Callback(Struct, frozen=True, kw_only=True):
    """Where to tell that the job has ended (facts 3.2)."""

    url: str
    method: str = "post"


class Resource(Struct, frozen=True, kw_only=True):
    """One module and the file for it (facts 3.2)."""

    type: str = "data"
    module: str | ModuleRef
    file_id: str
    file_names: list[str] | UnsetType = UNSET
    find_by: str | UnsetType = UNSET
    ignore_empty: bool | UnsetType = UNSET
    field_mappings: list[FieldMapping] | UnsetType = UNSET


class WriteRequest(Struct, frozen=True, kw_only=True):
    """The body of a create request (facts 3.2)."""

    operation: str
    character_encoding: str | UnsetType = UNSET
    ignore_empty: bool | UnsetType = UNSET
    callback: Callback | UnsetType = UNSET
    resource: list[Resource]
