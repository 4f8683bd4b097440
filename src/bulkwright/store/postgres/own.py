"""What tables of the user's own need on PostgreSQL: ids of a sequence, their rules as Refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl
import psycopg

from bulkwright.domain.module import Module
from bulkwright.domain.outcome import SkipReason
from bulkwright.ports import Refused
from bulkwright.store import tables
from bulkwright.store.postgres import rows
from bulkwright.store.postgres.copying import as_array
from bulkwright.store.postgres.database import PostgresDatabase

_RULES = ("22", "23", "44", "P0")
"""Classes of errors that speak of values: data, integrity, a view's check, a trigger's RAISE."""
_TWICE = ("23505", "23P01")
"""A unique index, and an exclusion constraint."""


class Told(NamedTuple):
    """What the server says of an error, as far as it does."""

    state: str | None
    rule: str | None
    """The constraint or unique index."""
    column: str | None
    message: str | None


def take_ids(database: PostgresDatabase, module: Module, count: int) -> pl.Series:
    """The next ids of the key's sequence, which gives none twice, whoever asks.

    Where rows were written with ids of their own, the sequence may be behind them: those are passed
    over, or they would be met as duplicates.
    """
    key = tables.stored(module)[0].column
    assert key is not None
    named = database.one("sequence_of", table=tables.table(module), column=key.name)
    assert named is not None
    ids = pl.Series("id", [], pl.Int64)
    while ids.len() < count:
        taken = database.one("take_own_ids", sequence=named["name"], n=count - ids.len())
        assert taken is not None
        fresh = pl.Series("id", taken["lines"].split("\n"), pl.String).cast(pl.Int64)
        ids = pl.concat([ids, _free(database, module, fresh)])
    return ids


def _free(database: PostgresDatabase, module: Module, ids: pl.Series) -> pl.Series:
    """Those ids that no record has."""
    (greatest,) = database.sql(tables.greatest_id(module))
    if greatest["id"] is None or greatest["id"] < ids[0]:
        return ids
    find = rows.find(module, tables.stored(module)[0], database.types)
    (held,) = database.sql(find, (as_array(ids),))
    lines = (held["lines"] or "").split()
    used = pl.Series([int(line.partition(",")[2]) for line in lines], dtype=pl.Int64)
    return ids.filter(~ids.is_in(used.implode()))


@contextmanager
def attempt(database: PostgresDatabase, module: Module) -> Iterator[None]:
    """A savepoint that is taken back when a rule of the table's is broken: raises Refused."""
    try:
        with database.transaction():
            yield
    except psycopg.Error as error:
        if (error.sqlstate or "")[:2] not in _RULES:
            raise
        diag = error.diag
        told = Told(error.sqlstate, diag.constraint_name, diag.column_name, diag.message_primary)
        raise refused(database, module, told) from error


def see_that_they_stand(module: Module, written: int, wanted: int) -> None:
    """Raise Refused when fewer records were written: a trigger leaves rows out in silence."""
    if written != wanted:
        raise Refused(SkipReason.INVALID_DATA, (), module.api_name)


def refused(database: PostgresDatabase, module: Module, told: Told) -> Refused:
    """The server's words as a refusal."""
    reason = SkipReason.DUPLICATE_DATA if told.state in _TWICE else SkipReason.INVALID_DATA
    named: list[str] = []
    if told.column:
        named = [told.column]
    elif told.rule:
        found = database.all("rule_columns", table=tables.table(module), rule=told.rule)
        named = [row["name"] for row in found]
    return Refused(reason, named, told.rule or told.message or module.api_name)
