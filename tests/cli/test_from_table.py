"""`modules from-table` and what goes on with its modules."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Run, refused

ITEMS = "name,price,maker\nChair,49.90,1\nBad,-1,1\nOdd,1,7\n"


@pytest.fixture
def shop(org: None, tmp_path: Path) -> Path:
    """A data folder with two tables of the user's own, one row of which refers to nothing."""
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


def test_a_table_is_shown_before_it_is_offered(run: Run, shop: Path) -> None:
    """A dry run says what would be, and what is left out; nothing is made."""
    shown = run("modules", "from-table", "the items", "--dry-run", "--data", "d")
    assert shown.returncode == 0, shown.stderr
    assert "the_items would be made: 4 fields" in shown.stdout
    assert "left out, for their types: photo" in shown.stdout
    assert "no module the_items" in refused(run("modules", "show", "the_items", "--data", "d"))


def test_a_table_is_loaded_read_and_checked(run: Run, shop: Path) -> None:
    """From the table to its rows, and `check` finds nothing in what others write and delete."""
    made = run("modules", "from-table", "the items", "--with-references", "--data", "d")
    assert made.returncode == 0, made.stderr
    assert "makers is made" in made.stdout
    assert "the_items" in run("modules", "list", "--data", "d").stdout
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


def test_a_dry_run_of_a_job_leaves_the_table_alone(run: Run, shop: Path) -> None:
    """What the database refuses is known before anything is stored."""
    run("modules", "from-table", "the items", "--data", "d")
    wanted = ("--module", "the_items", "--operation", "insert", "--data", "d")
    done = run("write", "items.csv", *wanted, "--dry-run")
    assert done.returncode == 3 and "skipped 2" in done.stdout, done.stdout + done.stderr
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute('SELECT count(*) FROM "the items"').fetchall() == [(1,)]


def test_what_cannot_be_offered_is_refused_in_a_line(run: Run, shop: Path) -> None:
    """With what to do."""
    line = refused(run("modules", "from-table", "nothing", "--data", "d"))
    assert "no table nothing" in line
