"""Applies `<dialect>/migrations/NNN_name.sql`, each once, in order, each in one transaction.

What was applied is sealed by its checksum: an applied file that has changed since is refused,
for the database would no longer be what the files say.
"""

from __future__ import annotations

import hashlib
import re
import time
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from bulkwright.store.database import Database

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied BIGINT NOT NULL
)"""

_MADE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")


class CannotMigrate(Exception):
    """The database is not one that this program can bring up to date; the message says why."""


def migrate(database: Database) -> list[str]:
    """Bring the database up to date and return the names of the steps that were applied.

    Safe to run by several processes at once: the second waits and finds nothing to do.
    Raises CannotMigrate when an applied file was changed, or when the database is newer than this
    program.
    """
    steps = _steps(database.dialect)
    applied: list[str] = []
    with database.transaction():
        database.all("take_time")
        database.all("hold_schema")
        database.sql(_LEDGER)
        # Opened while its file was read-only, a connection stays so for ever: better to fail now.
        database.sql("DELETE FROM migrations WHERE number < 0")
        done = {r["number"]: r for r in database.sql("SELECT * FROM migrations")}
        if done and max(done) > len(steps):
            raise CannotMigrate("The database was made by a newer Bulkwright; please upgrade it.")
        for number, step in enumerate(steps, start=1):
            text = step.read_text("utf-8")
            seal = _seal(text)
            if number in done:
                if done[number]["sha256"] != seal:
                    raise CannotMigrate(f"Migration {step.name} was changed after it was applied.")
                continue
            for statement in _statements(text):
                database.sql(statement)
            database.sql(
                "INSERT INTO migrations (number, name, sha256, applied) VALUES (?, ?, ?, ?)",
                (number, step.name, seal, time.time_ns() // 1000),
            )
            applied.append(step.name)
    return applied


class Seal(NamedTuple):
    """A migration that is not as this program knows it."""

    name: str
    problem: str
    """`changed`, `not applied`, or `unknown` where a newer program has applied it."""


def seals(database: Database) -> list[Seal]:
    """The migrations of a database that are not as this program knows them; changes nothing."""
    steps = _steps(database.dialect)
    done = {r["number"]: r for r in database.sql("SELECT * FROM migrations")}
    found = [Seal(done[n]["name"], "unknown") for n in sorted(done) if n > len(steps)]
    for number, step in enumerate(steps, start=1):
        if number not in done:
            found.append(Seal(step.name, "not applied"))
        elif done[number]["sha256"] != _seal(step.read_text("utf-8")):
            found.append(Seal(step.name, "changed"))
    return found


def made_tables(dialect: str) -> set[str]:
    """The names of all tables that migrations have ever made."""
    texts = [_LEDGER, *(step.read_text("utf-8") for step in _steps(dialect))]
    return {name for text in texts for name in _MADE.findall(text)}


def _steps(dialect: str) -> list[Traversable]:
    folder = files("bulkwright.store") / dialect / "migrations"
    return sorted(folder.iterdir(), key=lambda f: f.name)


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _statements(text: str) -> list[str]:
    """A migration's statements; they hold no semicolon but the one that ends them."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [s for s in (part.strip() for part in "\n".join(lines).split(";")) if s]
