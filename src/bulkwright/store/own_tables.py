"""Tables of the user's own as the database describes them; nothing here changes one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from bulkwright.domain.module import OwnTable
from bulkwright.store.database import Database, Row
from bulkwright.store.migrate import made_tables

_OF_A_MODULE = re.compile(r"org[0-9]+_\w+")


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column, and what the table's indexes and constraints say of it alone."""

    name: str
    type: str
    """As PostgreSQL spells it; a domain's is what lies under it."""
    labels: tuple[str, ...]
    """The values of an enum."""
    not_null: bool
    has_default: bool
    generated: bool
    """Whether it cannot be written."""
    is_key: bool
    """Whether it is the primary key, alone."""
    unique: bool
    indexed: bool
    numbered: bool
    """Whether the database itself gives its next value."""
    target: OwnTable | None
    """The table that it refers to, alone, and by which column."""
    target_column: str | None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table with its columns in order."""

    own: OwnTable
    problem: str | None
    """Why it cannot be written to, and what to do about it."""
    columns: tuple[ColumnFacts, ...]


class OwnTables:
    """Describes tables."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.dialect = database.dialect

    def find(self, name: str, schema: str | None) -> list[TableFacts]:
        """The tables of that name: none, or one, or several where no schema is named.

        Tables that the service made itself are none of the user's own.
        """
        rows = self._db.all("own_tables", name=name, schema=schema)
        found = (OwnTable(row["name"], row["schema"]) for row in rows)
        return [
            self._facts(own, row["problem"])
            for own, row in zip(found, rows, strict=True)
            if not self._ours(own)
        ]

    def _facts(self, own: OwnTable, problem: str | None) -> TableFacts:
        rows = self._db.all("own_columns", name=own.name, schema=own.schema)
        return TableFacts(own, problem, tuple(map(_column, rows)))

    def _ours(self, own: OwnTable) -> bool:
        ours = own.name in made_tables(self._db.dialect) or _OF_A_MODULE.fullmatch(own.name)
        return bool(ours) and bool(self._db.one("is_beside_ours", schema=own.schema))


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
        target=None if target is None else OwnTable(target, row["target_schema"]),
        target_column=row["target_column"],
    )
