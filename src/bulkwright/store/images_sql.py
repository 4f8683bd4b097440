"""SQL of the images of records, in both dialects.

In the statements, `t` is the table of the module and `i` the one of its images. Identifiers come
from the schema. Values are bound, in the order that each function names, except the ids and times
of the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bulkwright.domain.module import Module, StorageType
from bulkwright.store.tables import WRITER, ModuleTable, Types, identifier, images_table, table_of
from bulkwright.store.times import to_micros

_WRITER = identifier(WRITER)
_JOB = identifier("$job")
_MARK = identifier("$mark")
"""Why the record is not restored: MIXED or KEPT; null otherwise."""
_MIXED = 1
"""Another writer came between two writes of the job."""
_KEPT = 2
"""The undo that runs, or ran last, has left the record out."""
OWN_COLUMNS = frozenset({"$job", "$mark", "id"})
"""Columns of a table of images that are not copies of the module's."""

_OF_JOB = f'i."id" = t."id" AND i.{_JOB} = ?'
_IN_RANGE = f'i.{_JOB} = ? AND i."id" BETWEEN ? AND ?'
_RESTORABLE = f"i.{_MARK} IS NULL AND t.{_WRITER} = ?"


def copied_columns(module: Module, types: Types) -> dict[str, str]:
    """The definitions of the columns that an image copies, by their names in frames."""
    table = table_of(module)
    of_column = table.column_types(types)
    return {n: f"{c} {of_column[n]}" for n, c in table.columns().items() if n != "id"}


def create_table(module: Module, types: Types) -> str:
    """CREATE of the table of a module's images."""
    number = types.of[StorageType.INTEGER]
    own = [f"{_JOB} {number} NOT NULL", f'"id" {number} NOT NULL', f"{_MARK} {number}"]
    listed = ", ".join([*own, *copied_columns(module, types).values()])
    return f'CREATE TABLE {images_table(module)} ({listed}, PRIMARY KEY ({_JOB}, "id"))'


def add_column(module: Module, definition: str) -> str:
    """ALTER of the table of images: a column more."""
    return f"ALTER TABLE {images_table(module)} ADD COLUMN {definition}"


def keep(module: Module, job_id: int, columns: Sequence[str], source: str) -> str:
    """INSERT of images of the records `t` of a FROM clause, unless the job wrote them last."""
    names = table_of(module).columns()
    kept = [_WRITER, *(names[c] for c in columns)]
    return (
        f'INSERT INTO {images_table(module)} ({_JOB}, "id", {", ".join(kept)}) '
        f'SELECT {int(job_id)}, t."id", {", ".join(f"t.{column}" for column in kept)} '
        f"{source} AND t.{_WRITER} IS DISTINCT FROM {int(job_id)} "
        f'ON CONFLICT ({_JOB}, "id") DO UPDATE SET {_MARK} = {_MIXED}'
    )


def forget_kept(module: Module) -> str:
    """UPDATE of the images that an undo has left out, so that they are as before; binds (job)."""
    images = images_table(module)
    return f"UPDATE {images} SET {_MARK} = NULL WHERE {_JOB} = ? AND {_MARK} = {_KEPT}"


def leave_out(module: Module) -> str:
    """UPDATE of one image, so that it is not restored; binds (job, id)."""
    return f'UPDATE {images_table(module)} SET {_MARK} = {_KEPT} WHERE {_JOB} = ? AND "id" = ?'


def created(module: Module) -> str:
    """SELECT of `id`, `writer` and `marked` of new records; binds (job, first id, last id)."""
    return (
        f'SELECT t."id" AS id, coalesce(t.{_WRITER}, 0) AS writer, '
        'CASE WHEN i."id" IS NULL THEN 0 ELSE 1 END AS marked '
        f"FROM {table_of(module).name} t LEFT JOIN {images_table(module)} i ON {_OF_JOB} "
        'WHERE t."id" BETWEEN ? AND ? ORDER BY t."id"'
    )


