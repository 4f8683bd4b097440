"""The file that all peers load, and what is wrong with it.

Ten columns; each row has its number in the first, so that it shows afterwards which rows are
in a target. A bad row is wrong in one of five ways. Only the standard library, so that it can be
imported in the environment of any peer.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = 1
"""Part of every file name: raise it with any change of content."""

COLUMNS = (
    "Row_No", "Email", "Last_Name", "First_Name", "Company", "Phone", "City", "Annual_Revenue",
    "No_of_Employees", "Met_On",
)  # fmt: skip
LONGEST_NAME = 80
"""Characters of a Last_Name, which is mandatory; the Email is unique."""

SQL_COLUMNS = {
    "Row_No": "INTEGER",
    "Email": "VARCHAR(100)",
    "Last_Name": f"VARCHAR({LONGEST_NAME})",
    "First_Name": "VARCHAR(40)",
    "Company": "VARCHAR(200)",
    "Phone": "VARCHAR(30)",
    "City": "VARCHAR(100)",
    "Annual_Revenue": "NUMERIC(16,2)",
    "No_of_Employees": "INTEGER",
    "Met_On": "DATE",
}

KINDS = ("bad date", "bad number", "too long", "mandatory missing", "duplicate key")

_FIRST = ("Anna", "Björn", "Carla", "Farid", "Ivo", "Lucía", "Ole", "Tomáš", "Yusuf", "Zoë")
_LAST = ("Abbott", "Dvořák", "García", "Jensen", "Nguyen", "O'Brien", "Schäfer", "Tanaka", "Weiß")
_FIRM = ("Kestrel Optics, Inc.", 'Cedar "Export" AG', "Summit Paper GmbH", "Willow & Sons")
_CITY = ("Łódź", "München", "São Paulo", "Leeds", "Αθήνα", "東京", "Portland")


@dataclass(frozen=True, slots=True)
class Contest:
    """Which file."""

    rows: int
    bad: float = 0.0
    """Fraction of bad rows, from 0 to 1."""

    def kind(self, row: int) -> str | None:
        """What is wrong with a row, if anything. The first row is never bad."""
        if row == 1 or _number(row, 1, 1_000_000) >= self.bad * 1_000_000:
            return None
        return KINDS[_number(row, 2, len(KINDS))]

    def wrong(self) -> dict[int, str]:
        """The numbers of the bad rows, with what is wrong."""
        kinds = ((row, self.kind(row)) for row in range(1, self.rows + 1))
        return {row: kind for row, kind in kinds if kind}

    def make(self, folder: Path) -> Path:
        """The path of the CSV, made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"contest-v{VERSION}-{self.rows}-bad{self.bad:g}.csv"
        if not place.exists():
            partial = place.with_suffix(f".{os.getpid()}.partial")
            with partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(self._cells())
            partial.replace(place)
        return place

    def _cells(self) -> Iterator[tuple[object, ...]]:
        for row in range(1, self.rows + 1):
            kind = self.kind(row)
            email = _email(self._before(row) if kind == "duplicate key" else row)
            name = _LAST[_number(row, 3, len(_LAST))]
            if kind == "too long":
                name += "x" * LONGEST_NAME
            elif kind == "mandatory missing":
                name = ""
            employees: object = _number(row, 4, 20_000)
            day = f"2025-{_number(row, 5, 12) + 1:02}-{_number(row, 6, 28) + 1:02}"
            yield (
                row,
                email,
                name,
                _FIRST[_number(row, 7, len(_FIRST))],
                _FIRM[_number(row, 8, len(_FIRM))],
                f"+1 202-555-{_number(row, 9, 10_000):04}",
                _CITY[_number(row, 10, len(_CITY))],
                f"{_number(row, 11, 90_000_000)}.{_number(row, 12, 100):02}",
                "about 40" if kind == "bad number" else employees,
                "2025-02-31" if kind == "bad date" else day,
            )

    def _before(self, row: int) -> int:
        """An earlier row that is good."""
        row = _number(row, 13, row - 1) + 1
        while self.kind(row):
            row -= 1
        return row


def _email(row: int) -> str:
    return f"{'abcdefghij'[_number(row, 14, 10)]}.{row}@zylker.example"


def _number(row: int, salt: int, below: int) -> int:
    """A number from 0 to below - 1 for each row, another one for each salt."""
    x = (row + salt * 7_919) * 2_654_435_761 % 2**32
    x = (x ^ (x >> 15)) * 2_246_822_519 % 2**32
    x = (x ^ (x >> 13)) * 3_266_489_917 % 2**32
    return (x ^ (x >> 16)) % below
