"""Applies `<dialect>/migrations/NNN_name.sql`, each once, in order, each in one transaction.

What was applied is sealed by its checksum: an applied file that has changed since is refused,
for the database would no longer be what the files say.
"""

from __future__ import annotations

import hashlib
import time
from importlib.resources import files

from bulkwright.store.database import Database

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied INTEGER NOT NULL
)"""


def migrate(database: Database, dialect: str) -> list[str]:
    """Bring the database up to date and return the names of the steps that were applied.

    Safe to run by several processes at once: the second waits and finds nothing to do.
    Raises RuntimeError when an applied file was changed, or when the database is newer than this
    program.
    """
    steps = sorted(
        (f for f in (files("bulkwright.store") / dialect / "migrations").iterdir()),
        key=lambda f: f.name,
    )
    applied: list[str] = []
    with database.transaction():
        database.sql(_LEDGER)
        done = {r["number"]: r for r in database.sql("SELECT * FROM migrations")}
        if done and max(done) > len(steps):
            raise RuntimeError("The database was made by a newer Bulkwright; please upgrade it.")
        for number, step in enumerate(steps, start=1):
            text = step.read_text("utf-8")
            seal = hashlib.sha256(text.encode()).hexdigest()
            if number in done:
                if done[number]["sha256"] != seal:
                    raise RuntimeError(f"Migration {step.name} was changed after it was applied.")
                continue
            for statement in _statements(text):
                database.sql(statement)
            database.sql(
                "INSERT INTO migrations (number, name, sha256, applied) VALUES (?, ?, ?, ?)",
                (number, step.name, seal, time.time_ns() // 1000),
            )
            applied.append(step.name)
    return applied


def _statements(text: str) -> list[str]:
    """A migration's statements; they hold no semicolon but the one that ends them."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [s for s in (part.strip() for part in "\n".join(lines).split(";")) if s]
