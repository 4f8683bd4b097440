"""SQL of record calls: the records of one call at a time, in both dialects.

Identifiers come from the schema. Values are bound, in the order that each function names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bulkwright.domain.module import Field, Module
from bulkwright.store.tables import quoted, table_of
from bulkwright.store.tables import select as all_records


def insert(module: Module, columns: Sequence[str]) -> str:
    """INSERT of one record; the columns bind in the order given."""
    table = table_of(module)
    names = table.columns()
    listed = ", ".join(names[column] for column in columns)
    return f"INSERT INTO {table.name} ({listed}) VALUES ({marks(len(columns))})"


def update(module: Module, columns: Sequence[str]) -> str:
    """UPDATE of one record by id; the columns bind in the order given, the id last."""
    table = table_of(module)
    names = table.columns()
    changes = ", ".join(f"{names[column]} = ?" for column in columns)
    return f"UPDATE {table.name} SET {changes} WHERE {table.id_column} = ?"


def delete(module: Module, count: int) -> str:
    """DELETE of `count` records by id."""
    table = table_of(module)
    return f"DELETE FROM {table.name} WHERE {table.id_column} IN ({marks(count)})"


def find(module: Module, field: Field, keys: int, most: int) -> str:
    """SELECT of the `key` and the `id` of records that hold one of `keys` keys.

    At most `most` records of each key are returned, so that the cost does not grow with the table.
    """
    table = table_of(module)
    columns = f'{table.key(field)} AS key, {table.id_column} AS "id"'
    if field.unique or field.api_name == "id":
        return f"SELECT {columns} FROM {table.name} WHERE {table.key(field)} IN ({marks(keys)})"
    one = f"SELECT {columns} FROM {table.name} WHERE {table.key(field)} = ? LIMIT {int(most)}"
    return " UNION ALL ".join(f"SELECT * FROM ({one}) AS found" for _ in range(keys))


def heads(module: Module, keyed: Iterable[Field], others: Iterable[Field], count: int) -> str:
    """SELECT of `count` records by id: their id, the keys of fields, the values of others."""
    table = table_of(module)
    columns = [f'{table.id_column} AS "id"']
    columns += [f"{table.key(f)} AS {quoted(f.api_name)}" for f in keyed if f.api_name != "id"]
    columns += [f"{table.column(f)} AS {quoted(f.api_name)}" for f in others]
    listed = ", ".join(columns)
    return f"SELECT {listed} FROM {table.name} WHERE {table.id_column} IN ({marks(count)})"


def select(module: Module, condition: str, order: str) -> str:
    """SELECT of a page of records; binds the values of the condition, then (limit, offset)."""
    return f"{all_records(module)} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"


def ids(module: Module, condition: str) -> str:
    """SELECT of the ids of records; binds the values of the condition, then a limit."""
    table = table_of(module)
    return f'SELECT {table.id_column} AS "id" FROM {table.name} WHERE {condition} LIMIT ?'


def count(module: Module, condition: str) -> str:
    """SELECT of the number of records; binds the values of the condition."""
    return f"SELECT count(*) AS count FROM {table_of(module).name} WHERE {condition}"


def folded_index(module: Module, field: Field, name: str, folded: str) -> str:
    """CREATE of the index by which a text that is no key is found without case."""
    table = table_of(module)
    return (
        f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {table.name} ({folded}) "
        f"WHERE {table.column(field)} IS NOT NULL"
    )


def marks(count: int) -> str:
    """Returns question marks, joined by commas."""
    return ", ".join("?" * count)
