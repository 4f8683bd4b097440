"""The mappings of a job that a request of the own API describes.

Without columns, the header of the file names the fields, as for `bulkwright write`. With columns,
these alone fill fields. What fills none is recorded with the job (`Reading.left_out`).
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.errors import InvalidField
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.module import Module
from bulkwright.domain.request import ColumnRequest
from bulkwright.domain.type_formats import TypeFormats
from bulkwright.service.columns import (
    FieldNames,
    ParentModule,
    Stated,
    match_columns,
    position_of,
    with_parent_fields,
)


def by_header(
    operation: Operation,
    find_by: str | None,
    parent: ParentModule,
    stated: Stated,
    module: Module,
    header: Sequence[str],
) -> tuple[FieldMapping, ...]:
    """Returns mappings by the rule of `bulkwright write`. `parent` returns the module of a lookup.

    Raises InvalidField if no column fills a field, or if a format is stated for no column.
    """
    match = match_columns(header, module, operation, find_by, stated)
    if not match.mappings:
        names = ", ".join(map(str, match.omitted))
        raise InvalidField(
            f"No column of the file fills a field of {module.api_name}; it has {names}"
        )
    return with_parent_fields(match, module, parent).mappings


def by_columns(
    columns: Sequence[ColumnRequest],
    of_types: TypeFormats,
    module: Module,
    header: Sequence[str],
) -> tuple[FieldMapping, ...]:
    """Returns a mapping for each of these columns, in their order. A format of its own counts.

    Raises InvalidField if there is no such field, or no such column.
    """
    names = [text.strip() for text in header]
    mappings = []
    for number, one in enumerate(columns):
        field = module.field(one.field)
        if field is None:
            hint = FieldNames(module).hint(one.field)
            raise InvalidField(
                f"{module.api_name} has no field {one.field!r}{hint}",
                {"json_path": f"$.columns[{number}].field"},
            )
        index = one.index if one.header is None else position_of(one.header.strip(), names)
        mappings.append(
            FieldMapping(
                field.api_name,
                index,
                format=one.format,
                find_by=one.find_by or ("id" if field.data_type == "lookup" else None),
                default=one.default,
                default_json=None if one.default is None else {"value": one.default},
            )
        )
    return of_types.applied(mappings, module)
