"""How a module becomes a table: its name, its columns, its indexes, and how it is read.

Each module of each org is a table of its own, `org<zgid>_<api_name>`, with one typed column per
stored field, so that people can ask it with plain SQL. Identifiers come from the schema only,
where they have passed `API_NAME`; values are bound. The statements that write records, a chunk at a
time, are each store's own (`sqlite/rows.py`, `postgres/rows.py`).

A text field that records are found by has a second column, `<field>__key`, with its normalised
value (trimmed, case-folded; `pipeline/keys.py`). The database never folds anything itself, so all
stores agree on what is equal.

A module over a table of the user's own has its records there instead, each field in the column that
it was made of. Those names may hold anything, and reach no statement but quoted; frames and results
know the api_names alone. Nothing here makes, alters or drops such a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from bulkwright.domain.module import API_NAME, UNWRITABLE, Field, Kind, Module, OwnTable

_LONGEST = 63

BEFORE_ALL = -(2**63)
"""No record has a smaller id: those of the service are positive, those of a user's own may not."""


@dataclass(frozen=True, slots=True)
class Types:
    """A store's column types."""

    of: Mapping[Kind, str]
    """For the values of each kind of field."""
    key: str
    """For the normalised keys of texts: compared byte by byte."""


def quoted(name: str) -> str:
    """An identifier of the schema, quoted. Raises ValueError for anything else."""
    if not API_NAME.fullmatch(name):
        raise ValueError(f"not an identifier: {name!r}")
    return f'"{name}"'


def identifier(name: str) -> str:
    """A name of the user's own, whatever it holds, quoted."""
    return '"' + name.replace('"', '""') + '"'


def own_table(own: OwnTable) -> str:
    """The quoted name of a table of the user's own."""
    return ".".join(identifier(n) for n in (own.schema, own.name) if n is not None)


def table(module: Module) -> str:
    """The quoted name of a module's table."""
    if module.table is not None:
        return own_table(module.table)
    return quoted(f"org{module.org_id}_{module.api_name}")


def stored(module: Module) -> tuple[Field, ...]:
    """The fields that have a column, `id` first."""
    rest = (f for f in module.fields if f.api_name != "id" and f.data_type not in UNWRITABLE)
    return tuple(f for f in module.fields if f.api_name == "id") + tuple(rest)


def key_column(field: Field) -> str:
    """The name of the column that records are found by."""
    return f"{field.api_name}__key" if field.folded else field.api_name


def column(field: Field) -> str:
    """The quoted name of the column that holds a field's values."""
    return quoted(field.api_name) if field.column is None else identifier(field.column.name)


def key(field: Field) -> str:
    """The quoted name of the column that records are found by."""
    return quoted(key_column(field)) if field.folded else column(field)


def id_column(module: Module) -> str:
    """The quoted name of the column that holds the records' ids."""
    return quoted("id") if module.table is None else column(stored(module)[0])


def columns(module: Module) -> dict[str, str]:
    """The quoted name of each column of a module's table, by its name in frames."""
    return {f.api_name: column(f) for f in stored(module)} | {
        key_column(f): key(f) for f in module.fields if f.folded
    }


def create_table(module: Module, types: Types) -> list[str]:
    """The statements that make a module's table with its unique indexes."""
    columns = [f'"id" {types.of[Kind.INTEGER]} PRIMARY KEY']
    for field in stored(module):
        if field.api_name != "id":
            columns += _columns(field, types)
    made = [f"CREATE TABLE {table(module)} ({', '.join(columns)})"]
    return made + [create_index(module, f) for f in module.unique]


def add_column(module: Module, field: Field, types: Types) -> list[str]:
    """The statements that add a field to a module's table."""
    made = [f"ALTER TABLE {table(module)} ADD COLUMN {c}" for c in _columns(field, types)]
    return made + ([create_index(module, field)] if field.unique else [])


def index_name(module: Module, field: Field) -> str:
    """The name of the index by which records are found by a field.

    Where it would be too long for PostgreSQL (63 letters), its end is a number made of all of it.
    """
    name = f"org{module.org_id}_{module.api_name}__by_{field.api_name}"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}_{crc32(name.encode()):08x}"


def create_index(module: Module, field: Field) -> str:
    """The statement that makes sure records can be found by a field."""
    unique = "UNIQUE " if field.unique else ""
    on = f"{table(module)} ({quoted(key_column(field))})"
    return f"CREATE {unique}INDEX IF NOT EXISTS {quoted(index_name(module, field))} ON {on}"


def page(module: Module) -> str:
    """SELECT of records in id order, after an id; binds (after, most)."""
    at = id_column(module)
    return f"{_select(module)} WHERE {at} > ? ORDER BY {at} LIMIT ?"


def newest(module: Module) -> str:
    """SELECT of a page of records, newest first; binds (most, skip)."""
    return f"{_select(module)} ORDER BY {id_column(module)} DESC LIMIT ? OFFSET ?"


def by_id(module: Module) -> str:
    """SELECT of one record by its id."""
    return f"{_select(module)} WHERE {id_column(module)} = ?"


def greatest_id(module: Module) -> str:
    """SELECT of the greatest id of a module's records, NULL where there are none."""
    return f"SELECT max({id_column(module)}) AS id FROM {table(module)}"


def names(module: Module, field: Field, count: int) -> str:
    """SELECT of the display names of `count` records by id."""
    marks = ", ".join("?" * count)
    at = id_column(module)
    return (
        f'SELECT {at} AS "id", {column(field)} AS name FROM {table(module)} WHERE {at} IN ({marks})'
    )


def missing(module: Module) -> str:
    """SELECT of how many records that are named (queries/check.sql) are not there."""
    there = f'SELECT 1 FROM {table(module)} r WHERE r."id" = named.id'
    return f"SELECT count(*) AS count, min(id) AS first FROM named WHERE NOT EXISTS ({there})"


def untold(module: Module, *, dated: bool) -> str:
    """SELECT of how many records before an id no line tells of; binds (id, module id[, since])."""
    told = 'SELECT 1 FROM told WHERE told.module = ? AND told.id = r."id"'
    since = ' AND r."Created_Time" > ?' if dated else ""
    return (
        f'SELECT count(*) AS count, min(r."id") AS first FROM {table(module)} r '
        f'WHERE r."id" < ? AND NOT EXISTS ({told}){since}'
    )


def _select(module: Module) -> str:
    names = ", ".join(f"{column(f)} AS {quoted(f.api_name)}" for f in stored(module))
    return f"SELECT {names} FROM {table(module)}"


def _columns(field: Field, types: Types) -> list[str]:
    made = [f"{quoted(field.api_name)} {types.of[field.kind]}"]
    if field.folded:
        made.append(f"{quoted(key_column(field))} {types.key}")
    return made
