"""`python -m bulkwright.formats FORMAT BYTES GZIP SHEET`: the process of a conversion.

In:   the file as the standard input.
Out:  a CSV in UTF-8 on the standard output. If the file cannot be converted, the exit status is 3,
      and the last line on stderr is a JSON list: the class of the error, and its message.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import BinaryIO

from bulkwright.domain.errors import FileError, FileNotSupported
from bulkwright.domain.file_format import FileFormat
from bulkwright.domain.limits import (
    CONVERSION_CPU_SECONDS,
    CONVERSION_MEMORY_BYTES,
    CONVERSION_NICENESS,
    MiB,
)
from bulkwright.formats.conversion import REFUSED
from bulkwright.formats.gzip import inflated


def main(format: str, max_bytes: str, gzip: str, sheet: str) -> int:
    """Converts the standard input; returns the exit status."""
    os.nice(CONVERSION_NICENESS)
    _limit(resource.RLIMIT_AS, CONVERSION_MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, CONVERSION_CPU_SECONDS)
    _limit(resource.RLIMIT_CORE, 0)
    output = sys.stdout.buffer
    try:
        for piece in _pieces(FileFormat(format), int(max_bytes), gzip, sheet):
            output.write(piece)
        output.flush()
    except FileError as error:
        return _refuse(error)
    except MemoryError:
        return _refuse(FileNotSupported("The file takes too much memory; divide it"))
    return 0


def _pieces(format: FileFormat, max_bytes: int, gzip: str, sheet: str) -> Iterator[bytes]:
    file: BinaryIO = sys.stdin.buffer
    file.seek(0)
    if format is FileFormat.JSONL:
        from bulkwright.formats.jsonl import csv_of_jsonl

        return csv_of_jsonl(
            inflated(file, max_bytes) if gzip else iter(lambda: file.read(MiB), b"")
        )
    if format is FileFormat.PARQUET:
        from bulkwright.formats.parquet import csv_of_parquet

        return csv_of_parquet(file)
    try:
        from bulkwright.formats.xlsx import csv_of_xlsx
    except ModuleNotFoundError:
        raise FileNotSupported(
            "XLSX is not read here, because bulkwright[xlsx] is not installed; save the sheet "
            "as CSV"
        ) from None
    return csv_of_xlsx(file, sheet or None, max_bytes)


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _refuse(error: FileError) -> int:
    sys.stderr.write(f"\n{json.dumps([type(error).__name__, error.message])}\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
