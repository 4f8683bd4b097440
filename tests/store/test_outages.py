"""How the errors of both SQLite drivers are classified (store/sqlite/errors.py)."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bulkwright.outages import classify
from bulkwright.store.database import Database
from bulkwright.store.sqlite import connection
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.store.sqlite.errors import is_busy

Driver = type[StdlibDatabase | AdbcDatabase]
DRIVERS = (StdlibDatabase, AdbcDatabase)
WRITE = "INSERT INTO notes (text) VALUES (?)"
HOLD_LOCK = (
    "import sqlite3, sys\n"
    "store = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "store.execute('BEGIN IMMEDIATE')\n"
    "print('locked', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.__name__)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each driver, with one table."""
    with closing(request.param(tmp_path / "test.sqlite")) as database:
        database.sql("CREATE TABLE notes (text TEXT UNIQUE)")
        yield database


def error_of(database: Database, sql: str, *values: object) -> Exception:
    """The error that a statement raises."""
    with pytest.raises(Exception) as raised:
        database.sql(sql, values)
    return raised.value


def test_a_full_disk_is_an_outage(database: Database) -> None:
    """SQLITE_FULL: by its code from one driver, by its text from the other."""
    database.sql("PRAGMA max_page_count = 3")
    with suppress(Exception), database.transaction():
        error = error_of(database, WRITE, "x" * 100_000)
    assert "no space is left" in str(classify(error))
    assert not is_busy(error)


def test_a_lock_of_another_program_is_an_outage(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLITE_BUSY; the drivers try again first."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.1)
    database.sql("PRAGMA busy_timeout = 0")
    command = [sys.executable, "-c", HOLD_LOCK, str(tmp_path / "test.sqlite")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == b"locked\n"
        error = error_of(database, WRITE, "a")
        other.send_signal(signal.SIGKILL)
    assert is_busy(error)
    assert "holds the database's lock" in str(classify(error))


def test_a_file_that_cannot_be_written_to_is_an_outage(database: Database) -> None:
    """SQLITE_READONLY."""
    database.sql("PRAGMA query_only = 1")
    assert "cannot be written to" in str(classify(error_of(database, WRITE, "a")))


def test_a_file_that_cannot_be_opened_is_an_outage(tmp_path: Path) -> None:
    """SQLITE_CANTOPEN."""
    with closing(StdlibDatabase(tmp_path / "missing" / "test.sqlite")) as database:
        assert "cannot be opened" in str(classify(error_of(database, "SELECT 1")))


def test_a_violated_constraint_is_no_outage(database: Database) -> None:
    """It is a fault of the record."""
    database.sql(WRITE, ("a",))
    assert classify(error_of(database, WRITE, "a")) is None


def test_the_message_of_a_trigger_is_no_outage(database: Database) -> None:
    """Even if it reads like the text of one."""
    database.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON notes "
        "BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
    )
    error = error_of(database, WRITE, "a")
    assert classify(error) is None
    assert isinstance(error, sqlite3.IntegrityError) or type(error).__name__ == "IntegrityError"


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    """Nor is an error that the driver raises itself."""
    assert classify(error_of(database, "SELEC 1")) is None
    assert classify(sqlite3.ProgrammingError("Cannot operate on a closed database.")) is None


ENDLESS = (
    "SELECT count(*) AS n FROM (WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT 1 FROM c) "
    "SELECT * FROM c)"
)


def test_a_query_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as an outage, as on PostgreSQL; the next query has a deadline of its own."""
    monkeypatch.setattr(connection, "STATEMENT_SECONDS", 0.05)
    with closing(StdlibDatabase(tmp_path / "test.sqlite")) as database:
        assert "took too long" in str(classify(error_of(database, ENDLESS)))
        monkeypatch.setattr(connection, "STATEMENT_SECONDS", 30.0)
        counted = ENDLESS.replace("FROM c)", "FROM c LIMIT 300000)")
        assert database.sql(counted) == [{"n": 300_000}]


def test_a_transaction_has_no_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it writes, such as an index on a large table, may take its time."""
    monkeypatch.setattr(connection, "STATEMENT_SECONDS", 0.0)
    with closing(StdlibDatabase(tmp_path / "test.sqlite")) as database:
        counted = ENDLESS.replace("FROM c)", "FROM c LIMIT 300000)")
        with database.transaction():
            assert database.sql(counted) == [{"n": 300_000}]
