"""Decides how the CSV of a job is read: under which delimiter, and what of it is a guess."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.job import Resource
from bulkwright.domain.module import Module
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.domain.upload import CsvFacts
from bulkwright.formats.csv import DELIMITER_NAMES, choose


def decide(
    csv: CsvFacts, module: Module, columns: Collection[int], delimiters: str
) -> tuple[CsvFacts, Reading]:
    """Returns the facts of a CSV under the delimiter of a job, and how it is read.

    `columns` are the indexes of the mapped columns, `delimiters` those that the caller allows. If
    it allows only one, this is taken as certain. Raises FileNotSupported if the delimiter is in
    doubt, or not allowed.
    """
    found = csv.splittings
    if len(delimiters) == 1:
        found = tuple(s for s in found if s.delimiter == delimiters)
        if not found:
            raise FileNotSupported(f"The header has no {DELIMITER_NAMES[delimiters]}")
    chosen, rivals = choose(found, _names(module), columns)
    if chosen.delimiter not in delimiters and len(chosen.header) > 1:
        allowed = ", ".join(f"a {DELIMITER_NAMES[sign]}" for sign in delimiters)
        raise FileNotSupported(
            f"The columns are separated by a {DELIMITER_NAMES[chosen.delimiter]}; use {allowed}"
        )
    if len(delimiters) == 1 or csv.delimiter_named:
        found_by = FoundBy.NAMED
    else:
        found_by = FoundBy.GUESS if rivals else FoundBy.CONTENT
    reading = Reading(csv.encoding, csv.encoding_by, chosen.delimiter, found_by, rivals)
    return replace(csv, splittings=(chosen,)), reading


def with_left_out(reading: Reading, header: tuple[str, ...], resource: Resource) -> Reading:
    """Returns the reading with the columns that no mapping of the resource reads."""
    read = set(resource.columns)
    return replace(reading, left_out=tuple(n for i, n in enumerate(header) if i not in read))


def _names(module: Module) -> frozenset[str]:
    """Names by which a header may name the fields of a module."""
    return frozenset(
        name
        for field in module.fields
        for name in (field.api_name, field.display_label, field.column and field.column.name)
        if name
    )
