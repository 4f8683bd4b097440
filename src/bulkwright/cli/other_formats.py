"""A file of `write` that is neither a CSV nor a zip: it becomes a zip with one CSV."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bulkwright.cli.failure import fail
from bulkwright.cli.job_options import JobOptions
from bulkwright.domain.errors import RequestError
from bulkwright.domain.file_format import FileFormat
from bulkwright.domain.limits import SERVICE
from bulkwright.formats.conversion import convert, csv_name
from bulkwright.formats.recognise import recognise


@contextmanager
def as_csv(path: Path, options: JobOptions) -> Iterator[tuple[Path, JobOptions]]:
    """Yields the file and the options of a CSV or a zip; otherwise those of the zip it becomes.

    Ends the process if the file cannot be converted.
    """
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        try:
            found = _converted(path, options, Path(folder))
        except RequestError as error:
            fail(f"{path.name}: {error.message}.")
        yield found


def _converted(path: Path, options: JobOptions, folder: Path) -> tuple[Path, JobOptions]:
    named = None if options.file_format is None else FileFormat(options.file_format)
    with path.open("rb") as file:
        origin = recognise(file, path.name, named, options.sheet)
        if not origin.is_unicode:
            if origin.format is FileFormat.TSV:
                options = replace(options, delimiter=options.delimiter or "tab")
            return path, options
        if options.encoding or options.delimiter:
            fail(
                f"{path.name} is {origin.format.words}; --encoding and --delimiter are for a CSV. "
                "Leave them out."
            )
        made = (folder / csv_name(path.name)).with_suffix(".zip")
        with made.open("wb") as target:
            convert(file, path.name, origin, target, SERVICE.csv_bytes)
    return made, replace(options, encoding="UTF-8", delimiter="comma")
