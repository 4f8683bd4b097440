"""An acknowledged upload, and the facts about its CSVs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """Facts about a CSV, found by reading the whole upload once."""

    name: str
    """The CSV's name inside the zip."""
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int | None
    """Data rows; None if the limits profile does not limit them."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One acknowledged upload of one org."""

    id: int
    org_id: int
    name: str
    """The file name that the client sent; it is shown, but never used as a path."""
    bytes: int
    sha256: str
    created_time: datetime
    csvs: tuple[CsvFacts, ...]
    """Empty if the zip holds no readable CSV; `problem` says why."""
    problem: str | None = None
