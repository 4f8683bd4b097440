"""What a job means, in plain Python: one row after the other, on a dict.

It knows four fields of Leads and finds records by Email; tests/properties/model.py knows more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
COLUMNS = ("Last_Name", "Email", "No_of_Employees", "City")
"""What the CSV of a job holds that the model understands."""


@dataclass
class Model:
    """What jobs do to records, one row after the other."""

    records: dict[str, Row] = field(default_factory=dict)
    """By the folded Email; `id` is the one that the result gave."""

    def expected(self, operation: str, row: Row) -> tuple[str, str]:
        """STATUS and ERRORS of a row that comes next."""
        bad = [name for name in ("Email", "No_of_Employees") if not _sound(name, row[name])]
        there = key_of(row) in self.records
        if bad:
            return "SKIPPED", f"INVALID_DATA-{','.join(bad)}"
        if operation == "insert" and there:
            return "SKIPPED", "DUPLICATE_DATA-Email"
        if operation == "update" and not there:
            return "SKIPPED", "RESOURCE_NOT_FOUND-Email"
        return ("UPDATED" if there else "ADDED"), ""

    def take(self, row: Row, record_id: str) -> str:
        """Let a row that is not skipped take effect; the id that its record has had."""
        record = self.records.setdefault(key_of(row), {"id": record_id})
        record |= {name: row[name] for name in COLUMNS}
        return str(record["id"])


def key_of(row: Row) -> str:
    """What two rows must share to mean one record."""
    return str(row["Email"]).strip().casefold()


def _sound(name: str, cell: str) -> bool:
    return "@" in cell if name == "Email" else not cell or cell.isdigit()
