"""Migrations: each is applied once, whatever its statements contain (store/migrate.py)."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import pytest

from bulkwright.store import migrate as module
from bulkwright.store.database import Database
from bulkwright.store.migrate import CannotMigrate, migrate, mismatches

PLAIN = """
-- A comment; it has a semicolon, and a quote that isn't closed.
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT DEFAULT 'a; b''s');  -- and one; here
/* Here too; and
   on a second line; */
INSERT INTO notes (id) VALUES (1);
INSERT INTO notes (id, text) VALUES (2, ':no :parameter ? -- no comment');
CREATE TABLE "odd; name" (id INTEGER);
"""
TRIGGER = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE copies (id INTEGER PRIMARY KEY, text TEXT);
CREATE TRIGGER copy AFTER INSERT ON notes BEGIN
    INSERT INTO copies (id, text) VALUES (NEW.id, NEW.text || ';');
    UPDATE copies SET text = CASE WHEN text = ';' THEN 'none' ELSE text END WHERE id = NEW.id;
END;
INSERT INTO notes VALUES (1, 'one'), (2, '');
"""
FUNCTION = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
CREATE FUNCTION note(id INTEGER, what TEXT) RETURNS INTEGER LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO notes VALUES (id, what || ';');  -- the body; $$ is not its end
    RETURN id;
END;
$body$;
CREATE FUNCTION twice(n INTEGER) RETURNS INTEGER BEGIN ATOMIC
    SELECT n;
    SELECT 2 * n;
END;
SELECT note(twice(1), 'two');
"""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose files are the migrations of every dialect."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    found = sorted  # the folder is read at every call
    monkeypatch.setattr(module, "_steps", lambda dialect: found(folder.iterdir()))
    return folder


def migrated(database: Database, steps: Path, text: str) -> None:
    """Apply one migration."""
    (steps / "001_test.sql").write_text(text)
    assert migrate(database) == ["001_test.sql"]
    assert migrate(database) == [] and mismatches(database) == []


def test_semicolons_and_quotes_in_texts_and_comments(empty_database: Database, steps: Path) -> None:
    """They end no statement."""
    migrated(empty_database, steps, PLAIN)
    assert empty_database.sql("SELECT * FROM notes ORDER BY id") == [
        {"id": 1, "text": "a; b's"},
        {"id": 2, "text": ":no :parameter ? -- no comment"},
    ]
    assert empty_database.sql('SELECT * FROM "odd; name"') == []


def test_a_trigger_of_sqlite(empty_database: Database, steps: Path) -> None:
    """Its body has statements of its own."""
    if empty_database.dialect != "sqlite":
        pytest.skip("PostgreSQL's triggers call functions")
    migrated(empty_database, steps, TRIGGER)
    assert empty_database.sql("SELECT * FROM copies ORDER BY id") == [
        {"id": 1, "text": "one;"},
        {"id": 2, "text": "none"},
    ]


def test_functions_of_postgresql(empty_database: Database, steps: Path) -> None:
    """Their bodies are quoted by dollars, or stand between BEGIN ATOMIC and END."""
    if empty_database.dialect != "postgres":
        pytest.skip("SQLite has no functions in SQL")
    migrated(empty_database, steps, FUNCTION)
    assert empty_database.sql("SELECT * FROM notes") == [{"id": 2, "text": "two;"}]


def test_a_last_statement_without_a_semicolon(empty_database: Database, steps: Path) -> None:
    """It is applied too."""
    migrated(
        empty_database, steps, "CREATE TABLE a (id INTEGER);\nCREATE TABLE b (id INTEGER) -- x"
    )
    assert empty_database.sql("SELECT * FROM b") == []


def test_a_migration_is_all_or_nothing(empty_database: Database, steps: Path) -> None:
    """An error in its last statement rolls back the first."""
    (steps / "001_test.sql").write_text("CREATE TABLE a (id INTEGER); CREATE TABLE a (id INTEGER);")
    with pytest.raises(Exception, match="already exists"):
        migrate(empty_database)
    (steps / "001_test.sql").write_text("CREATE TABLE a (id INTEGER);")
    assert migrate(empty_database) == ["001_test.sql"]


def test_an_applied_migration_must_not_change(empty_database: Database, steps: Path) -> None:
    """Its checksum is stored; a newer database is rejected too."""
    migrated(empty_database, steps, "CREATE TABLE a (id INTEGER);")
    (steps / "001_test.sql").write_text("CREATE TABLE a (id INTEGER, b INTEGER);")
    assert [(m.name, m.problem) for m in mismatches(empty_database)] == [
        ("001_test.sql", "changed")
    ]
    with pytest.raises(CannotMigrate, match=r"001_test\.sql was changed"):
        migrate(empty_database)
    (steps / "001_test.sql").unlink()
    assert [m.problem for m in mismatches(empty_database)] == ["unknown"]
    with pytest.raises(CannotMigrate, match="newer"):
        migrate(empty_database)


CHECKSUMS = {
    "sqlite": "44efdb0e359c53a3dc375e76111ae00229733eb531f2e58274a513a6ecefcb43",
    "postgres": "7a73b4d23c63d2dc929f66bf08285eba03e04261210dbd73e09fe38aa52c30ba",
}
"""The SHA-256 of all migrations up to 009, in order: databases in use hold those of each file."""


@pytest.mark.parametrize(("dialect", "checksum"), CHECKSUMS.items())
def test_released_migrations_are_never_edited(dialect: str, checksum: str) -> None:
    """An edited one could not be applied to a database that exists."""
    folder = files("bulkwright.store") / dialect / "migrations"
    released = sorted(file.name for file in folder.iterdir() if file.name[:3] <= "009")
    texts = b"".join((folder / name).read_bytes() for name in released)
    assert len(released) == 9 and hashlib.sha256(texts).hexdigest() == checksum
