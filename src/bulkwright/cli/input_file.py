"""The file that `write` is given: a CSV of any name, a zip, a gzip or a pipe; and its header."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bulkwright.cli.failure import fail
from bulkwright.domain.errors import FileNotSupported, RequestError
from bulkwright.domain.limits import SERVICE
from bulkwright.domain.reading import Splitting
from bulkwright.formats.csv import choose, inspect
from bulkwright.formats.recognise import is_workbook
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive

STDIN = Path("-")
_GZIP = b"\x1f\x8b"


@contextmanager
def as_regular_file(path: Path) -> Iterator[Path]:
    """Yields a CSV or a zip that can be read more than once.

    A pipe (or `-`, the standard input) is copied to a temporary file, and a gzip is unpacked to
    one. A name that is not UTF-8 is replaced. Ends the process if there is no such file, or if the
    gzip is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        if path == STDIN:
            path = Path("/dev/stdin")
        if not path.exists() or path.is_dir():
            fail(f"{path} is a folder." if path.is_dir() else f"There is no file {path}")
        if not path.is_file():
            copy = Path(folder) / f"{path.name}.csv"
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            path = copy
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        if packed:
            path = _unpacked(path, Path(folder))
        name = os.fsencode(path.name).decode("utf-8", "replace")
        if name != path.name:
            # A zip, a database and a request have no place for such a name.
            link = Path(folder) / name
            link.symlink_to(path.absolute())
            path = link
        _check_archive(path)
        yield path


@contextmanager
def zipped(path: Path, method: int) -> Iterator[Path]:
    """Yields the file itself if it is a zip, otherwise a temporary zip of it."""
    if zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        made = Path(folder) / f"{path.stem}.zip"
        # Only a member of that ending is a CSV for the service: data.txt becomes data.csv.
        name = path.name if path.suffix.lower() == ".csv" else f"{path.stem}.csv"
        entry = zipfile.ZipInfo.from_file(path, name)
        # Files of equal content make equal zips.
        entry.date_time, entry.compress_type, entry.external_attr = (1980, 1, 1, 0, 0, 0), method, 0
        with (
            zipfile.ZipFile(made, "w", method, compresslevel=1) as archive,
            path.open("rb") as source,
            archive.open(entry, "w") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        yield made


def read_header(
    path: Path, encoding: str | None, delimiters: str, names: Collection[str]
) -> Splitting:
    """Returns the header of a CSV, or of the one CSV in a zip, and its delimiter.

    `names` are columns that it should have; `delimiters` those that it may have. Ends the process
    if it cannot be read.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        try:
            if zipfile.is_zipfile(path):
                archive = open_archive(file)
                pieces = archive.stream(archive.single_csv(), SERVICE.csv_bytes)
            else:
                pieces = iter(lambda: file.read(1 << 20), b"")
            found = inspect(ByteStream(pieces), encoding, None).head.splittings
            allowed = [s for s in found if s.delimiter in delimiters] or list(found[:1])
            return choose(allowed, names)[0]
        except RequestError as error:
            fail(f"{path.name}: {error.message}")


def _check_archive(path: Path) -> None:
    """Ends the process if the file is a zip that holds no CSV, or several."""
    if not zipfile.is_zipfile(path):
        return
    with path.open("rb") as file:
        if is_workbook(file):
            return
        archive = open_archive(file)
        try:
            archive.single_csv()
        except FileNotSupported as error:
            fail(f"{path.name}: {error.message}.")


def _unpacked(path: Path, folder: Path) -> Path:
    name = path.stem if path.suffix.lower() == ".gz" else path.name
    target = folder / (name if Path(name).suffix else f"{name}.csv")
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        fail(f"{path} is a damaged gzip: {error}")
    return target


def bytes_of_rows(path: Path) -> int:
    """Returns the size of a CSV, or of the CSVs in a zip; that of the zip if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        return path.stat().st_size
