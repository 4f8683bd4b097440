"""What every driver promises, on the same file format (store/database.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bulkwright.store.database import Database
from bulkwright.store.migrate import migrate
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.stdlib import StdlibDatabase


@pytest.fixture(params=[StdlibDatabase, AdbcDatabase], ids=["sqlite3", "adbc"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open, migrated database."""
    make: Callable[[Path], Database] = request.param
    made = make(tmp_path / "test.sqlite")
    migrate(made, "sqlite")
    yield made
    made.close()


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
    )


def orgs(database: Database) -> list[int]:
    """The ids of the rows that are there."""
    return [row["id"] for row in database.all("orgs")]


def test_migrations_are_applied_once(database: Database) -> None:
    """A second run finds nothing to do."""
    assert migrate(database, "sqlite") == []


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    """What a block has done is taken back when it raises."""
    with pytest.raises(KeyError), database.transaction():
        add_org(database, 1)
        raise KeyError
    assert orgs(database) == []
    with database.transaction():
        add_org(database, 1)
        add_org(database, 2)
    assert orgs(database) == [1, 2]


def test_an_inner_transaction_is_taken_back_alone(database: Database) -> None:
    """Its failure leaves the outer one whole; the outer one's failure takes back both."""
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


def test_nulls_texts_numbers_and_truths_come_back(database: Database) -> None:
    """A null is bound as one, also where no other value of the column is known."""
    (row,) = database.sql("SELECT ? AS a, ? AS b, ? AS c, ? AS d", (None, "ß\n", 2**62, True))
    assert (row["a"], row["b"], row["c"], row["d"]) == (None, "ß\n", 2**62, 1)


def test_one_process_opens_a_file_through_one_driver(database: Database, tmp_path: Path) -> None:
    """A second SQLite library on the same file would break the first one's locks."""
    other = AdbcDatabase if isinstance(database, StdlibDatabase) else StdlibDatabase
    with pytest.raises(AssertionError, match="is open through"):
        other(tmp_path / "test.sqlite")
