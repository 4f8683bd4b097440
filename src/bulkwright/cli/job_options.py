"""The options of `write` that describe a job, and what they state about columns and fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bulkwright.cli.documents import read_document
from bulkwright.cli.failure import fail
from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.type_formats import TypeFormats
from bulkwright.service.columns import Stated, StatedColumn

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "colon": ":"}
_SECTIONS = ("map", "default", "format")
"""The sections of a mapping file; each is named after an option."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The job that is created for the file."""

    module: Annotated[str, Parameter(help="API name of the module.")]
    operation: Annotated[
        Literal["insert", "update", "upsert"],
        Parameter(metavar="NAME", help="insert, update or upsert."),
    ]
    find_by: Annotated[str | None, Parameter(help="The field that identifies a row's record.")] = (
        None
    )
    map_: Annotated[
        list[str] | None,
        Parameter(
            name="--map",
            metavar="COLUMN=FIELD",
            negative_iterable="",
            help="The field of a column. COLUMN=FIELD:FIND_BY for a lookup; COLUMN= leaves it out. "
            "Other columns fill the fields that their headers name. Repeatable.",
        ),
    ] = None
    default: Annotated[
        list[str] | None,
        Parameter(
            metavar="FIELD=VALUE",
            negative_iterable="",
            help="Value of empty cells. Of every row, if no column fills the field. Repeatable.",
        ),
    ] = None
    format: Annotated[
        list[str] | None,
        Parameter(
            metavar="COLUMN=PATTERN",
            negative_iterable="",
            help="Format of a column: Birthday=dd.MM.yyyy. Repeatable.",
        ),
    ] = None
    date_format: Annotated[
        str | None, Parameter(help="Format of all dates without another one: dd.MM.yyyy.")
    ] = None
    datetime_format: Annotated[str | None, Parameter(help="Of all date-times.")] = None
    number_format: Annotated[
        str | None, Parameter(help="Of all numbers: #.###,## for a decimal comma.")
    ] = None
    boolean_format: Annotated[
        str | None, Parameter(help="Words of all boolean fields: ja/nein.")
    ] = None
    mapping: Annotated[
        Path | None,
        Parameter(
            help="A file that states --map, --default, --format. docs/write.md has its form."
        ),
    ] = None
    ignore_columns: Annotated[
        bool, Parameter(negative="", help="Leave out columns that name no field.")
    ] = False
    ignore_empty: Annotated[
        bool, Parameter(negative="", help="An empty cell leaves its field unchanged.")
    ] = False
    encoding: Annotated[
        str | None, Parameter(help="Encoding of the CSV. Default: found from the file.")
    ] = None

    delimiter: Annotated[
        Literal["comma", "semicolon", "tab", "bar", "colon"] | None,
        Parameter(metavar="NAME", help="What separates columns. Default: found from the file."),
    ] = None

    file_format: Annotated[
        Literal["csv", "tsv", "jsonl", "parquet", "xlsx", "zip"] | None,
        Parameter(metavar="NAME", help="What the file is. Default: found from the file."),
    ] = None
    sheet: Annotated[str | None, Parameter(help="The sheet of a workbook that has several.")] = None
    max_errors: Annotated[
        str | None,
        Parameter(
            metavar="ROWS|N%",
            help="End the job when more rows than this are skipped: 100, or 2% of those done. What "
            "is stored stays. Default: no limit.",
        ),
    ] = None

    all_or_nothing: Annotated[
        bool,
        Parameter(negative="", help="If one row is skipped, nothing of the file stays."),
    ] = False
    priority: Annotated[
        Literal["low", "normal", "high"],
        Parameter(metavar="NAME", help="Which jobs of the org are run first: low, normal or high."),
    ] = "normal"

    @property
    def error_limit(self) -> ErrorLimit | None:
        """How many rows may be skipped; ends the command if the option cannot be read."""
        text = self.max_errors
        if text is None:
            return None
        if self.all_or_nothing:
            fail("--all-or-nothing allows no skipped row; leave out --max-errors.")
        if re.fullmatch("[0-9]{1,15}", text):
            return ErrorLimit(rows=int(text))
        if not re.fullmatch("[0-9]{1,2}(?:[.][0-9]{1,6})?%", text):
            fail(f"--max-errors {text}: give a number of rows or a percentage, such as 100 or 2%.")
        return ErrorLimit(percent=float(text[:-1]))

    def of_own_api(self) -> list[str]:
        """Returns the names of the given options for which only the service's own API has a place.

        Zoho finds the delimiter by itself, so --delimiter is another matter.
        """
        given = {
            "--max-errors": self.max_errors,
            "--all-or-nothing": self.all_or_nothing,
            "--priority": self.priority != "normal",
        }
        return [name for name, value in given.items() if value]

    @property
    def delimiters(self) -> str:
        """The delimiters that the file may have: the named one, or all."""
        return _DELIMITERS[self.delimiter] if self.delimiter else "".join(_DELIMITERS.values())

    def stated(self) -> Stated:
        """Returns what the mapping file and the options state; an option has priority."""
        sections = _mapping_file(self.mapping) if self.mapping else {}
        maps = {**sections.get("map", {}), **dict(_pairs("--map", self.map_, "COLUMN=FIELD"))}
        return Stated(
            columns=tuple(_column(column, target) for column, target in maps.items()),
            defaults={
                **sections.get("default", {}),
                **dict(_pairs("--default", self.default, "FIELD=VALUE")),
            },
            formats={
                **sections.get("format", {}),
                **dict(_pairs("--format", self.format, "COLUMN=PATTERN")),
            },
            of_types=self.type_formats,
        )

    @property
    def type_formats(self) -> TypeFormats:
        """Formats of columns that have none of their own."""
        return TypeFormats(
            self.date_format, self.datetime_format, self.number_format, self.boolean_format
        )


def _pairs(option: str, texts: Sequence[str] | None, form: str) -> Iterator[tuple[str, str]]:
    """Yields the two sides of each text; ends the command if one has no `=`, or a left side twice.

    A left side that is given twice would hide what was given first.
    """
    found: set[str] = set()
    for text in texts or ():
        # A column may have `=` in its name, a field has none.
        left, sign, right = text.rpartition("=") if option == "--map" else text.partition("=")
        if not sign or not left or (option == "--format" and not right):
            fail(f"{option} {text}: give {form}.")
        if left.strip() in found:
            fail(f"{option} names {left.strip()} twice; give it once.")
        found.add(left.strip())
        yield left.strip(), right


def _column(column: str, target: str) -> StatedColumn:
    field, _, find_by = target.partition(":")
    return StatedColumn(column, field.strip() or None, find_by.strip() or None)


def _mapping_file(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Reads a mapping file; ends the command if it cannot be read."""
    read = read_document(path, f"--mapping {path}")
    if not isinstance(read, dict):
        fail(f"--mapping {path}: it has the sections {', '.join(_SECTIONS)}.")
    for name, section in read.items():
        if name not in _SECTIONS:
            fail(f"--mapping {path}: unknown section {name}; it has {', '.join(_SECTIONS)}.")
        if not isinstance(section, dict) or not all(isinstance(v, str) for v in section.values()):
            fail(f"--mapping {path}: the section {name} has texts, each with a name.")
    sections: dict[str, dict[str, str]] = read
    return sections