def note_removed(module: Module, user_id: int, time: datetime) -> str:
    """INSERT of what is known of the records that `remove` deletes; binds the same values."""
    table = table_of(module)
    return (
        "INSERT INTO deleted_records (module_id, org_id, id, display_name, created_by, "
        "deleted_by, deleted_time) "
        f'SELECT {int(module.id)}, {int(module.org_id)}, "id", {_display_name(module, table)}, '
        f"{_creator(module, table)}, {int(user_id)}, {to_micros(time)} "
        f"FROM {table.name} WHERE {_written_alone(module, table)}"
    )


def remove(module: Module) -> str:
    """DELETE of records that a job wrote alone; binds (first id, last id, job, job)."""
    table = table_of(module)
    return f"DELETE FROM {table.name} WHERE {_written_alone(module, table)}"


def updated(module: Module, most: int) -> str:
    """SELECT of images with what their records are now; binds (job, id before the first)."""
    return (
        f'SELECT i."id" AS id, coalesce(t.{_WRITER}, 0) AS writer, '
        f"coalesce(i.{_WRITER}, 0) AS before, "
        f"CASE WHEN i.{_MARK} = {_MIXED} THEN 1 ELSE 0 END AS marked, "
        'CASE WHEN t."id" IS NULL THEN 1 ELSE 0 END AS gone '
        f'FROM {images_table(module)} i LEFT JOIN {table_of(module).name} t ON t."id" = i."id" '
        f'WHERE i.{_JOB} = ? AND i."id" > ? ORDER BY i."id" LIMIT {int(most)}'
    )


def holders(module: Module, key: str) -> str:
    """SELECT of records that hold former keys of others; binds (job, first id, last id, job)."""
    images = images_table(module)
    table = table_of(module)
    column = table.columns()[key]
    return (
        f'SELECT i."id" AS id, h."id" AS holder, coalesce(h.{_WRITER}, 0) AS writer, '
        f"coalesce((SELECT CASE WHEN o.{_MARK} IS NULL THEN 1 ELSE 2 END FROM {images} o "
        f'WHERE o.{_JOB} = i.{_JOB} AND o."id" = h."id"), 0) AS imaged '
        f'FROM {images} i JOIN {table.name} t ON t."id" = i."id" '
        f'JOIN {table.name} h ON h.{column} = i.{column} AND h."id" <> i."id" '
        f"WHERE {_IN_RANGE} AND {_RESTORABLE}"
    )


def clear(module: Module, columns: Iterable[str]) -> str:
    """UPDATE of the records that `restore` changes: columns are set to null."""
    names = table_of(module).columns()
    return _update(module, ", ".join(f"{names[c]} = NULL" for c in columns))


def restore(module: Module, columns: Iterable[str]) -> str:
    """UPDATE of records from their images; binds (job, first id, last id, job)."""
    names = table_of(module).columns()
    return _update(module, ", ".join(f"{names[c]} = i.{names[c]}" for c in (*columns, WRITER)))


def delete(module: Module, most: int) -> str:
    """DELETE of at most `most` images of a job; binds (job, job)."""
    images = images_table(module)
    some = f'SELECT "id" FROM {images} WHERE {_JOB} = ? ORDER BY "id" LIMIT {int(most)}'
    return f'DELETE FROM {images} WHERE {_JOB} = ? AND "id" IN ({some}) RETURNING "id"'


def _update(module: Module, changes: str) -> str:
    return (
        f"UPDATE {table_of(module).name} AS t SET {changes} FROM {images_table(module)} AS i "
        f'WHERE {_IN_RANGE} AND t."id" = i."id" AND {_RESTORABLE}'
    )


def _written_alone(module: Module, table: ModuleTable) -> str:
    """The condition that a record was created by a job, and that nothing else has written it."""
    return (
        f'"id" BETWEEN ? AND ? AND {_WRITER} = ? AND NOT EXISTS (SELECT 1 FROM '
        f'{images_table(module)} i WHERE i.{_JOB} = ? AND i."id" = {table.name}."id")'
    )


def _display_name(module: Module, table: ModuleTable) -> str:
    named = module.display_field
    if named is None or named.api_name == "id":
        return "''"
    return f"coalesce(CAST({table.column(named)} AS text), '')"


def _creator(module: Module, table: ModuleTable) -> str:
    creator = module.field("Created_By")
    return "NULL" if creator is None else table.column(creator)
