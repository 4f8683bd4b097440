"""What every driver promises, on the same file format (store/database.py)."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import psycopg
import pytest
from tests.support.postgres import Server
from tests.support.processes import until

from bulkwright.store.database import Database
from bulkwright.store.migrate import migrate
from bulkwright.store.postgres import connection as postgres_connection
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.store.queries import load
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.checkpoint import Checkpoints
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.store.sqlite.driver import CHECKPOINT_ROWS


@pytest.fixture
def database(empty_database: Database) -> Database:
    """An open, migrated database of each driver."""
    migrate(empty_database)
    return empty_database


def add_org(database: Database, number: int) -> None:
    """Add a row by a named query."""
    database.run(
        "add_org",
        id=number,
        record_id=number,
        company_name="Zylkér",
        time_zone="UTC",
        currency="USD",
        created_time=0,
        dev=False,
    )


def orgs(database: Database) -> list[int]:
    """The ids of the rows that are there."""
    return [row["id"] for row in database.all("orgs")]


def test_migrations_are_applied_once(database: Database) -> None:
    """A second run finds nothing to do."""
    assert migrate(database) == []


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    """If a block raises, its changes are rolled back."""
    with pytest.raises(KeyError), database.transaction():
        add_org(database, 1)
        raise KeyError
    assert orgs(database) == []
    with database.transaction():
        add_org(database, 1)
        add_org(database, 2)
    assert orgs(database) == [1, 2]


def test_several_processes_may_migrate_at_once(postgres: Server) -> None:
    """The first one migrates; the others wait and find nothing to do."""
    url = postgres.database()
    databases = [PostgresDatabase(url, connections=1) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, databases))
    for database in databases:
        database.close()
    assert sorted(map(bool, applied)) == [False, False, False, True]


def test_no_id_is_given_twice_even_after_a_rollback(postgres: Server) -> None:
    """No transaction waits for another one, and a rollback does not return ids."""
    database = PostgresDatabase(postgres.database(), connections=9)
    migrate(database)
    taken: list[range] = []

    def take(count: int) -> None:
        with suppress(KeyError), database.transaction():
            (row,) = database.all("take_ids", n=count)
            taken.append(range(row["first"], row["first"] + count))
            if count % 2:
                raise KeyError

    with database.transaction():
        (held,) = database.all("take_ids", n=5)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(take, [1, 2, 3, 4, 5, 6, 7, 8] * 5))
    database.close()
    ids = [*range(held["first"], held["first"] + 5), *(i for block in taken for i in block)]
    assert len(set(ids)) == len(ids) == 5 + 36 * 5


def test_a_server_that_only_read_is_written_to_at_once(postgres: Server) -> None:
    """A session keeps the setting from when it was opened; no call gets such an old session."""
    url = postgres.database()
    name = urlsplit(url).path.removeprefix("/")
    with closing(PostgresDatabase(url, connections=4)) as database:
        migrate(database)
        postgres.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        postgres.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        together = threading.Barrier(4)

        def read(_: int) -> list[int]:
            with database.transaction():
                together.wait(5)
                return orgs(database)

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(read, range(4))) == [[]] * 4
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            add_org(database, 1)
        postgres.run(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        for number in range(1, 9):
            add_org(database, number)
        assert orgs(database) == list(range(1, 9))


@pytest.fixture
def ended(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresDatabase]:
    """A database whose idle connection the server ended after the pool had checked it."""
    url = postgres.database()
    name = urlsplit(url).path.removeprefix("/")
    monkeypatch.setattr(postgres_connection, "_check", lambda _: None)
    with closing(PostgresDatabase(url, connections=1)) as database:
        migrate(database)
        postgres.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        yield database


def test_a_query_survives_the_end_of_an_idle_connection(ended: PostgresDatabase) -> None:
    assert orgs(ended) == []
    add_org(ended, 1)
    assert orgs(ended) == [1]


def test_a_transaction_begins_after_the_end_of_an_idle_connection(ended: PostgresDatabase) -> None:
    with ended.transaction():
        add_org(ended, 1)
    assert orgs(ended) == [1]


def test_a_file_that_was_read_only_is_written_to_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that read meanwhile opens the file again for its first transaction."""
    path = tmp_path / "test.sqlite"
    with closing(StdlibDatabase(path)) as database:
        migrate(database)
    with closing(StdlibDatabase(path)) as database:
        connect = sqlite3.connect
        with monkeypatch.context() as patch:
            # As for a user without the permission, which root always has.
            patch.setattr(os, "access", lambda *_: False)
            patch.setattr(
                sqlite3,
                "connect",
                lambda file, **options: connect(f"file:{file}?mode=ro", uri=True, **options),
            )
            assert orgs(database) == []
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                add_org(database, 1)
            assert orgs(database) == []
        add_org(database, 2)
        assert orgs(database) == [2]


