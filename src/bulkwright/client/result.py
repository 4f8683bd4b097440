"""The result of a job, row by row or as a frame; and what it has changed, record by record."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO, TYPE_CHECKING, Any
from weakref import finalize

import msgspec

from bulkwright.wire.own_changes import ChangedRecord

if TYPE_CHECKING:
    import polars as pl

_DECODER = msgspec.json.Decoder(ChangedRecord)
_OUTCOME = ("STATUS", "RECORD_ID", "ERRORS")
_STORED = ("ADDED", "UPDATED")


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One row of the file, and what became of it."""

    status: str
    """`ADDED`, `UPDATED`, `SKIPPED` or `UNPROCESSED`."""
    record_id: str | None
    """The record that was added or updated."""
    error: str | None
    """Why the row is not stored, as `CODE-Field` and more; the codes are those of the service."""
    values: dict[str, str]
    """The cells of the mapped columns, by their headers."""

    @property
    def is_stored(self) -> bool:
        """Whether the row was added or has updated a record."""
        return self.status in _STORED


class _Downloaded:
    """Files of one or several jobs, in a folder that is deleted with this object."""

    _ending: str

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="bulkwright-"))
        """Where the files are."""
        self._paths: list[Path] = []
        finalize(self, rmtree, self.folder, ignore_errors=True)

    def new_file(self, job_id: str) -> Path:
        """Returns the path for the file of the next job."""
        self._paths.append(self.folder / f"{job_id}{self._ending}")
        return self._paths[-1]


class JobDiff(_Downloaded):
    """The records that one or several jobs have changed, each with its fields before and after.

    Iterating needs memory for one record.
    """

    _ending = ".jsonl"

    def __iter__(self) -> Iterator[ChangedRecord]:
        """Yields every record."""
        for path in self._paths:
            with path.open("rb") as file:
                yield from map(_DECODER.decode, file)


class JobResult(_Downloaded):
    """The rows of one or several jobs, in the order of their files.

    Iterating needs memory for one row; `to_polars` and `to_pandas` for all of them.
    """

    _ending = ".zip"

    def __iter__(self) -> Iterator[WrittenRow]:
        """Yields every row."""
        for member in self._members():
            for line in csv.DictReader(io.TextIOWrapper(member, "utf-8", newline="")):
                status, record_id, error = (line.pop(name, "") or "" for name in _OUTCOME)
                yield WrittenRow(status, record_id or None, error or None, line)

    def errors(self) -> Iterator[WrittenRow]:
        """Yields the rows that are not stored."""
        return (row for row in self if not row.is_stored)

    def to_polars(self) -> pl.DataFrame:
        """Returns all rows as Strings: the columns of the file, STATUS, RECORD_ID and ERRORS.

        An empty cell is null.
        """
        import polars

        frames = [polars.read_csv(m.read(), infer_schema=False) for m in self._members()]
        return polars.concat(frames) if frames else polars.DataFrame()

    def to_pandas(self) -> Any:
        """Returns the same as a pandas.DataFrame of texts; pandas must be installed."""
        pandas = import_module("pandas")
        frames = [
            pandas.read_csv(m, dtype=str, keep_default_na=False, na_values=[""])
            for m in self._members()
        ]
        return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()

    def _members(self) -> Iterator[IO[bytes]]:
        for path in self._paths:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield member
