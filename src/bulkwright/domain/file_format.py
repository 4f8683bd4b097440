"""The formats of files that become the zip with one CSV that a job reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FileFormat(StrEnum):
    """What a file is, apart from the gzip that may be around it."""

    ZIP = "zip"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"

    @property
    def words(self) -> str:
        """Returns the format in a sentence."""
        return _WORDS[self]


_WORDS = {
    FileFormat.ZIP: "a zip",
    FileFormat.CSV: "a CSV",
    FileFormat.TSV: "a TSV",
    FileFormat.JSONL: "a file of JSON lines",
    FileFormat.PARQUET: "a Parquet file",
    FileFormat.XLSX: "an XLSX workbook",
}


class FormatBy(StrEnum):
    """How the format of a file was found."""

    NAMED = "named"
    """The caller names it."""
    CONTENT = "content"
    FILE_NAME = "file_name"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file was before it became a zip."""

    format: FileFormat
    found_by: FormatBy
    gzip: bool = False
    """Whether it was in a gzip."""
    sheet: str | None = None
    """The sheet that the caller names; None for the only one."""

    @property
    def is_unicode(self) -> bool:
        """Whether the format leaves no choice of an encoding: its CSV is in UTF-8."""
        return self.format in (FileFormat.JSONL, FileFormat.PARQUET, FileFormat.XLSX)

    @property
    def delimiter(self) -> str | None:
        """The delimiter that the format states; None if the text shows it."""
        if self.is_unicode:
            return ","
        return "\t" if self.format is FileFormat.TSV else None
