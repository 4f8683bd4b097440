"""The bodies of `/api/v1` about import templates."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bulkwright.wire.own import LongText, StopAfter

_Pattern = Annotated[str, Meta(min_length=1)]


class MappingFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which columns fill which fields: the content of a file for `bulkwright write --mapping`."""

    map: dict[str, str] = {}
    """By column: `FIELD`, `FIELD:FIND_BY` for a lookup, or an empty text for a column left out. A
    column is named by its header, or by its place: `column 3`."""
    default: dict[str, LongText] = {}
    """By field: the value of empty cells; of every row, if no column fills the field."""
    format: dict[str, _Pattern] = {}
    """By column: `dd.MM.yyyy`."""


class NewTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The choices of an import."""

    module: str
    """API name."""
    operation: Literal["insert", "update", "upsert"]
    find_by: str | None = None
    """The field that identifies a record. Update and upsert need it."""
    ignore_empty: bool = False
    """Whether an empty cell leaves its field unchanged."""
    mapping: MappingFile = MappingFile()
    on_error: Literal["continue", "all_or_nothing"] | StopAfter = "continue"
    """What becomes of the job when rows are skipped."""


class TemplateSnapshot(Struct, frozen=True, kw_only=True):
    """An import template."""

    name: str
    module: str
    operation: str
    find_by: str | None
    ignore_empty: bool
    mapping: MappingFile
    on_error: Literal["continue", "all_or_nothing"] | StopAfter
    changed_time: str
    changed_by: str
    """The id of the user who saved it last."""


class TemplateSummary(Struct, frozen=True, kw_only=True):
    """An import template in the list."""

    name: str
    module: str
    operation: str
    changed_time: str
    changed_by: str
    """The id of the user who saved it last."""


class TemplateDeletion(Struct, frozen=True, kw_only=True):
    """An import template that was deleted."""

    name: str


class TemplateList(Struct, frozen=True, kw_only=True):
    """All import templates of the org, by name."""

    templates: list[TemplateSummary]
