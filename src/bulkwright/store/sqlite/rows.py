"""SQL that handles the records of a chunk on SQLite, each statement run once for every row.

Identifiers come from the schema; values are bound, but for the service's own ids and times.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bulkwright.domain.module import Field, Kind, Module, Stamps
from bulkwright.store import tables
from bulkwright.store.tables import quoted

Pair = tuple[str, str, str]
"""The columns of a foreign key, quoted: the table that it refers to, its column here and there."""


def insert(module: Module, columns: Sequence[str], stamps: Stamps) -> str:
    """INSERT of one record; the columns bind in the order given, the stamps are written out."""
    names = ", ".join(map(tables.columns(module).__getitem__, (*columns, *stamps)))
    values = ", ".join([*"?" * len(columns), *map(_literal, stamps.values())])
    return f"INSERT INTO {tables.table(module)} ({names}) VALUES ({values})"


def update(module: Module, columns: Sequence[str], stamps: Stamps, *, keep_empty: bool) -> str:
    """UPDATE of one record by id; the columns bind in the order given, the id last.

    With `keep_empty` a null leaves the column as it is.
    """
    names = tables.columns(module)
    # Not by format(): a name may hold braces.
    changes = [f"{names[c]} = {f'coalesce(?, {names[c]})' if keep_empty else '?'}" for c in columns]
    changes += [f"{names[c]} = {_literal(stamp)}" for c, stamp in stamps.items()]
    found = f"{tables.id_column(module)} = ?"
    return f"UPDATE {tables.table(module)} SET {', '.join(changes)} WHERE {found}"


def find(module: Module, field: Field) -> str:
    """SELECT of ids by one key, through the index; binds (at, key) and gives `at` back.

    Two matches are enough to know that there are several.
    """
    at = tables.id_column(module)
    where = f"{tables.key(field)} = ? LIMIT 2"
    return f'SELECT ? AS at, {at} AS "id" FROM {tables.table(module)} WHERE {where}'


def keys_of(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of a record's keys by its id; a missing text key comes as "", which is never a key.

    SQLite's driver takes a column's type from its first rows: nulls alone would make it integer.
    """
    keys = ((tables.key(f), quoted(f.api_name), f.kind is Kind.TEXT) for f in fields)
    names = ", ".join(f"coalesce({k}, '') AS {n}" if t else f"{k} AS {n}" for k, n, t in keys)
    at = tables.id_column(module)
    return f'SELECT {at} AS "id", {names} FROM {tables.table(module)} WHERE {at} = ?'


def standing(module: Module, foreign_keys: Sequence[Sequence[Pair]]) -> str:
    """SELECT of one row where a record, by its id, is there and points at nothing that is not."""
    where = [f"r.{tables.id_column(module)} = ?"]
    for pairs in foreign_keys:
        empty = " OR ".join(f"r.{here} IS NULL" for _, here, _ in pairs)
        same = " AND ".join(f"p.{there} = r.{here}" for _, here, there in pairs)
        parent = pairs[0][0]
        where.append(f"({empty} OR EXISTS (SELECT 1 FROM {parent} p WHERE {same}))")
    return f"SELECT 1 AS stands FROM {tables.table(module)} r WHERE {' AND '.join(where)}"


def _literal(stamp: int | datetime) -> str:
    # A fifth of the time of an insert went into binding the same values a million times over.
    return str(int(stamp)) if isinstance(stamp, int) else f"'{stamp:%Y-%m-%dT%H:%M:%SZ}'"
