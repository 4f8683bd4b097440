"""Processes to be killed, and the database watched from outside while they live."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

FILLER = "x" * 1_400
"""Makes rows long enough for a chunk of 8 MiB to hold some 5,800 of them."""
ROWS = 60_000
DUPLICATE = 10
"""Every tenth row repeats the key of the row before: it is skipped."""


def write_leads(path: Path, rows: int = ROWS) -> None:
    """Write a CSV of leads, each with its number as name; every tenth is a duplicate."""
    with path.open("w") as file:
        file.write("Last_Name,Email,Description\n")
        for n in range(rows):
            key = n - 1 if n % DUPLICATE == DUPLICATE - 1 else n
            file.write(f"{n},{key}@x.example,{FILLER}\n")


def expected(rows: int = ROWS) -> list[tuple[str, str, str]]:
    """Name, STATUS and ERRORS of each row, as an undisturbed insert by Email gives them."""
    twice = ("SKIPPED", "DUPLICATE_DATA-Email")
    return [
        (str(n), *(twice if n % DUPLICATE == DUPLICATE - 1 else ("ADDED", ""))) for n in range(rows)
    ]


class Watch:
    """Reads a data folder's database as any other program may."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.path = data / "bulkwright.sqlite"

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query; none while there is nothing to ask."""
        if not self.path.is_file():
            return []
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection:
                return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def number(self, sql: str, *values: object) -> int:
        """The one number that a query answers; 0 without an answer."""
        rows = self.ask(sql, *values)
        return int(rows[0][0] or 0) if rows else 0

    @property
    def chunks(self) -> int:
        """Chunks committed so far."""
        return self.number("SELECT count(*) FROM ledger")

    @property
    def status(self) -> str:
        """Status of the newest job."""
        rows = self.ask("SELECT status FROM jobs ORDER BY id DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def table(self, module: str = "Leads") -> str:
        """The table of the only org's module."""
        ((org,),) = self.ask("SELECT id FROM orgs")
        return f'"org{org}_{module}"'

    def check(self, result: Path, rows: int = ROWS) -> None:
        """Every row is answered once, the store is what the result says, the database is sound."""
        with zipfile.ZipFile(result) as archive:
            assert archive.testzip() is None
            (member,) = archive.namelist()
            text = io.StringIO(archive.read(member).decode(), newline="")
        answers = list(csv.DictReader(text))
        reported = [(a["Last_Name"], a["STATUS"], a["ERRORS"]) for a in answers]
        assert reported == expected(rows)
        ids = {a["RECORD_ID"]: a["Last_Name"] for a in answers if a["RECORD_ID"]}
        records = self.ask(f"SELECT id, Last_Name FROM {self.table()}")
        assert {str(i): name for i, name in records} == ids
        assert len(records) == len(ids) == rows - rows // DUPLICATE
        assert self.ask("PRAGMA integrity_check") == [("ok",)]
        counts = self.ask("SELECT added, updated, skipped FROM parts ORDER BY job_id DESC")
        assert counts[0] == (len(ids), 0, rows - len(ids))
        assert self.number("SELECT sum(row_count) FROM ledger") == rows
        left = [p for p in (self.data / "files" / "parts").rglob("*") if p.is_file()]
        assert left == []


def free(watch: Watch) -> bool:
    """Whether no connection is inside a write transaction."""
    with closing(sqlite3.connect(watch.path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
