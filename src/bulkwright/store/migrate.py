"""Applies `<dialect>/migrations/NNN_name.sql`, each once, in order, all in one transaction.

The database stores the checksum of each applied file. If the file has changed since, nothing is
applied, because the database is not what the files describe.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from bulkwright.store import tables
from bulkwright.store.database import Database
from bulkwright.store.modules import ModuleStore
from bulkwright.store.times import now_micros

_MIGRATIONS_TABLE = """CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied BIGINT NOT NULL
)"""

_WRITERS = "022_undo.sql"
"""With this migration the table of each module gets a column, which SQL alone cannot do."""

_CREATE_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")


class CannotMigrate(Exception):
    """The database cannot be brought up to date by this program; the message says why."""


class UnusableCopy(Exception):
    """A copy of a database that this program cannot load; the message says why."""


def migrate(database: Database) -> list[str]:
    """Brings the database up to date; returns the names of the migrations that were applied.

    Several processes may call this at once: the second waits and finds nothing to do. Raises
    CannotMigrate if an applied file was changed, or if the database is newer than this program.
    """
    steps = _steps(database.dialect)
    applied: list[str] = []
    with database.transaction():
        database.all("disable_timeout")
        database.all("lock_schema")
        database.sql(_MIGRATIONS_TABLE)
        # A connection that was opened while its file was read-only stays so: this fails at once.
        database.sql("DELETE FROM migrations WHERE number < 0")
        done = {r["number"]: r for r in database.sql("SELECT * FROM migrations")}
        if done and max(done) > len(steps):
            raise CannotMigrate("The database was made by a newer Bulkwright; please upgrade it.")
        for number, step in enumerate(steps, start=1):
            text = step.read_text("utf-8")
            checksum = _checksum(text)
            if number in done:
                if done[number]["sha256"] != checksum:
                    raise CannotMigrate(f"Migration {step.name} was changed after it was applied.")
                continue
            database.run_script(text)
            database.sql(
                "INSERT INTO migrations (number, name, sha256, applied) VALUES (?, ?, ?, ?)",
                (number, step.name, checksum, now_micros(database.clock)),
            )
            applied.append(step.name)
        if _WRITERS in applied:
            _add_writers(database)
    return applied


class MigrationMismatch(NamedTuple):
    """A migration that differs between a database and this program."""

    name: str
    problem: str
    """`changed`, `not applied`, or `unknown` if a newer program has applied it."""


def mismatches(database: Database) -> list[MigrationMismatch]:
    """Returns the migrations that differ between a database and this program; changes nothing."""
    steps = _steps(database.dialect)
    done = {r["number"]: r for r in database.sql("SELECT * FROM migrations")}
    found = [MigrationMismatch(done[n]["name"], "unknown") for n in sorted(done) if n > len(steps)]
    for number, step in enumerate(steps, start=1):
        if number not in done:
            found.append(MigrationMismatch(step.name, "not applied"))
        elif done[number]["sha256"] != _checksum(step.read_text("utf-8")):
            found.append(MigrationMismatch(step.name, "changed"))
    return found


def service_tables(dialect: str) -> set[str]:
    """Returns the names of all tables that migrations have ever created."""
    texts = [_MIGRATIONS_TABLE, *(step.read_text("utf-8") for step in _steps(dialect))]
    return {name for text in texts for name in _CREATE_TABLE.findall(text)}


def _add_writers(database: Database) -> None:
    store = ModuleStore(database)
    for org in database.sql("SELECT id FROM orgs"):
        for module in store.modules(org["id"]):
            for statement in tables.add_writer(module, database.types):
                database.sql(statement)


def _steps(dialect: str) -> list[Traversable]:
    folder = files("bulkwright.store") / dialect / "migrations"
    return sorted(folder.iterdir(), key=lambda f: f.name)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
