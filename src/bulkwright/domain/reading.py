"""How a CSV is read: its header under each delimiter, and the guesses that were made.

The same facts stand with the upload (`Splitting`) and with the resource of a job (`Reading`). Every
guess is recorded, so that a user can see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Splitting:
    """What a file looks like under one delimiter: its header, and the rows after it."""

    delimiter: str
    header: tuple[str, ...]
    rows: int = 0
    """The rows that were examined, the first ones of the file."""
    agreeing: int = 0
    """Those that have as many cells as the header, and no damaged quotes."""
    clean: bool = True
    """Whether the quotes of the header are well-formed."""
    width: int | None = None
    """The number of cells, if all these rows have the same."""

    @property
    def fits(self) -> bool:
        """Whether the header and all examined rows agree, and have more than one cell."""
        return len(self.header) > 1 and self.agreeing == self.rows


class FoundBy(StrEnum):
    """Why an encoding or a delimiter was chosen."""

    NAMED = "named"
    """The caller or the file names it: a byte order mark, `sep=;`."""
    CONTENT = "content"
    """Nothing else fits the file."""
    GUESS = "guess"
    """Others are possible."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the CSV of a resource is read, stored with the job."""

    encoding: str
    encoding_by: FoundBy
    delimiter: str
    delimiter_by: FoundBy
    also_fits: tuple[str, ...] = ()
    """Other delimiters under which the header and the first rows agree."""
    left_out: tuple[str, ...] = ()
    """Header texts of the columns that no mapping reads, in file order."""
    stray_quotes: int = 0
    """Rows in which quotes were read as ordinary characters."""
    first_stray_quote: int | None = None
    """The number of the first of these rows; the row after the header is 1."""
    assumed: Mapping[str, str] = field(default_factory=dict)
    """The formats that were assumed for columns without a format, by their header texts, where some
    cell fits another format too: `MM/dd/yyyy` for 03/04/2024, `#,###.##` for 1,234."""

    def with_stray_quotes(self, rows: int, first: int | None) -> Reading:
        """Returns the same reading with that many further rows; `first` is the first of them."""
        firsts = [row for row in (self.first_stray_quote, first) if row is not None]
        return replace(
            self,
            stray_quotes=self.stray_quotes + rows,
            first_stray_quote=min(firsts, default=None),
        )
