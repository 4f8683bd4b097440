"""What tables of the user's own need on SQLite: their next id, and their rules told as Refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import polars as pl
from adbc_driver_manager import DatabaseError, IntegrityError, InternalError

from bulkwright.domain.module import Module
from bulkwright.domain.outcome import SkipReason
from bulkwright.ports import Refused
from bulkwright.store import tables
from bulkwright.store.sqlite import rows
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.tables import identifier
from bulkwright.trouble import trouble

_SAID = ("INTEGRITY: failed to execute query: ", "INTERNAL: Failed to reset statement: ")
"""What ADBC puts before SQLite's words: about the last row that was bound, and about one before.

The second may speak of other errors too; the row alone, when it is tried, brings the first.
"""
_UNIQUE = "UNIQUE constraint failed: "
_PREFIXES = (_UNIQUE, "NOT NULL constraint failed: ", "CHECK constraint failed: ")
_NO_PARENT = "FOREIGN KEY constraint failed"


def next_id(database: AdbcDatabase, module: Module) -> int:
    """The id after the last one: the whole file is held, so nobody else takes it."""
    assert module.table is not None
    (row,) = database.sql(tables.greatest_id(module))
    # Where the table says AUTOINCREMENT, ids of records that are gone are not given again.
    counted = database.one("counts_ids", table=module.table.name)
    ever = database.one("last_counted_id", table=module.table.name) if counted else None
    return int(max(row["id"] or 0, ever["last"] if ever else 0)) + 1


@contextmanager
def attempt(database: AdbcDatabase, module: Module) -> Iterator[None]:
    """A savepoint that is taken back when a rule of the table's is broken: raises Refused."""
    try:
        with database.transaction():
            yield
    except (IntegrityError, InternalError) as error:
        told = str(error)
        said = next((said for said in _SAID if told.startswith(said)), None)
        if said is None or trouble(error) is not None or not _goes_on(database):
            raise
        raise _refused(database, module, told.removeprefix(said)) from error


def standing(
    database: AdbcDatabase, module: Module, columns: Iterable[str]
) -> Callable[[pl.DataFrame], None]:
    """A check of records whose columns were written: raises Refused when they do not stand.

    Triggers and ON CONFLICT IGNORE leave rows out in silence; a deferred foreign key would speak
    at the commit only, when it is too late to say which row it means.
    """
    names = tables.columns(module)
    written = {names[name] for name in columns}
    keys = [
        pairs
        for pairs in _foreign_keys(database, module)
        if not written.isdisjoint(here for _, here, _ in pairs)
    ]
    pointing = _pointing(module, keys)
    statement = rows.standing(module, keys)

    def check(records: pl.DataFrame) -> None:
        if database.select(statement, records.select("id")).height < records.height:
            raise Refused(SkipReason.INVALID_DATA, pointing, module.api_name)

    return check


def _foreign_keys(database: AdbcDatabase, module: Module) -> list[list[rows.Pair]]:
    """Each foreign key as its pairs of columns: parent, column here, column there, all quoted."""
    assert module.table is not None
    found: dict[int, list[rows.Pair]] = {}
    for row in database.all("foreign_keys", table=module.table.name):
        pair = tuple(identifier(row[name]) for name in ("parent", "here", "there"))
        found.setdefault(row["number"], []).append((pair[0], pair[1], pair[2]))
    return list(found.values())


def _goes_on(database: AdbcDatabase) -> bool:
    """Whether the chunk's transaction is still there: RAISE(ROLLBACK) ends all of it."""
    try:
        database.sql("BEGIN")
    except DatabaseError:
        return True
    database.sql("ROLLBACK")
    return False


def _refused(database: AdbcDatabase, module: Module, told: str) -> Refused:
    """SQLite's words as a refusal: `... constraint failed: orders.total, orders.tax`."""
    reason = SkipReason.DUPLICATE_DATA if told.startswith(_UNIQUE) else SkipReason.INVALID_DATA
    if told.startswith(_NO_PARENT):
        pointing = _pointing(module, _foreign_keys(database, module))
        return Refused(reason, pointing, module.api_name)
    rule = next((told.removeprefix(p) for p in _PREFIXES if told.startswith(p)), told)
    # A CHECK without a name is told by its expression: the columns are words in it.
    known = (f.column.name for f in module.fields if f.column is not None)
    named = [n for n in known if re.search(rf"(?<!\w){re.escape(n)}(?!\w)", rule)]
    return Refused(reason, named, rule)


def _pointing(module: Module, keys: Iterable[Iterable[rows.Pair]]) -> list[str]:
    """The names of the module's columns that foreign keys are made of."""
    here = {column for pairs in keys for _, column, _ in pairs}
    return [f.column.name for f in module.fields if f.column and tables.column(f) in here]
