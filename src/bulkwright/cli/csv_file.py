"""Saves result zips for people."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from typing import IO, BinaryIO

from bulkwright.formats.csv import CsvWriter


def copy_result(result: BinaryIO, out: IO[bytes], *, quote_formulas: bool) -> None:
    """Copies a result zip; with `quote_formulas`, no cell of its CSVs is a formula then.

    A result whose formulas are quoted already stays as it is, apart from its compression.
    """
    if not quote_formulas:
        shutil.copyfileobj(result, out)
        return
    with (
        zipfile.ZipFile(result) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            with (
                io.TextIOWrapper(source.open(name), "utf-8", newline="") as lines,
                target.open(name, "w", force_zip64=True) as member,
                io.TextIOWrapper(member, "utf-8", newline="") as written,
            ):
                writer = CsvWriter(written, quote_formulas=True)
                for line in csv.reader(lines):
                    writer.write(line)
