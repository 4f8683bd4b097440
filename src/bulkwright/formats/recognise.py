"""Which format a file has: by its content, then by its name. A format that is named is checked."""

from __future__ import annotations

import json
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO

from bulkwright.domain.errors import FileNotSupported, InvalidFileFormat
from bulkwright.domain.file_format import FileFormat, FormatBy, Origin
from bulkwright.formats.gzip import GZIP_MAGIC
from bulkwright.formats.zip_directory import read_directory

_HEAD_BYTES = 64 * 1024
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET_MAGIC = b"PAR1"
_WORKBOOK_MEMBERS = {"[Content_Types].xml", "workbook.xml"}
_REFUSED = (
    (b"PARE", "an encrypted Parquet file; write it without encryption"),
    (
        b"\xd0\xcf\x11\xe0",
        "a workbook with a password, or of the old form .xls; save it as .xlsx without a password",
    ),
)
_BY_NAME = {
    ".zip": FileFormat.ZIP,
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.TSV,
    ".tab": FileFormat.TSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".json": FileFormat.JSONL,
    ".parquet": FileFormat.PARQUET,
    ".xlsx": FileFormat.XLSX,
    ".xlsm": FileFormat.XLSX,
}
_BINARY = (FileFormat.ZIP, FileFormat.PARQUET, FileFormat.XLSX)
"""They begin with bytes of their own, so that the content always shows them."""


def recognise(
    file: BinaryIO, name: str, named: FileFormat | None = None, sheet: str | None = None
) -> Origin:
    """Returns what a file is. It is left at its start.

    Raises FileNotSupported if it has a format that is not read, or another one than the named one;
    InvalidFileFormat if its name is that of a zip or a gzip is damaged.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    packed = head.startswith(GZIP_MAGIC)
    suffix = _suffix(name, packed=packed)
    content = _of_content(_unpacked(head) if packed else head, None if packed else file)
    file.seek(0)
    if packed and content in _BINARY:
        raise FileNotSupported(
            f"The gzip holds {content.words}; unpack the gzip, and send what it holds"
        )
    origin = _decide(content, suffix, named, packed=packed)
    if sheet is not None and origin.format is not FileFormat.XLSX:
        raise FileNotSupported(f"The file is {origin.format.words}, which has no sheets; name none")
    return Origin(origin.format, origin.found_by, packed, sheet)


def _decide(
    content: FileFormat | None, suffix: str, named: FileFormat | None, *, packed: bool
) -> Origin:
    by_name = _BY_NAME.get(suffix)
    wanted = named or by_name
    if content in _BINARY:
        if named not in (None, content):
            raise FileNotSupported(f"The file is {content.words}, not {_words(named)}")
        return Origin(content, FormatBy.CONTENT if named is None else FormatBy.NAMED)
    if wanted in _BINARY:
        if wanted is FileFormat.ZIP and not packed:
            raise InvalidFileFormat("The file is no zip; name it after what it is")
        raise FileNotSupported(
            f"The file is named as {_words(wanted)}, but does not begin like one; it is "
            "damaged, or has another format"
        )
    if named is not None:
        return Origin(named, FormatBy.NAMED)
    if content is not None:
        return Origin(content, FormatBy.CONTENT)
    if by_name is not None:
        return Origin(by_name, FormatBy.FILE_NAME)
    return Origin(FileFormat.CSV, FormatBy.CONTENT)


def _of_content(head: bytes, file: BinaryIO | None) -> FileFormat | None:
    """Returns the format that the first bytes show; None for any other text."""
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise FileNotSupported(f"The file is {what}")
    if head.startswith(_PARQUET_MAGIC):
        return FileFormat.PARQUET
    if head.startswith(_ZIP_MAGICS):
        return FileFormat.XLSX if file is not None and is_workbook(file) else FileFormat.ZIP
    line, _, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").partition(b"\n")
    if line.startswith(b"{"):
        try:
            return FileFormat.JSONL if isinstance(json.loads(line), dict) else None
        except (ValueError, RecursionError):
            return None
    return None


def is_workbook(file: BinaryIO) -> bool:
    """Returns whether a file that begins like a zip is an XLSX workbook."""
    try:
        directory = read_directory(file)
    except InvalidFileFormat:
        return False  # the reader of zips says what is wrong
    return not directory.csvs and set(directory.other_names) >= _WORKBOOK_MEMBERS


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, _HEAD_BYTES)
    except zlib.error as error:
        raise InvalidFileFormat("The gzip is damaged") from error


def _suffix(name: str, *, packed: bool) -> str:
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if packed and path.suffix == ".gz" else path.suffix


def _words(format: FileFormat | None) -> str:
    return "" if format is None else format.words
