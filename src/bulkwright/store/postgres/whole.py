"""A copy of what the service has in a PostgreSQL database, for the resets of an emulator.

The copy has the rows of each table, in files. A load deletes the rows that are there, drops tables
and columns that were added since, and writes the rows of the copy, all in one transaction. Tables
that the service did not create are left alone.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from bulkwright.folders import make_private
from bulkwright.store.migrate import service_tables
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.tables import identifier

_MODULE_TABLE = re.compile(r"org[0-9]+_\w+")
"""The tables of modules, and of their images."""


_COLUMNS = """
SELECT c.relname AS name, a.attname AS column_name
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum
"""
_REFERENCES = """
SELECT c.relname AS name, r.relname AS referred
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
WHERE k.contype = 'f' AND c.relnamespace = CAST(current_schema() AS regnamespace)
"""
_SEQUENCES = """
SELECT relname AS name FROM pg_class
WHERE relkind = 'S' AND relnamespace = CAST(current_schema() AS regnamespace)
"""
_SIZE = "SELECT pg_total_relation_size(CAST(? AS regclass)) AS size"
_SET_SEQUENCE = "SELECT setval(CAST(? AS regclass), ?, ?)"


class _KeptTable(NamedTuple):
    name: str
    columns: tuple[str, ...]
    path: Path


class PostgresCopies:
    """Saves and loads the tables of the service in one database."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._kept: list[_KeptTable] = []
        """Those that others refer to come first."""
        self._sequences: dict[str, tuple[int, bool]] = {}
        """The last value of each sequence, and whether it was given."""

    def size(self) -> int:
        """Returns the bytes of the tables."""
        names = map(identifier, self._tables())
        return sum(int(row["size"]) for name in names for row in self._db.sql(_SIZE, (name,)))

    def keep(self, path: Path) -> None:
        """Saves the rows, as they are now, to a folder for `load_kept`."""
        shutil.rmtree(path, ignore_errors=True)
        make_private(path)
        with self._db.transaction():
            columns = self._tables()
            self._kept = [
                _KeptTable(name, columns[name], path / str(number))
                for number, name in enumerate(self._in_order(columns))
            ]
            for table in self._kept:
                with table.path.open("wb") as file:
                    for piece in self._db.copy_bytes(f"COPY {_with_columns(table)} TO STDOUT"):
                        file.write(piece)
            self._sequences = self._last_values()

    def load_kept(self) -> None:
        """Makes the rows those of the last `keep`."""
        kept = {table.name: table for table in self._kept}
        with self._db.transaction():
            for name, columns in self._tables().items():
                if name not in kept:
                    self._db.sql(f"DROP TABLE {identifier(name)} CASCADE")
                    continue
                for column in set(columns) - set(kept[name].columns):
                    self._db.sql(f"ALTER TABLE {identifier(name)} DROP COLUMN {identifier(column)}")
            for table in reversed(self._kept):
                self._db.sql(f"DELETE FROM {identifier(table.name)}")
            for table in self._kept:
                if rows := table.path.read_bytes():
                    self._db.copy(f"COPY {_with_columns(table)} FROM STDIN", [rows])
            for name, (last, given) in self._sequences.items():
                self._db.sql(_SET_SEQUENCE, (identifier(name), last, given))

    def close(self) -> None:
        """Does nothing: the connections are those of the database."""

    def _last_values(self) -> dict[str, tuple[int, bool]]:
        found = {}
        for row in self._db.sql(_SEQUENCES):
            name = row["name"]
            (last,) = self._db.sql(f"SELECT last_value, is_called FROM {identifier(name)}")
            found[name] = int(last["last_value"]), bool(last["is_called"])
        return found

    def _tables(self) -> dict[str, tuple[str, ...]]:
        """Returns the columns of the tables of the service that exist now."""
        own = service_tables(self._db.dialect) - {"migrations"}
        found: dict[str, list[str]] = {}
        for row in self._db.sql(_COLUMNS):
            if row["name"] in own or _MODULE_TABLE.fullmatch(row["name"]):
                found.setdefault(row["name"], []).append(row["column_name"])
        return {name: tuple(columns) for name, columns in found.items()}

    def _in_order(self, names: dict[str, tuple[str, ...]]) -> list[str]:
        """Returns the tables so that each comes after those that it refers to."""
        refers: dict[str, set[str]] = {name: set() for name in names}
        for row in self._db.sql(_REFERENCES):
            if row["name"] in refers and row["referred"] != row["name"]:
                refers[row["name"]].add(row["referred"])
        ordered: list[str] = []
        while left := [name for name in sorted(refers) if name not in ordered]:
            ready = [name for name in left if refers[name] <= {*ordered}]
            assert ready, "tables refer to each other"
            ordered += ready
        return ordered


def _with_columns(table: _KeptTable) -> str:
    return f"{identifier(table.name)} ({', '.join(map(identifier, table.columns))})"
