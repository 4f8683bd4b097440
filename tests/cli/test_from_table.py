"""`modules from-table` and the use of its modules."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.test_schema import module_changes
from tests.support.program import Run, refused

ITEMS = "name,price,maker\nChair,49.90,1\nBad,-1,1\nOdd,1,7\n"


@pytest.fixture
def shop(org: None, tmp_path: Path) -> Path:
    """A data folder with two existing tables; one row refers to nothing."""
    database = tmp_path / "d" / "bulkwright.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("""
            CREATE TABLE makers (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
            CREATE TABLE "the items" (no INTEGER PRIMARY KEY, name TEXT NOT NULL, photo BLOB,
                price DECIMAL(6,2) CHECK (price > 0), maker INTEGER REFERENCES makers (id));
            INSERT INTO makers (name) VALUES ('Zylker');
            INSERT INTO "the items" (name, price, maker) VALUES ('Lamp', 12.5, 99);
        """)
    (tmp_path / "items.csv").write_text(ITEMS)
    return database


def test_a_dry_run_shows_the_module(run: Run, shop: Path) -> None:
    """It shows the module and the omitted columns; nothing is created."""
    shown = run("modules", "from-table", "the items", "--dry-run", "--data", "d")
    assert shown.returncode == 0, shown.stderr
    assert "the_items would be created: 4 fields" in shown.stdout
    assert "omitted because of their types: photo" in shown.stdout
    assert "no module the_items" in refused(run("modules", "show", "the_items", "--data", "d"))


def test_a_table_is_loaded_read_and_checked(run: Run, shop: Path) -> None:
    """`check` also accepts rows that other programs write and delete."""
    made = run("modules", "from-table", "the items", "--with-references", "--data", "d")
    assert made.returncode == 0, made.stderr
    assert "makers created" in made.stdout
    assert "the_items" in run("modules", "list", "--data", "d").stdout
    assert [set(text.split(", ")) for text in module_changes(run)] == [{"makers", "the_items"}]
    wanted = ("--module", "the_items", "--operation", "insert", "--data", "d")
    done = run("write", "items.csv", *wanted)
    assert done.returncode == 3, done.stderr
    assert "added 1" in done.stdout
    out = run("records", "export", "--module", "the_items", "--data", "d")
    assert list(csv.reader(out.stdout.splitlines())) == [
        ["id", "name", "price", "maker"],
        ["1", "Lamp", "12.5", "99"],
        ["2", "Chair", "49.9", "1"],
    ]
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute('DELETE FROM "the items" WHERE no = 2')
        connection.commit()
    checked = run("check", "--data", "d")
    assert checked.returncode == 0, checked.stdout


def test_a_dry_run_of_a_job_leaves_the_table_unchanged(run: Run, shop: Path) -> None:
    """Rows that the database rejects are known before anything is stored."""
    run("modules", "from-table", "the items", "--data", "d")
    wanted = ("--module", "the_items", "--operation", "insert", "--data", "d")
    done = run("write", "items.csv", *wanted, "--dry-run")
    assert done.returncode == 3 and "skipped 2" in done.stdout, done.stdout + done.stderr
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute('SELECT count(*) FROM "the items"').fetchall() == [(1,)]


def test_an_unusable_table_is_rejected_in_a_line(run: Run, shop: Path) -> None:
    """The line says what to do."""
    line = refused(run("modules", "from-table", "nothing", "--data", "d"))
    assert "no table nothing" in line
