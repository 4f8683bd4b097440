"""Existing tables as the database describes them; nothing here changes one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from bulkwright.domain.module import ExistingTable
from bulkwright.store.database import Database, Row
from bulkwright.store.migrate import service_tables

_OF_A_MODULE = re.compile(r"org[0-9]+_\w+")


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column, and what the indexes and constraints over this column alone say."""

    name: str
    type: str
    """As PostgreSQL spells it; for a domain, its base type."""
    labels: tuple[str, ...]
    """The values of an enum."""
    not_null: bool
    has_default: bool
    generated: bool
    """Whether the database computes it, so that it cannot be written."""
    is_key: bool
    """Whether it alone is the primary key."""
    unique: bool
    indexed: bool
    numbered: bool
    """Whether the database gives its next value (a sequence, or an INTEGER PRIMARY KEY)."""
    target: ExistingTable | None
    """The table that a foreign key of this column alone refers to."""
    target_column: str | None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table with its columns, in its order."""

    table: ExistingTable
    problem: str | None
    """Why it cannot be written to, and what to do; None if it can."""
    columns: tuple[ColumnFacts, ...]
    variety: str | None = None
    """`partitioned` or `without rowid`; None for a table like most."""


class ExistingTables:
    """Describes existing tables."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.dialect = database.dialect

    def find(self, name: str, schema: str | None) -> list[TableFacts]:
        """Returns the tables of a name: several only if no schema is given.

        Tables that the service has made itself are left out.
        """
        found = []
        for row in self._db.all("existing_tables", name=name, schema=schema):
            table = ExistingTable(row["name"], row["schema"])
            if not self._is_ours(table):
                columns = self._db.all("existing_columns", name=table.name, schema=table.schema)
                facts = tuple(map(_column, columns))
                found.append(TableFacts(table, row["problem"], facts, row["variety"]))
        return found

    def _is_ours(self, table: ExistingTable) -> bool:
        """Whether the service has made this table."""
        named = table.name in service_tables(self._db.dialect) or _OF_A_MODULE.fullmatch(table.name)
        return bool(named) and self._db.one("is_service_schema", schema=table.schema) is not None


def _column(row: Row) -> ColumnFacts:
    target = row["target_table"]
    return ColumnFacts(
        name=row["name"],
        type=row["type"],
        labels=tuple(json.loads(row["labels"] or "[]")),
        not_null=bool(row["not_null"]),
        has_default=bool(row["has_default"]),
        generated=bool(row["generated"]),
        is_key=bool(row["is_key"]),
        unique=bool(row["is_unique"]),
        indexed=bool(row["is_indexed"]),
        numbered=bool(row["is_numbered"]),
        target=None if target is None else ExistingTable(target, row["target_schema"]),
        target_column=row["target_column"],
    )
