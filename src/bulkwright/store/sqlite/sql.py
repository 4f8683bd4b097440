"""SQL that handles the records of a chunk on SQLite, each statement run once for every row.

Identifiers come from the schema. Values are bound, except the ids and times of the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bulkwright.domain.module import Field, Module, Stamps, StorageType
from bulkwright.store import images_sql
from bulkwright.store.tables import identifier, quoted, table_of

_SAMPLES = 100
"""Records at each end of a table that are read to find how a column holds its values."""


class KeyPair(NamedTuple):
    """One column of a foreign key and the column that it refers to, all names quoted."""

    parent: str
    """The table that the foreign key refers to."""
    column: str
    parent_column: str


def insert(module: Module, columns: Sequence[str], stamps: Stamps) -> str:
    """INSERT of one record; the columns bind in the order given, the stamps are literals."""
    table = table_of(module)
    names = ", ".join(map(table.columns().__getitem__, (*columns, *stamps)))
    values = ", ".join([*"?" * len(columns), *map(_literal, stamps.values())])
    return f"INSERT INTO {table.name} ({names}) VALUES ({values})"


def update(module: Module, columns: Sequence[str], stamps: Stamps, *, keep_empty: bool) -> str:
    """UPDATE of one record by id; the columns bind in the order given, the id last.

    With `keep_empty` a null leaves the column as it is.
    """
    table = table_of(module)
    names = table.columns()
    # Not by format(): a name may hold braces.
    changes = [f"{names[c]} = {f'coalesce(?, {names[c]})' if keep_empty else '?'}" for c in columns]
    changes += [f"{names[c]} = {_literal(stamp)}" for c, stamp in stamps.items()]
    return f"UPDATE {table.name} SET {', '.join(changes)} WHERE {table.id_column} = ?"


def update_differing(
    module: Module,
    columns: Sequence[str],
    stamps: Stamps,
    compared: Sequence[str],
    *,
    keep_empty: bool,
) -> str:
    """UPDATE of one record by id, if one of the compared columns differs; binds as `update`."""
    names = table_of(module).columns()
    mark = {c: f"?{number}" for number, c in enumerate((*columns, "id"), 1)}
    new = {c: f"coalesce({mark[c]}, {names[c]})" if keep_empty else mark[c] for c in columns}
    changes = [f"{names[c]} = {value}" for c, value in new.items()]
    changes += [f"{names[c]} = {_literal(stamp)}" for c, stamp in stamps.items()]
    differs = " OR ".join(f"{names[c]} IS NOT {new[c]}" for c in compared)
    table = table_of(module)
    return (
        f"UPDATE {table.name} SET {', '.join(changes)} "
        f"WHERE {table.id_column} = {mark['id']} AND ({differs})"
    )


def equal(module: Module, columns: Sequence[str], *, keep_empty: bool) -> str:
    """SELECT of `at` if a record holds these values; binds (at, id, the columns as given)."""
    table = table_of(module)
    names = table.columns()
    same = "({0} IS NULL OR {1} = {0})" if keep_empty else "{1} IS {0}"
    where = [f"{table.id_column} = ?2"]
    for number, column in enumerate(columns, 3):
        # Not by format(): a name may hold braces.
        where.append(same.replace("{0}", f"?{number}").replace("{1}", names[column]))
    return f'SELECT ?1 AS "at" FROM {table.name} WHERE {" AND ".join(where)}'


def keep(module: Module, job_id: int, columns: Sequence[str]) -> str:
    """INSERT of images of records, unless the job wrote them last; binds a JSON array of ids."""
    table = table_of(module).name
    source = f'FROM json_each(?) k CROSS JOIN {table} t WHERE t."id" = k.value'
    return images_sql.keep(module, job_id, columns, source)


def find(module: Module, field: Field, collation: str | None = None) -> str:
    """SELECT of ids by one key, through the index; binds (at, key) and returns `at` with each id.

    The collation is that of the index, if the column may have another one. Two matches are enough
    to know that the key is not unique.
    """
    table = table_of(module)
    collate = f" COLLATE {identifier(collation)}" if collation else ""
    where = f"{table.key(field)} = ?{collate} LIMIT 2"
    return f'SELECT ? AS at, {table.id_column} AS "id" FROM {table.name} WHERE {where}'


def keys_of(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of a record's keys by its id; a missing text key is "", which no key ever is.

    SQLite's driver takes a column's type from its first rows: only nulls would make it integer.
    """
    table = table_of(module)
    keys = ((table.key(f), quoted(f.api_name), f.storage_type is StorageType.TEXT) for f in fields)
    names = ", ".join(f"coalesce({k}, '') AS {n}" if t else f"{k} AS {n}" for k, n, t in keys)
    return (
        f'SELECT {table.id_column} AS "id", {names} FROM {table.name} WHERE {table.id_column} = ?'
    )


def samples(module: Module, field: Field) -> str:
    """SELECT of texts and whole numbers, as texts, that a field of some records holds.

    They are the first and the last records, so that the cost does not grow with the table.
    """
    table = table_of(module)
    some = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {table.column(field)} AS value FROM {table.name} "
        f"ORDER BY {table.id_column} {order} LIMIT {_SAMPLES})"
        for order in ("ASC", "DESC")
    )
    typed = "typeof(value) IN ('text', 'integer')"
    return f"SELECT CAST(value AS TEXT) AS value FROM ({some}) WHERE {typed}"


def find_stored(module: Module, foreign_keys: Sequence[Sequence[KeyPair]]) -> str:
    """SELECT of one row if a record exists, by its id, and its foreign keys refer to records."""
    table = table_of(module)
    where = [f"r.{table.id_column} = ?"]
    for pairs in foreign_keys:
        empty = " OR ".join(f"r.{pair.column} IS NULL" for pair in pairs)
        same = " AND ".join(f"p.{pair.parent_column} = r.{pair.column}" for pair in pairs)
        where.append(f"({empty} OR EXISTS (SELECT 1 FROM {pairs[0].parent} p WHERE {same}))")
    return f"SELECT 1 AS stored FROM {table.name} r WHERE {' AND '.join(where)}"


def _literal(stamp: int | datetime) -> str:
    # Binding the same values for a million rows took a fifth of the time of an insert.
    return str(int(stamp)) if isinstance(stamp, int) else f"'{stamp:%Y-%m-%dT%H:%M:%SZ}'"
