"""Turns a file of any format into a zip with one CSV in UTF-8, the form that jobs read.

A CSV keeps its bytes. JSON lines, Parquet and XLSX are read in a process of their own
(`__main__.py`): its memory and its time are limited, it has no secrets, and the server stays free
of their readers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Protocol

from bulkwright.domain.errors import FileNotSupported, FileTooLarge, InvalidFileFormat
from bulkwright.domain.file_format import Origin
from bulkwright.domain.limits import MEMBER_NAME, MiB
from bulkwright.formats.gzip import inflated

REFUSED = 3
"""Exit status of the process if the file cannot be converted; its last line says why."""
_ERROR_BYTES = 64 * 1024
_KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
_KEPT_PREFIXES = ("PYTHON", "COV")


class ZipTarget(Protocol):
    """Where the zip goes."""

    def write(self, data: bytes, /) -> object:
        """Appends bytes."""
        ...


def convert(file: BinaryIO, name: str, origin: Origin, target: ZipTarget, max_bytes: int) -> None:
    """Writes the zip of a file that is no zip to `target`. `file` must be a file of the disk.

    The CSV in it has the name of the file. Raises FileTooLarge as soon as the CSV has more than
    `max_bytes`; FileNotSupported and InvalidFileFormat if the file cannot be converted.
    """
    entry = zipfile.ZipInfo(csv_name(name), (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    size = 0
    with (
        zipfile.ZipFile(_Appended(target), "w", compresslevel=1) as archive,  # type: ignore[call-overload]  # it needs no more of a file
        archive.open(entry, "w", force_zip64=True) as member,
        csv_text(file, origin, max_bytes) as pieces,
    ):
        for piece in pieces:
            size += len(piece)
            if size > max_bytes:
                raise FileTooLarge(details={"limit": max_bytes})
            member.write(piece)


def csv_name(name: str) -> str:
    """Returns the name of the CSV that a file becomes: `leads.csv` for `leads.jsonl.gz`."""
    base = re.split(r"[/\\]", re.sub(r"\.gz$", "", name, flags=re.IGNORECASE))[-1]
    stem = re.sub(r"(?<=.)\.[^.]*$", "", base)
    shown = "".join(sign for sign in stem if sign.isprintable()).strip(". ")
    return f"{shown[: MEMBER_NAME - 4] or 'data'}.csv"


@contextmanager
def csv_text(file: BinaryIO, origin: Origin, max_bytes: int) -> Iterator[Iterator[bytes]]:
    """Yields the pieces of the CSV that a file becomes."""
    file.seek(0)
    if origin.is_unicode:
        with _read_by_process(file, origin, max_bytes) as pieces:
            yield pieces
    elif origin.gzip:
        yield inflated(file, max_bytes)
    else:
        yield iter(lambda: file.read(MiB), b"")


@contextmanager
def _read_by_process(file: BinaryIO, origin: Origin, max_bytes: int) -> Iterator[Iterator[bytes]]:
    command = (sys.executable, "-m", "bulkwright.formats", origin.format.value, str(max_bytes))
    options = ("gzip" if origin.gzip else "", origin.sheet or "")
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            (*command, *options),
            stdin=file.fileno(),
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            yield _pieces(process, process.stdout, errors, origin)
        finally:
            process.stdout.close()
            process.kill()
            process.wait()
            # The process has moved the position that both share. What was read ahead of the old
            # one is dropped: closing the file would go back by its length, maybe before the start.
            file.seek(0, os.SEEK_END)


def _pieces(
    process: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes], origin: Origin
) -> Iterator[bytes]:
    while piece := output.read(MiB):
        yield piece
    status = process.wait()
    if status == 0:
        return
    errors.seek(0)
    last = (errors.read(_ERROR_BYTES).splitlines() or [b""])[-1]
    if status == REFUSED:
        kind, message = json.loads(last)
        raise _ERRORS[kind](message)
    if status < 0:
        raise FileNotSupported(
            f"{origin.format.words.capitalize()} of this size or structure cannot be converted: "
            "it takes too much memory or time; divide it, or send it as CSV"
        )
    raise RuntimeError(f"the conversion ended with status {status}: {last!r}")


_ERRORS = {each.__name__: each for each in (FileNotSupported, FileTooLarge, InvalidFileFormat)}


def _environment() -> dict[str, str]:
    """Returns the variables of the process: none that may be a secret."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)
    }


class _Appended:
    """A file of which `zipfile` uses no more than this; so it does not seek."""

    def __init__(self, target: ZipTarget) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept here."""
