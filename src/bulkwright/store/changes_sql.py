"""SQL of `ChangeStore`, in both dialects: `t` is the table of a module, `i` that of its images.

Identifiers come from the schema. Values are bound, in the order that each function names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bulkwright.domain.module import Field, Module
from bulkwright.store.tables import WRITER, identifier, images_table, stored_fields, table_of

_JOB, _MARK, _WRITER = identifier("$job"), identifier("$mark"), identifier(WRITER)
_MIXED = f"CASE WHEN i.{_MARK} = 1 THEN 1 ELSE 0 END"


def stored(module: Module) -> tuple[Field, ...]:
    """The fields whose values an image can have."""
    return stored_fields(module)[1:]


def updated(module: Module, fields: Sequence[Field], most: int) -> str:
    """SELECT of images with their records; binds (job, id before the first)."""
    columns = ", ".join([*_columns("i", "b", module, fields), *_columns("t", "a", module, fields)])
    return (
        f'SELECT i."id" AS id, t.{_WRITER} AS writer, {_MIXED} AS mixed, '
        f'CASE WHEN t."id" IS NULL THEN 1 ELSE 0 END AS gone{", " if columns else ""}{columns} '
        f'FROM {images_table(module)} i LEFT JOIN {table_of(module).name} t ON t."id" = i."id" '
        f'WHERE i.{_JOB} = ? AND i."id" > ? ORDER BY i."id" LIMIT {int(most)}'
    )


def between(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of records by their ids; binds (first, last)."""
    columns = "".join(f", {c}" for c in _columns("t", "a", module, fields))
    return (
        f'SELECT t."id" AS id, t.{_WRITER} AS writer{columns} FROM {table_of(module).name} t '
        'WHERE t."id" BETWEEN ? AND ? ORDER BY t."id"'
    )


def before(module: Module, fields: Sequence[Field], count: int) -> str:
    """SELECT of the images of `count` records; binds (job, ids ...)."""
    columns = "".join(f", {c}" for c in _columns("i", "b", module, fields))
    marks = ", ".join("?" * count)
    return (
        f'SELECT i."id" AS id{columns} FROM {images_table(module)} i '
        f'WHERE i.{_JOB} = ? AND i."id" IN ({marks})'
    )


def heads(module: Module) -> str:
    """SELECT of the jobs that have an image of a record; binds (id, module id)."""
    return (
        f'SELECT i.{_JOB} AS job, i.{_WRITER} AS "before", {_MIXED} AS mixed '
        f'FROM {images_table(module)} i WHERE i."id" = ? AND i.{_JOB} IN '
        "(SELECT r.job_id FROM resources r WHERE r.images IS NOT NULL AND r.module_id = ?)"
    )


def _columns(table: str, name: str, module: Module, fields: Iterable[Field]) -> list[str]:
    columns = table_of(module)
    return [f"{table}.{columns.column(f)} AS {name}{n}" for n, f in enumerate(fields)]
