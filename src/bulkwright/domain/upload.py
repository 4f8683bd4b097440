"""An acknowledged upload, and the facts about its CSVs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain.file_format import FileFormat, FormatBy, Origin
from bulkwright.domain.reading import FoundBy, Splitting


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """Facts about a CSV, found by reading the whole upload once."""

    name: str
    """The CSV's name inside the zip."""
    encoding: str
    splittings: tuple[Splitting, ...]
    """The file under each delimiter that it may have, the most likely one first."""
    rows: int | None
    """Data rows; None if the limits profile does not limit them."""
    encoding_by: FoundBy = FoundBy.CONTENT
    delimiter_named: bool = False
    """Whether the file itself names its delimiter (`sep=;`), or its format does."""
    origin: Origin | None = None
    """What the CSV was made of; None if it was in a zip."""

    @property
    def delimiter(self) -> str:
        """The most likely delimiter."""
        return self.splittings[0].delimiter

    @property
    def header(self) -> tuple[str, ...]:
        """The header under this delimiter."""
        return self.splittings[0].header


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

    @property
    def origin(self) -> Origin:
        """What the client sent."""
        made_of = self.csvs[0].origin if self.csvs else None
        return made_of or Origin(FileFormat.ZIP, FormatBy.CONTENT)
