"""Existing tables on SQLite: their next id, and what their constraints and triggers reject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import polars as pl
from adbc_driver_manager import DatabaseError, IntegrityError, InternalError

from bulkwright.domain.module import Module, Stamps, StorageType
from bulkwright.domain.outcome import SkipReason
from bulkwright.outages import classify
from bulkwright.ports import RecordRejected
from bulkwright.store import tables
from bulkwright.store.sqlite import sql
from bulkwright.store.sqlite.forms import boolean_texts, moment_form
from bulkwright.store.sqlite.records import SqliteSink, as_stored
from bulkwright.store.tables import identifier

_GREATEST_ID = 2**63 - 1
"""Of every table (sqlite.org/autoinc.html)."""
_INTEGRITY_PREFIX = "INTEGRITY: failed to execute query: "
_RESET_PREFIX = "INTERNAL: Failed to reset statement: "
_UNIQUE = "UNIQUE constraint failed: "
_CONSTRAINTS = (_UNIQUE, "NOT NULL constraint failed: ", "CHECK constraint failed: ")
_FOREIGN_KEY = "FOREIGN KEY constraint failed"


class SqliteExistingSink(SqliteSink):
    """An `ExistingSink` (see ports.py) on SQLite through ADBC."""

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Return the `count` ids after the last one; no other transaction can take them.

        There are fewer if the column can hold no greater ones.
        """
        (row,) = self._db.sql(tables.greatest_id(module))
        # With AUTOINCREMENT the ids of deleted records are not used again.
        name = _table_name(module)
        counts = self._db.one("counts_ids", table=name)
        counter = self._db.one("last_counted_id", table=name) if counts else None
        last = int(max(row["id"] or 0, counter["last"] if counter else 0))
        free = min(count, _GREATEST_ID - last)
        return pl.int_range(last, last + free, dtype=pl.Int64, eager=True) + 1

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records. Raises RecordRejected if one of them is not stored."""
        super().insert(module, self._in_form(module, records), stamps)
        self._stored_check(module, records.columns)(records)

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the given columns. Raises RecordRejected if one of the records is not stored."""
        records = self._in_form(module, records)
        super().update(module, records, stamps, keep_empty=keep_empty)
        self._stored_check(module, records.columns)(records)

    @contextmanager
    def savepoint(self, module: Module) -> Iterator[None]:
        """Open a savepoint, which is rolled back when a record is rejected (RecordRejected)."""
        try:
            with self._db.transaction():
                yield
        except (IntegrityError, InternalError) as error:
            message = _constraint_message(error)
            if message is None or classify(error) is not None or not self._is_in_transaction():
                raise
            raise self._rejection(module, message) from error

    def write_each(
        self, module: Module, rows: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, RecordRejected]]:
        """Write rows one by one and return the positions of the rejected ones, with the reason."""
        records = as_stored(self._in_form(module, rows.drop("$new", "$incomplete")))
        insert = sql.insert(module, records.columns, {})
        update = sql.update(module, changed, {}, keep_empty=keep_empty)
        check_stored = self._stored_check(module, records.columns)
        rejected = []
        created: set[int] = set()
        flags = rows.select("id", "$new", "$incomplete").rows()
        for at, (record_id, new, incomplete) in enumerate(flags):
            record = records[at : at + 1]
            creates = new and record_id not in created
            if (creates and incomplete) or not (creates or changed):
                continue
            try:
                with self.savepoint(module):
                    if creates:
                        self._db.write(insert, record)
                    else:
                        self._db.write(update, record.select(*changed, "id"))
                    check_stored(record)
            except RecordRejected as rejection:
                rejected.append((at, rejection))
            else:
                created.add(record_id)
        return rejected

    def _in_form(self, module: Module, records: pl.DataFrame) -> pl.DataFrame:
        """The records with their date-times and booleans in the forms that their columns hold."""
        for field in module.fields:
            name = field.api_name
            if field.storage_type not in _WITH_FORMS or name not in records.columns:
                continue
            samples = [row["value"] for row in self._db.sql(sql.samples(module, field))]
            if field.storage_type is StorageType.DATETIME:
                texts = moment_form(samples).texts(records[name])
            else:
                texts = boolean_texts(records[name], samples)
            records = records.with_columns(texts.alias(name))
        return records

    def _stored_check(
        self, module: Module, columns: Iterable[str]
    ) -> Callable[[pl.DataFrame], None]:
        """Return a check of records whose columns were written.

        It raises RecordRejected if one of the records does not exist: triggers and ON CONFLICT
        IGNORE leave rows out without an error. It also raises if a written foreign key refers to
        nothing: a deferred one would fail at the commit, when its row is no longer known.
        """
        names = tables.table_of(module).columns()
        written = {names[name] for name in columns}
        foreign_keys = [
            pairs
            for pairs in self._foreign_keys(module)
            if not written.isdisjoint(pair.column for pair in pairs)
        ]
        referring = _referring_columns(module, foreign_keys)
        statement = sql.find_stored(module, foreign_keys)

        def check(records: pl.DataFrame) -> None:
            if self._db.select(statement, records.select("id")).height < records.height:
                raise RecordRejected(SkipReason.INVALID_DATA, referring, module.api_name)

        return check

    def _foreign_keys(self, module: Module) -> list[list[sql.KeyPair]]:
        """The pairs of columns of each foreign key of the table."""
        found: dict[int, list[sql.KeyPair]] = {}
        for row in self._db.all("foreign_keys", table=_table_name(module)):
            pair = sql.KeyPair(
                identifier(row["parent"]), identifier(row["here"]), identifier(row["there"])
            )
            found.setdefault(row["number"], []).append(pair)
        return list(found.values())

    def _is_in_transaction(self) -> bool:
        """Whether the chunk's transaction still exists: RAISE(ROLLBACK) ends all of it."""
        try:
            self._db.sql("BEGIN")
        except DatabaseError:
            return True
        self._db.sql("ROLLBACK")
        return False

    def _rejection(self, module: Module, message: str) -> RecordRejected:
        """The rejection for a message such as `CHECK constraint failed: total > tax`."""
        if message.startswith(_FOREIGN_KEY):
            referring = _referring_columns(module, self._foreign_keys(module))
            return RecordRejected(SkipReason.INVALID_DATA, referring, module.api_name)
        is_unique = message.startswith(_UNIQUE)
        reason = SkipReason.DUPLICATE_DATA if is_unique else SkipReason.INVALID_DATA
        rule = next(
            (message.removeprefix(p) for p in _CONSTRAINTS if message.startswith(p)), message
        )
        # A CHECK without a name is reported by its expression: find the columns' names in it.
        names = (f.column.name for f in module.fields if f.column is not None)
        found = [n for n in names if re.search(rf"(?<!\w){re.escape(n)}(?!\w)", rule)]
        return RecordRejected(reason, found, rule)


_WITH_FORMS = (StorageType.DATETIME, StorageType.BOOLEAN)


def _constraint_message(error: DatabaseError) -> str | None:
    """SQLite's message about a violated constraint or a trigger's RAISE; None for another error.

    ADBC passes on neither SQLite's result code nor an SQLSTATE. So the class of the exception has
    to do, and the text where the class is not enough: an error of the last bound row is an
    IntegrityError, one of an earlier row is an InternalError, which may report other errors too.
    The savepoint is then tried again row by row, where each row is the last.
    """
    text = str(error)
    if isinstance(error, IntegrityError) and text.startswith(_INTEGRITY_PREFIX):
        return text.removeprefix(_INTEGRITY_PREFIX)
    return text.removeprefix(_RESET_PREFIX) if text.startswith(_RESET_PREFIX) else None


def _table_name(module: Module) -> str:
    return tables.existing_table_of(module).existing.name


def _referring_columns(module: Module, foreign_keys: Iterable[Iterable[sql.KeyPair]]) -> list[str]:
    """The names of the module's columns that foreign keys consist of."""
    table = tables.table_of(module)
    columns = {pair.column for pairs in foreign_keys for pair in pairs}
    return [f.column.name for f in module.fields if f.column and table.column(f) in columns]
