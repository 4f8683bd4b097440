"""Existing tables on PostgreSQL: ids from their sequence, and what their rules reject."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl
import psycopg

from bulkwright.domain.module import Column, Module, Stamps
from bulkwright.domain.outcome import SkipReason
from bulkwright.ports import RecordRejected
from bulkwright.store import tables
from bulkwright.store.postgres import sql
from bulkwright.store.postgres.records import PostgresSink
from bulkwright.store.tables import identifier

_REJECTING_CLASSES = ("22", "23", "44", "P0")
"""SQLSTATE classes of errors about values: data, integrity, a view's check, a trigger's RAISE."""
_DUPLICATE_STATES = ("23505", "23P01")
"""SQLSTATE of a violated unique index, and of a violated exclusion constraint."""


class _ErrorFacts(NamedTuple):
    """What the server reports of an error; None where it reports nothing."""

    state: str | None
    rule: str | None
    """The constraint or unique index."""
    column: str | None
    message: str | None


class PostgresExistingSink(PostgresSink):
    """An `ExistingSink` (see ports.py) on PostgreSQL."""

    def lock(self, module: Module, groups: Sequence[int] | None = None) -> None:
        """Lock the module until the transaction ends, and check deferred constraints at once."""
        super().lock(module, groups)
        self._db.run("check_rules_at_once")

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Return the next ids of the key's sequence, which returns no id twice.

        The sequence may be behind the table, if rows were written with other ids. Ids that a record
        has are left out, because they would be rejected as duplicates. There are fewer ids if the
        sequence has no more, or none that the column can hold. A sequence that starts again at its
        end is read once.
        """
        sequence, key = self._sequence(module), _key(module)
        ids = pl.Series("id", [], pl.Int64)
        taken = 0
        while ids.len() < count:
            fresh = self._next_ids(sequence, count - ids.len(), taken)
            taken += fresh.len()
            fresh = fresh.filter(fresh.is_between(*key.bounds))
            if fresh.is_empty():
                break
            ids = pl.concat([ids, self._unused(module, fresh)])
        return ids

    def _next_ids(self, sequence: str, count: int, taken: int) -> pl.Series:
        """At most `count` numbers of a sequence that has given `taken` numbers to this chunk."""
        try:
            with self._db.transaction():
                found = self._db.one("take_existing_ids", sequence=sequence, n=count, taken=taken)
        except psycopg.errors.SequenceGeneratorLimitExceeded:
            found = None  # another program has taken the last ones at the same time
        lines = found["lines"] if found else None
        return pl.Series("id", lines.split("\n") if lines else [], pl.String).cast(pl.Int64)

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records. Raises RecordRejected if one of them is not stored."""
        _check_count(module, self._insert(module, records, stamps), records.height)
        self._move_sequence(module, records["id"])

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the given columns. Raises RecordRejected if one of the records is not changed."""
        changed = self._update(module, records, stamps, keep_empty=keep_empty)
        _check_count(module, changed, records.height)

    @contextmanager
    def savepoint(self, module: Module) -> Iterator[None]:
        """Open a savepoint, which is rolled back when a record is rejected (RecordRejected)."""
        try:
            with self._db.transaction():
                yield
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in _REJECTING_CLASSES:
                raise
            diag = error.diag
            facts = _ErrorFacts(
                error.sqlstate, diag.constraint_name, diag.column_name, diag.message_primary
            )
            raise self._rejection(module, facts) from error

    def write_each(
        self, module: Module, rows: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, RecordRejected]]:
        """Write rows one by one and return the positions of the rejected ones, with the reason.

        The rows are staged as texts, and the server writes them one by one.
        """
        columns = [c for c in rows.columns if c not in ("$new", "$incomplete")]
        numbered = rows.with_row_index("$at")
        names = [identifier(c) for c in numbered.columns]
        staged = f"rows_{hashlib.sha256(repr(names).encode()).hexdigest()[:16]}"
        self._db.sql(sql.stage(staged, dict.fromkeys(numbered.columns, "TEXT")))
        self._db.run("make_rejected")
        self._copy(staged, names, numbered)
        self._db.sql(sql.write_each(module, staged, columns, changed, keep_empty=keep_empty))
        found = [
            (row["at"], _ErrorFacts(row["state"], row["rule"], row["col"], row["message"]))
            for row in self._db.all("rejected_rows")
        ]
        self._db.sql(f"TRUNCATE {staged}, bulkwright_rejected")
        self._move_sequence(module, rows["id"])
        # Rows that one rule rejects are rejected alike: the catalog is queried once for them.
        rejections = {facts: self._rejection(module, facts) for facts in {f for _, f in found}}
        return [(at, rejections[facts]) for at, facts in found]

    def _sequence(self, module: Module) -> str:
        """The sequence that numbers the records."""
        table, column = tables.table_of(module).name, _key(module).name
        found = self._db.one("sequence_of", table=table, column=column)
        assert found is not None
        return str(found["name"])

    def _move_sequence(self, module: Module, ids: pl.Series) -> None:
        """Let the sequence continue behind these ids, which may come from a file.

        It stays where it is if it cannot continue there: it gives other numbers, or no greater one.
        """
        self._db.run("move_sequence", sequence=self._sequence(module), id=ids.max())

    def _unused(self, module: Module, ids: pl.Series) -> pl.Series:
        """Those ids that no record has."""
        (greatest,) = self._db.sql(tables.greatest_id(module))
        if greatest["id"] is None or greatest["id"] < ids.min():
            return ids
        found = self.find(module, tables.stored_fields(module)[0], ids)
        return ids.filter(~ids.is_in(found["id"].implode()))

    def _rejection(self, module: Module, facts: _ErrorFacts) -> RecordRejected:
        """The rejection for an error of the server."""
        duplicate = facts.state in _DUPLICATE_STATES
        reason = SkipReason.DUPLICATE_DATA if duplicate else SkipReason.INVALID_DATA
        columns: list[str] = []
        if facts.column:
            columns = [facts.column]
        elif facts.rule:
            table = tables.table_of(module).name
            found = self._db.all("rule_columns", table=table, rule=facts.rule)
            columns = [row["name"] for row in found]
        return RecordRejected(reason, columns, facts.rule or facts.message or module.api_name)


def _key(module: Module) -> Column:
    """The column with the ids of the records."""
    key = tables.stored_fields(module)[0].column
    assert key is not None
    return key


def _check_count(module: Module, written: int, expected: int) -> None:
    """Raise RecordRejected if fewer records were written: a trigger can leave rows out silently."""
    if written != expected:
        raise RecordRejected(SkipReason.INVALID_DATA, (), module.api_name)
