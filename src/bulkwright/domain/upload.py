"""An upload as it was acknowledged, and what its CSV looked like then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """What reading the whole upload once has shown."""

    name: str
    """The CSV's name inside the zip."""
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int | None
    """Data rows; None where the profile does not count them."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One acknowledged upload of one org."""

    id: int
    org_id: int
    name: str
    """The file name the client gave; shown, never used as a path."""
    bytes: int
    sha256: str
    created_time: datetime
    csvs: tuple[CsvFacts, ...]
    """Empty where the zip holds no readable CSV; `problem` says why."""
    problem: str | None = None
