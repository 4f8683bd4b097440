"""Import templates: the choices of an import that an org keeps under a name. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.job import Operation
from bulkwright.domain.limits import TEMPLATE_NAME_CHARACTERS


@dataclass(frozen=True, slots=True)
class ImportChoices:
    """How files are imported. Columns have the names of their headers, as in a mapping file."""

    module: str
    operation: Operation
    find_by: str | None = None
    ignore_empty: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    """`FIELD` or `FIELD:FIND_BY` by column; an empty text leaves the column out."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Values of empty cells by field; of every row if no column fills the field."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """Formats by column."""
    all_or_nothing: bool = False
    error_limit: ErrorLimit | None = None


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    """A template in a list."""

    name: str
    module: str
    operation: Operation
    changed_time: datetime
    changed_by: int
    """The id of the user who saved it last."""


@dataclass(frozen=True, slots=True)
class ImportTemplate:
    """A template with its choices."""

    entry: TemplateEntry
    choices: ImportChoices


def target_of(text: str) -> tuple[str, str]:
    """Returns the field and the find_by of `FIELD:FIND_BY`; what is absent is an empty text."""
    name, _, find_by = text.partition(":")
    return name.strip(), find_by.strip()


def check_template_name(name: str) -> None:
    """Raises InvalidData if a text cannot be the name of a template.

    The name is a segment of a path and part of a file name.
    """
    is_plain = name.isprintable() and name == name.strip() and not name.startswith(".")
    if not is_plain or "/" in name or not 0 < len(name) <= TEMPLATE_NAME_CHARACTERS:
        raise InvalidData(
            f"The name of a template has 1 to {TEMPLATE_NAME_CHARACTERS} printable characters "
            "without /, and no blank or dot before them"
        )