def test_an_inner_transaction_is_rolled_back_alone(database: Database) -> None:
    """Its failure does not change the outer one; a failure of the outer one rolls back both."""
    with database.transaction():
        add_org(database, 1)
        with pytest.raises(KeyError), database.transaction():
            add_org(database, 2)
            raise KeyError
        with database.transaction():
            add_org(database, 3)
    assert orgs(database) == [1, 3]
    with pytest.raises(KeyError), database.transaction():
        with database.transaction():
            add_org(database, 4)
        raise KeyError
    assert orgs(database) == [1, 3]


def test_nulls_texts_numbers_and_booleans_are_returned(database: Database) -> None:
    """A null is bound as null, even if no other value shows the type of the column."""
    texts = "CAST(? AS text) AS a, CAST(? AS text) AS b"
    (row,) = database.sql(f"SELECT {texts}, ? AS c, ? AS d", (None, "ß\n", 2**62, True))
    assert (row["a"], row["b"], row["c"], row["d"]) == (None, "ß\n", 2**62, 1)


def test_a_text_with_a_nul_finds_nothing(database: Database) -> None:
    """A client may send one: it is no error of the store."""
    assert database.one("client", client_id="1000.\0") is None
    assert database.all("user_by_email", org_id=1, email_key="\0") == []


def test_one_process_opens_a_file_through_one_driver(database: Database, tmp_path: Path) -> None:
    """A second SQLite library on the same file would break the locks of the first."""
    if isinstance(database, PostgresDatabase):
        pytest.skip("PostgreSQL has one driver")
    other = AdbcDatabase if isinstance(database, StdlibDatabase) else StdlibDatabase
    with pytest.raises(AssertionError, match="is open through"):
        other(tmp_path / "test.sqlite")


def test_a_file_is_opened_while_another_process_closes_it(tmp_path: Path) -> None:
    """The last process to close a file locks it for a moment: a process that starts then waits."""
    path = tmp_path / "test.sqlite"
    made = StdlibDatabase(path)
    migrate(made)
    made.close()
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("COMMIT")
    closing = threading.Timer(0.3, holder.close)
    closing.start()
    opened = StdlibDatabase(path)
    try:
        assert migrate(opened) == []
    finally:
        closing.join()
        opened.close()


