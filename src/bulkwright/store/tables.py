"""How a module becomes a table: the one place that makes SQL from the schema.

Each module of each org is a table of its own, `org<zgid>_<api_name>`, with one typed column per
stored field, so that people can ask it with plain SQL. Identifiers come from the schema only,
where they have passed `API_NAME`; values are always bound.

A text field that records are found by has a second column, `<field>__key`, with its normalised
value (trimmed, case-folded; `pipeline/keys.py`). The database never folds anything itself, so all
stores agree on what is equal.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.module import API_NAME, UNWRITABLE, Field, Kind, Module

TYPES = {
    Kind.TEXT: "TEXT",
    Kind.INTEGER: "INTEGER",
    # Exact digits: SQLite would turn a NUMERIC of more than 15 digits into a float.
    Kind.DECIMAL: "TEXT",
    Kind.BOOLEAN: "INTEGER",
    Kind.DATE: "TEXT",
    Kind.DATETIME: "TEXT",
    Kind.LIST: "TEXT",
    Kind.REFERENCE: "INTEGER",
}
"""SQLite's column type for each kind."""


def quoted(name: str) -> str:
    """An identifier of the schema, quoted. Raises ValueError for anything else."""
    if not API_NAME.fullmatch(name):
        raise ValueError(f"not an identifier: {name!r}")
    return f'"{name}"'


def table(module: Module) -> str:
    """The quoted name of a module's table."""
    return quoted(f"org{module.org_id}_{module.api_name}")


def stored(module: Module) -> tuple[Field, ...]:
    """The fields that have a column, `id` first."""
    rest = (f for f in module.fields if f.api_name != "id" and f.data_type not in UNWRITABLE)
    return tuple(f for f in module.fields if f.api_name == "id") + tuple(rest)


def key_column(field: Field) -> str:
    """The name of the column that records are found by."""
    return f"{field.api_name}__key" if field.folded else field.api_name


def create_table(module: Module) -> list[str]:
    """The statements that make a module's table with its unique indexes."""
    columns = ['"id" INTEGER PRIMARY KEY']
    for field in stored(module):
        if field.api_name != "id":
            columns += _columns(field)
    made = [f"CREATE TABLE {table(module)} ({', '.join(columns)})"]
    return made + [create_index(module, f) for f in module.unique]


def add_column(module: Module, field: Field) -> list[str]:
    """The statements that add a field to a module's table."""
    made = [f"ALTER TABLE {table(module)} ADD COLUMN {column}" for column in _columns(field)]
    return made + ([create_index(module, field)] if field.unique else [])


def create_index(module: Module, field: Field) -> str:
    """The statement that makes sure records can be found by a field."""
    unique = "UNIQUE " if field.unique else ""
    name = f"org{module.org_id}_{module.api_name}__by_{field.api_name}"
    on = f"{table(module)} ({quoted(key_column(field))})"
    return f"CREATE {unique}INDEX IF NOT EXISTS {_long(name)} ON {on}"


def insert(module: Module, columns: Sequence[str]) -> str:
    """INSERT of one record; the columns bind in the order given."""
    names = ", ".join(quoted(c) for c in columns)
    return f"INSERT INTO {table(module)} ({names}) VALUES ({', '.join('?' * len(columns))})"


def update(module: Module, columns: Sequence[str], *, keep_empty: bool) -> str:
    """UPDATE of one record by id; the columns bind in the order given, the id last.

    With `keep_empty` a null leaves the column as it is.
    """
    value = "coalesce(?, {0})" if keep_empty else "?"
    changes = ", ".join(f"{quoted(c)} = {value.format(quoted(c))}" for c in columns)
    return f'UPDATE {table(module)} SET {changes} WHERE "id" = ?'


def find(module: Module, field: Field) -> str:
    """SELECT of key and id by one key, through the index.

    Two matches are enough to know that there are several.
    """
    key = quoted(key_column(field))
    return f'SELECT {key} AS key, "id" FROM {table(module)} WHERE {key} = ? LIMIT 2'


def keys_of(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of a record's keys by its id; a missing text key comes as "", which is never a key.

    SQLite's driver takes a column's type from its first rows: nulls alone would make it integer.
    """
    keys = ((quoted(key_column(f)), quoted(f.api_name), f.kind is Kind.TEXT) for f in fields)
    names = ", ".join(f"coalesce({k}, '') AS {n}" if t else f"{k} AS {n}" for k, n, t in keys)
    return f'SELECT "id", {names} FROM {table(module)} WHERE "id" = ?'


def page(module: Module) -> str:
    """SELECT of records in id order, after an id; binds (after, most)."""
    names = ", ".join(quoted(f.api_name) for f in stored(module))
    return f'SELECT {names} FROM {table(module)} WHERE "id" > ? ORDER BY "id" LIMIT ?'


def newest(module: Module) -> str:
    """SELECT of a page of records, newest first; binds (most, skip)."""
    names = ", ".join(quoted(f.api_name) for f in stored(module))
    return f'SELECT {names} FROM {table(module)} ORDER BY "id" DESC LIMIT ? OFFSET ?'


def by_id(module: Module) -> str:
    """SELECT of one record by its id."""
    names = ", ".join(quoted(f.api_name) for f in stored(module))
    return f'SELECT {names} FROM {table(module)} WHERE "id" = ?'


def names(module: Module, field: Field, count: int) -> str:
    """SELECT of the display names of `count` records by id."""
    marks = ", ".join("?" * count)
    return (
        f'SELECT "id", {quoted(field.api_name)} AS name FROM {table(module)} '
        f'WHERE "id" IN ({marks})'
    )


def _columns(field: Field) -> list[str]:
    made = [f"{quoted(field.api_name)} {TYPES[field.kind]}"]
    if field.folded:
        made.append(f"{quoted(key_column(field))} TEXT")
    return made


def _long(name: str) -> str:
    # Index names join several identifiers and may be longer than one.
    return '"' + name.replace('"', "") + '"'
