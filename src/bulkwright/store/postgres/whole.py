"""Copies of what the service has in a PostgreSQL database: for the resets of an emulator, in files
of this process, and for its snapshots, in a zip that another database can load.

    about.json      the migrations, the columns of each table, and the sequences
    tables/NAME     the rows of a table, as COPY writes them

A load is one transaction. Where the tables are those of the copy it deletes their rows and drops
tables and columns that were added since; otherwise it creates the tables of modules again, from the
descriptions of the modules. Tables that the service did not create are left alone.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bulkwright.folders import make_private
from bulkwright.store import images_sql, tables
from bulkwright.store.migrate import UnusableCopy, service_tables
from bulkwright.store.modules import ModuleStore
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


_ABOUT = "about.json"
_SQLITE = b"SQLite format 3\0"
_PIECE_BYTES = 1024 * 1024
_Columns = Mapping[str, Sequence[str]]
"""The columns of each table. Tables that others refer to come first."""
_RowsOf = Callable[[str], Iterable[bytes]]
"""Returns the rows of a table, as COPY writes them."""


class PostgresCopies:
    """Saves and loads the tables of the service in one database."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._kept: _Columns = {}
        self._kept_rows: dict[str, Path] = {}
        self._sequences: Mapping[str, Sequence[Any]] = {}
        """The last value of each sequence, and whether it was given."""

    def size(self) -> int:
        """Returns the bytes of the tables."""
        names = map(identifier, self._tables())
        return sum(int(row["size"]) for name in names for row in self._db.sql(_SIZE, (name,)))

    # Copies for this process

    def keep(self, path: Path) -> None:
        """Saves the rows, as they are now, to a folder for `load_kept`."""
        shutil.rmtree(path, ignore_errors=True)
        make_private(path)
        with self._db.transaction():
            self._kept = self._tables()
            self._kept_rows = {name: path / str(at) for at, name in enumerate(self._kept)}
            for name, columns in self._kept.items():
                with self._kept_rows[name].open("wb") as file:
                    file.writelines(self._rows(name, columns))
            self._sequences = self._last_values()

    def load_kept(self) -> None:
        """Makes the rows those of the last `keep`."""

        def rows(name: str) -> Iterable[bytes]:
            content = self._kept_rows[name].read_bytes()
            return [content] if content else []

        with self._db.transaction():
            now = self._tables()
            if all({*columns} <= {*now.get(name, ())} for name, columns in self._kept.items()):
                self._drop_added(now)
                self._delete_rows(self._kept)
                self._write(self._kept, rows)
            else:
                self._replace(self._kept, rows)
            self._set_sequences(self._sequences)

    def _drop_added(self, now: _Columns) -> None:
        """Drops the tables and columns that the kept copy does not have."""
        for name, columns in now.items():
            if name not in self._kept:
                self._db.sql(f"DROP TABLE {identifier(name)} CASCADE")
                continue
            for column in {*columns} - {*self._kept[name]}:
                self._db.sql(f"ALTER TABLE {identifier(name)} DROP COLUMN {identifier(column)}")

    # Copies for other databases

    def save(self, path: Path) -> None:
        """Saves the tables, as they are now, to a zip."""
        kind = zipfile.ZIP_DEFLATED
        with (
            zipfile.ZipFile(path, "w", kind, compresslevel=1) as archive,
            self._db.transaction(),
        ):
            columns, sequences = self._tables(), self._last_values()
            about = {
                "migrations": self._migrations(), "tables": columns, "sequences": sequences,
            }  # fmt: skip
            archive.writestr(_ABOUT, json.dumps(about))
            for name, of_table in columns.items():
                with archive.open(_member(name), "w", force_zip64=True) as file:
                    for piece in self._rows(name, of_table):
                        file.write(piece)

    def adopt(self, path: Path, client_id: str) -> None:
        """Checks whether a copy of another database can be loaded here.

        Raises UnusableCopy, also if it has no OAuth client with this id, and what reading a zip or
        JSON raises.
        """
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                raise UnusableCopy("The snapshot is of a server on a SQLite file. Load it there.")
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ABOUT))
            if about["migrations"] != self._migrations():
                raise UnusableCopy("Another version of Bulkwright has made the snapshot.")
            if _own(about["tables"]).keys() != _own(self._tables()).keys():
                raise UnusableCopy("The database of the copy has not the tables of this one.")
            if archive.testzip() is not None:
                raise UnusableCopy("The database of the copy is damaged.")
            rows = archive.read(_member("clients")).decode("utf-8").splitlines()
        at = about["tables"]["clients"].index("client_id")
        if client_id not in (row.split("\t")[at] for row in rows):
            raise UnusableCopy("The credentials are not those of the database of the copy.")

    def load(self, path: Path) -> None:
        """Replaces the tables by those of a zip that `adopt` has checked."""
        with zipfile.ZipFile(path) as archive, self._db.transaction():

            def rows(name: str) -> Iterator[bytes]:
                with archive.open(_member(name)) as file:
                    while piece := file.read(_PIECE_BYTES):
                        yield piece

            about = json.loads(archive.read(_ABOUT))
            (deployment,) = self._db.sql("SELECT id FROM deployment")
            self._replace(about["tables"], rows)
            self._db.sql("UPDATE deployment SET id = ?", (deployment["id"],))
            self._set_sequences(about["sequences"])

    def _replace(self, wanted: _Columns, rows: _RowsOf) -> None:
        """Replaces all rows, and the tables of modules."""
        self._db.all("lock_schema")
        for name in self._tables():
            if _is_of_module(name):
                self._db.sql(f"DROP TABLE {identifier(name)} CASCADE")
        own = _own(wanted)
        self._delete_rows(own)
        self._write(own, rows)
        self._create_modules(wanted)
        self._write({name: wanted[name] for name in wanted if name not in own}, rows)

    def _create_modules(self, wanted: _Columns) -> None:
        """Creates the tables of the modules that the database describes now."""
        store, types = ModuleStore(self._db), self._db.types
        for org in self._db.sql("SELECT id FROM orgs"):
            for module in store.modules(org["id"]):
                if not module.table_kind.schema_is_stored:
                    continue
                for statement in tables.create_table(module, types):
                    self._db.sql(statement)
                if tables.images_table(module).strip('"') in wanted:
                    self._db.sql(images_sql.create_table(module, types))

    # For both

    def close(self) -> None:
        """Does nothing: the connections are those of the database."""

    def _rows(self, name: str, columns: Sequence[str]) -> Iterator[bytes]:
        return self._db.copy_bytes(f"COPY {_listed(name, columns)} TO STDOUT")

    def _delete_rows(self, of_tables: _Columns) -> None:
        for name in reversed([*of_tables]):
            self._db.sql(f"DELETE FROM {identifier(name)}")

    def _write(self, wanted: _Columns, rows: _RowsOf) -> None:
        for name, columns in wanted.items():
            self._db.copy(f"COPY {_listed(name, columns)} FROM STDIN", rows(name))

    def _migrations(self) -> list[list[str]]:
        rows = self._db.sql("SELECT name, sha256 FROM migrations ORDER BY number")
        return [[row["name"], row["sha256"]] for row in rows]

    def _set_sequences(self, values: Mapping[str, Sequence[Any]]) -> None:
        for name, (last, given) in values.items():
            self._db.sql(_SET_SEQUENCE, (identifier(name), last, given))

    def _last_values(self) -> dict[str, tuple[int, bool]]:
        found = {}
        for row in self._db.sql(_SEQUENCES):
            name = row["name"]
            (last,) = self._db.sql(f"SELECT last_value, is_called FROM {identifier(name)}")
            found[name] = int(last["last_value"]), bool(last["is_called"])
        return found

    def _tables(self) -> dict[str, list[str]]:
        """Returns the columns of the tables of the service that exist now."""
        own = service_tables(self._db.dialect) - {"migrations"}
        found: dict[str, list[str]] = {}
        for row in self._db.sql(_COLUMNS):
            if row["name"] in own or _is_of_module(row["name"]):
                found.setdefault(row["name"], []).append(row["column_name"])
        return {name: found[name] for name in self._in_order(found)}

    def _in_order(self, names: Iterable[str]) -> list[str]:
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


def _is_of_module(table: str) -> bool:
    return _MODULE_TABLE.fullmatch(table) is not None


def _own(columns: _Columns) -> _Columns:
    """Returns the tables that migrations have created."""
    return {name: columns[name] for name in columns if not _is_of_module(name)}


def _member(table: str) -> str:
    return f"tables/{table}"


def _listed(name: str, columns: Sequence[str]) -> str:
    return f"{identifier(name)} ({', '.join(map(identifier, columns))})"
