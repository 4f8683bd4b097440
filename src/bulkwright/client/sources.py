"""What can be written: a file, an open file, records, or a table. Each becomes zips of one CSV.

A CSV and a zip are sent as they are, byte for byte, unless they must be split. Everything else
becomes a CSV in UTF-8 whose header has the names of the keys or columns.
"""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

from bulkwright.domain.errors import FileError
from bulkwright.domain.limits import SERVICE
from bulkwright.formats.cells import cell_text
from bulkwright.formats.conversion import convert, csv_name
from bulkwright.formats.recognise import recognise

_BLOCK_BYTES = 1 << 20
_ROWS_AT_ONCE = 1_000

Record = Mapping[str, object]
Source = str | Path | IO[bytes] | Iterable[Record] | Any
"""A path to a CSV, TSV, JSON lines, Parquet, XLSX or a zip, such a file that is open for reading
bytes, records, or a frame of Polars, pandas or Arrow (any object with `__arrow_c_stream__`)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a source is read, and how much of it one job may have."""

    rows: int | None = None
    """The most rows of a job; None if one job takes all of them."""
    encoding: str = "utf-8-sig"
    """Of a CSV that must be split, or whose header must be read."""
    delimiter: str = ","
    """The same."""
    sheet: str | None = None
    """Of a workbook that has several sheets."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """The file of one job."""

    path: Path
    header: Sequence[str] | None
    """The texts of the header; None if the file was not read."""
    encoding: str | None = None
    """Of a CSV that was written here; None for one that is sent as it is."""


def pieces(source: Source, folder: Path, shape: Shape, *, with_header: bool) -> Iterator[JobFile]:
    """Yields the zips of a source, one for each job; each is in `folder`, or is the given file.

    With `with_header` each piece knows its header. Raises ValueError for a zip that has to be read
    and does not have one CSV, a CSV without a header, records whose keys differ from those of the
    first, a value that no cell can hold, and a source of another kind; UnicodeDecodeError (a
    ValueError too) for a CSV in another encoding.
    """
    try:
        yield from _pieces(source, folder, shape, with_header=with_header)
    except FileError as error:
        raise ValueError(error.message) from error
    except csv.Error as error:
        raise ValueError(f"the CSV cannot be split into jobs: {error}") from error


def _pieces(source: Source, folder: Path, shape: Shape, *, with_header: bool) -> Iterator[JobFile]:
    if isinstance(source, str | Path):
        yield from _of_path(Path(source), folder, shape, with_header=with_header)
    elif hasattr(source, "read"):
        copy = folder / "data.csv"
        with copy.open("wb") as file:
            shutil.copyfileobj(cast("IO[bytes]", source), file, _BLOCK_BYTES)
        yield from _of_path(copy, folder, shape, with_header=with_header)
    else:
        header, rows = _table(source)
        yield from _written(header, rows, folder, shape)


def _of_path(path: Path, folder: Path, shape: Shape, *, with_header: bool) -> Iterator[JobFile]:
    with path.open("rb") as file:
        origin = recognise(file, path.name, sheet=shape.sheet)
        whole = folder / "whole"  # no name of a part is in there
        whole.mkdir(exist_ok=True)
        made = (whole / csv_name(path.name)).with_suffix(".zip")
        if origin.is_unicode or origin.gzip:
            with made.open("wb") as target:
                convert(file, path.name, origin, target, SERVICE.csv_bytes)
    if origin.delimiter is not None:
        shape = replace(shape, delimiter=origin.delimiter)
    if origin.is_unicode:
        yield from _of_converted(made, folder, replace(shape, encoding="utf-8"))
        return
    if origin.gzip:
        path = made
    if shape.rows is not None and _rows_of(path, shape) > shape.rows:
        yield from _split(path, folder, shape)
        return
    header = _header_of(path, shape) if with_header else None
    if not zipfile.is_zipfile(path):
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(path, f"{path.stem}.csv")
        path = made
    yield JobFile(path, header)


def _of_converted(made: Path, folder: Path, shape: Shape) -> Iterator[JobFile]:
    """Yields the zip of a file of another format, or several if it has more rows than a job."""
    if shape.rows is not None and _rows_of(made, shape) > shape.rows:
        yield from _split(made, folder, shape)
    else:
        yield JobFile(made, _header_of(made, shape), "UTF-8")


def _split(path: Path, folder: Path, shape: Shape) -> Iterator[JobFile]:
    with _rows(path, shape, strict=True) as rows:
        yield from _written(_first(rows, path.name), rows, folder, shape)


def _rows_of(path: Path, shape: Shape) -> int:
    with _rows(path, shape) as rows:
        return sum(1 for _ in rows) - 1


def _header_of(path: Path, shape: Shape) -> Sequence[str]:
    with _rows(path, shape) as rows:
        return _first(rows, path.name)


@contextmanager
def _rows(path: Path, shape: Shape, *, strict: bool = False) -> Iterator[Iterator[list[str]]]:
    """Opens the rows of a CSV, or of the only one in a zip; the header is the first of them."""
    with ExitStack() as stack:
        if zipfile.is_zipfile(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise ValueError(f"{path.name} has {len(names)} CSVs; a job takes a zip with one")
            data: IO[bytes] = stack.enter_context(archive.open(names[0]))
        else:
            data = stack.enter_context(path.open("rb"))
        text = stack.enter_context(io.TextIOWrapper(data, shape.encoding, newline=""))
        yield csv.reader(text, delimiter=shape.delimiter, strict=strict)


def _first(rows: Iterator[list[str]], name: str) -> list[str]:
    header = next(rows, None)
    if not header:
        raise ValueError(f"{name} has no header")
    return header


def _table(source: Any) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    """Returns the header and the rows of records or of a frame."""
    if hasattr(source, "collect_schema") and hasattr(source, "collect"):
        source = source.collect()  # a lazy frame
    if hasattr(source, "to_dict") and hasattr(source, "iloc"):
        return _of_pandas(source)
    if hasattr(source, "__arrow_c_stream__"):
        import polars as pl  # only for those who have such a table

        frame = pl.DataFrame(source)
        return frame.columns, (tuple(map(cell_text, row)) for row in frame.iter_rows())
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise ValueError(
            f"{type(source).__name__} cannot be written; give a path, a file that is open for "
            "reading bytes, an iterable of dicts, or a frame of Polars, pandas or Arrow"
        )
    return _of_records(iter(source))


def _of_pandas(frame: Any) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    # Each of pandas' missing values (None, NaN, NaT, NA) becomes None.
    columns = [str(name) for name in frame.columns]
    cells = frame.astype(object).where(frame.notna(), None)
    return columns, (tuple(map(cell_text, row)) for row in cells.itertuples(index=False, name=None))


def _of_records(records: Iterator[Record]) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    first = next(records, None)
    if first is None:
        raise ValueError("there are no records to write")
    header = list(first)
    known = frozenset(header)

    def rows() -> Iterator[Sequence[str]]:
        for number, record in enumerate(chain([first], records), 1):
            if extra := record.keys() - known:
                raise ValueError(
                    f"record {number} has {', '.join(map(repr, sorted(extra)))}, which the first "
                    "record lacks; give every key in the first record"
                )
            yield [cell_text(record.get(name)) for name in header]

    return header, rows()


def _written(
    header: Sequence[str], rows: Iterator[Sequence[str]], folder: Path, shape: Shape
) -> Iterator[JobFile]:
    """Yields zips of at most `shape.rows` rows each; the rows are read when they are needed."""
    rows = iter(rows)
    for number in range(1, 1_000_000):
        some = list(islice(rows, 1))
        if not some and number > 1:
            return
        path = folder / f"data-{number}.zip"
        left = (
            chain(some, rows) if shape.rows is None else chain(some, islice(rows, shape.rows - 1))
        )
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(f"data-{number}.csv", "w", force_zip64=True) as member,
            io.TextIOWrapper(member, "utf-8", newline="", write_through=False) as text,
        ):
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(header)
            while block := list(islice(left, _ROWS_AT_ONCE)):
                writer.writerows(block)
        yield JobFile(path, header, "UTF-8")