@pytest.mark.parametrize("driver", [StdlibDatabase, AdbcDatabase])
def test_a_new_file_is_opened_while_another_process_writes_to_it(
    tmp_path: Path, driver: type[StdlibDatabase | AdbcDatabase]
) -> None:
    """Two processes start on an empty folder: one switches the file to WAL, the other waits."""
    path = tmp_path / "test.sqlite"
    held = (
        "import sqlite3, sys, time\n"
        "store = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "store.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "time.sleep(0.5)\n"
        "store.execute('CREATE TABLE theirs (id INTEGER)')\n"
        "store.execute('COMMIT')\n"
    )
    with subprocess.Popen([sys.executable, "-c", held, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        opened = driver(path)
        try:
            assert migrate(opened) != []
            assert opened.sql("SELECT * FROM theirs") == []
            assert opened.sql("PRAGMA journal_mode") == [{"journal_mode": "wal"}]
        finally:
            opened.close()
    assert holder.returncode == 0


def test_the_log_reaches_the_file_beside_a_writer_of_many_rows(tmp_path: Path) -> None:
    """Long before the log is full, so that the writer has little left to copy then."""
    path = tmp_path / "test.sqlite"
    database = AdbcDatabase(path)
    try:
        database.sql("CREATE TABLE texts (text TEXT)")
        rows = pl.DataFrame({"text": ["x" * 100] * CHECKPOINT_ROWS})
        for times in range(1, 4):
            with database.transaction():
                database.write("INSERT INTO texts VALUES (?)", rows)
            written = 100 * CHECKPOINT_ROWS * times
            assert until(lambda: path.stat().st_size > written)  # noqa: B023  # asked at once
        assert database.sql("SELECT count(*) AS n FROM texts") == [{"n": 3 * CHECKPOINT_ROWS}]
    finally:
        database.close()
    assert not path.with_name("test.sqlite-wal").exists()


def of_existing_tables(dialect: str) -> set[str]:
    """The names of the queries about existing tables, which differ between the dialects."""
    text = (files("bulkwright.store") / dialect / "queries" / "existing.sql").read_text("utf-8")
    return set(re.findall(r"-- name: (\w+)", text))


def test_the_dialects_know_the_same_queries_and_steps() -> None:
    """Except for the parents' keys: one by one on SQLite, all at once on PostgreSQL."""
    sqlite, postgres = load("sqlite"), load("postgres")
    apart = {"add_parent", "find_parent", "add_parents", "find_parents"}
    shared = (
        sqlite.keys() - of_existing_tables("sqlite"),
        postgres.keys() - of_existing_tables("postgres"),
    )
    assert shared[0] ^ shared[1] == apart
    for name in shared[0] & shared[1]:
        assert set(postgres[name].parameters) <= set(sqlite[name].parameters), name
    steps = [
        sorted(step.name for step in (files("bulkwright.store") / dialect / "migrations").iterdir())
        for dialect in ("sqlite", "postgres")
    ]
    assert steps[0] == steps[1]


def test_a_query_that_both_dialects_share_is_written_once() -> None:
    """The folder of a dialect has only queries that differ."""
    folders = [files("bulkwright.store") / d / "queries" for d in ("sqlite", "postgres")]
    texts = [
        {part.strip() for f in folder.iterdir() for part in f.read_text("utf-8").split("-- name:")}
        for folder in folders
    ]
    assert texts[0] & texts[1] == {""}


def test_checkpoints_that_are_closed_as_they_begin_end(tmp_path: Path) -> None:
    """The thread has cleared the request by then, but not the end."""

    class Slow(threading.Event):
        def clear(self) -> None:
            time.sleep(0.3)
            super().clear()

    path = tmp_path / "test.sqlite"
    AdbcDatabase(path).close()
    checkpoints = Checkpoints(path)
    checkpoints._requested = Slow()
    checkpoints.request()
    time.sleep(0.1)
    closing = threading.Thread(target=checkpoints.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()


def test_only_what_may_be_undone_is_not_flushed(tmp_path: Path) -> None:
    """The transaction behind one that need not be durable is durable again, also after an error."""
    with closing(AdbcDatabase(tmp_path / "test.sqlite")) as database:

        def flushes() -> object:
            return database.sql("PRAGMA synchronous")[0]["synchronous"]

        full = flushes()
        with database.transaction(durable=False):
            assert flushes() != full
        assert flushes() == full
        with pytest.raises(KeyError), database.transaction(durable=False):
            raise KeyError
        assert flushes() == full
        # Inside a durable transaction it is part of that one.
        with database.transaction(), database.transaction(durable=False):
            assert flushes() == full


def test_a_connection_is_asked_only_when_the_server_has_sent_something(postgres: Server) -> None:
    """One that the server has ended is replaced before it is used; others cost no query."""
    with closing(PostgresDatabase(postgres.database(), connections=1)) as database:
        (first,) = database.sql("SELECT pg_backend_pid() AS pid")
        assert database.sql("SELECT pg_backend_pid() AS pid") == [first]
        name = urlsplit(database._url).path[1:]
        postgres.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            f"WHERE datname = '{name}'"
        )
        (second,) = database.sql("SELECT pg_backend_pid() AS pid")
        assert second != first
