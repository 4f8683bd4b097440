"""What `write` does: a file, the job for it, and which column fills which field."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bulkwright.cli.failure import fail
from bulkwright.cli.input_file import read_header
from bulkwright.cli.job_options import JobOptions
from bulkwright.domain.column_names import index_of
from bulkwright.domain.errors import InvalidData, InvalidField, MandatoryFieldsNotMapped
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.module import Module
from bulkwright.domain.reading import Splitting
from bulkwright.domain.spelling import did_you_mean
from bulkwright.domain.type_formats import TypeFormats
from bulkwright.service.columns import (
    ColumnMatch,
    ParentModule,
    Stated,
    find_by_name,
    match_columns,
    with_parent_fields,
)

INTERRUPTED = 130
"""Exit status after a signal, as shells report Ctrl-C."""
_SKIPPED = 3
"""Exit status when the job is completed, but rows were skipped."""


@dataclass(frozen=True, slots=True)
class WriteTask:
    """The file, the job, and what is stated about its columns."""

    path: Path
    options: JobOptions
    stated: Stated

    @classmethod
    def of(cls, path: Path, options: JobOptions) -> WriteTask:
        """Returns the task of a command line; ends the command if an option cannot be read."""
        if options.encoding is not None:
            _check_encoding(options.encoding)
        _ = options.error_limit  # a wrong one ends the command before the file is read
        return cls(path, options, options.stated())

    def splitting(self) -> Splitting:
        """Returns the header of the file under the delimiter that the stated columns fit.

        It reads the whole file; ends the command if the file cannot be read.
        """
        names = {one.column for one in self.stated.columns}
        return read_header(self.path, self.options.encoding, self.options.delimiters, names)

    def columns(self, module: Module, header: Sequence[str], parent: ParentModule) -> ColumnMatch:
        """Returns what becomes of the columns of the file. `parent` returns the module of a lookup.

        Raises InvalidField if a column would be lost and --ignore-columns is not given, if no
        column is left, or if a lookup names no field of its module; MandatoryFieldsNotMapped if
        new records would lack a value.
        """
        options, operation = self.options, Operation(self.options.operation)
        match = match_columns(header, module, operation, options.find_by, self.stated)
        if match.lost and not options.ignore_columns:
            raise InvalidField(
                f"{self.path.name} has columns that would be left out: "
                f"{', '.join(map(str, match.lost))}. Name their fields with --map COLUMN=FIELD, or "
                "give --ignore-columns"
            )
        if not match.mappings:
            raise InvalidField(
                f"{self.path.name} has no column that fills a field of {options.module}"
            )
        mapped = {mapping.api_name for mapping in match.mappings}
        missing = [f.api_name for f in module.mandatory_fields if f.api_name not in mapped]
        if missing and operation.creates:
            raise MandatoryFieldsNotMapped(
                f"no column fills {', '.join(missing)}, which every new record of {options.module} "
                "needs; give --map COLUMN=FIELD or --default FIELD=VALUE"
            )
        return with_parent_fields(match, module, parent)

    def checked(self, module: Module) -> WriteTask:
        """Returns the task with the API name of its --find-by; ends the command if it lacks one."""
        options = self.options
        if options.find_by is not None:
            found = find_by_name(options.find_by, module)
            return replace(self, options=replace(options, find_by=found))
        if options.operation != "insert":
            fail(
                f"--operation {options.operation} needs --find-by FIELD, which identifies the "
                "record of a row, such as id."
            )
        return self

    def fingerprint(self) -> str:
        """Returns a hash that is the same for the same content and the same options."""
        with self.path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(f"{content} {self._options_text()}".encode()).hexdigest()

    def _options_text(self) -> str:
        # Version 0.1.0 stored hashes of this text: do not change it, or unfinished jobs of that
        # version would be written once more instead of continued.
        options, stated = self.options, self._stated_mappings()
        formats = options.type_formats
        if stated is None:
            mappings = "None"
        else:
            each = [_arguments("Mapping", asdict(mapping)) for mapping in stated]
            mappings = f"({', '.join(each)}{',' if len(each) == 1 else ''})"
        return (
            f"_Wanted(module={options.module!r}, operation={options.operation!r}, "
            f"find_by={options.find_by!r}, mappings={mappings}, "
            f"ignore_empty={options.ignore_empty!r}, encoding={options.encoding!r})"
            + ("" if options.delimiter is None else f", delimiter={options.delimiters!r}")
            + ("" if options.max_errors is None else f", max_errors={options.max_errors!r}")
            + (", all_or_nothing" if options.all_or_nothing else "")
            + ("" if formats == TypeFormats() else f", {formats!r}")
        )

    def _stated_mappings(self) -> tuple[FieldMapping, ...] | None:
        """Returns the mappings that version 0.1.0 made of the options; None without any."""
        stated = self.stated
        if replace(stated, of_types=TypeFormats()) == Stated():
            return None
        names = [name.strip() for name in self.splitting().header]
        if stated.columns:
            mappings = {
                str(one.field): FieldMapping(str(one.field), index_of(one.column, names),
                                             find_by=one.find_by)
                for one in stated.columns
            }  # fmt: skip
        else:
            mappings = {name: FieldMapping(name, index) for index, name in enumerate(names)}
        for name, text in stated.defaults.items():
            before = mappings.get(name, FieldMapping(name))
            mappings[name] = replace(before, default=text, default_json={"value": text})
        for name, pattern in stated.formats.items():
            mappings[name] = replace(mappings.get(name, FieldMapping(name)), format=pattern)
        return tuple(mappings.values())


def exit_status(*, failed: bool, skipped: int) -> int:
    """Returns the exit status of a job that has ended."""
    return 1 if failed else _SKIPPED if skipped else 0


def _check_encoding(name: str) -> None:
    from bulkwright.formats.csv import ENCODINGS, canonical_encoding

    try:
        canonical_encoding(name)
    except InvalidData as error:
        fail(f"--encoding {name}: {error.message}{did_you_mean(name, ENCODINGS)} ({error.code})")


def _arguments(name: str, values: dict[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in values.items())})"
