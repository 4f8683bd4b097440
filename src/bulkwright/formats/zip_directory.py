"""The directory of an uploaded zip, checked against the file.

In:   a seekable file of bytes (only `read` and `seek` are used).
Out:  the CSVs in the zip and where their packed bytes are, and the names of the other files.

Python's zipfile reads the directory and nothing else. Everything that the directory declares is
then compared with the file itself: each local header, and the ranges that the members occupy.
A declared size is compared, never trusted and never allocated. A zip inside a zip is a member like
any other; it is never opened.
"""

from __future__ import annotations

import errno
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

from bulkwright.domain import limits
from bulkwright.domain.errors import InvalidFileFormat

_DIRECTORY_BYTES = 1 * limits.MiB
"""The directory is read in one piece; a thousand members with long names stay below this."""

STORED, DEFLATED = 0, 8
"""The compression methods that are read."""

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20
_SIZES_FOLLOW = 0x8
_UTF8_NAME = 0x800
_MAX_DEFLATE_RATIO = 1032
"""Deflate cannot pack tighter than 1032 to 1; a directory with a higher ratio is wrong."""
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that are removed from a name."""


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file inside the zip."""

    name: str
    """Safe to show: a base name without control or direction characters, never empty."""
    size: int
    """Bytes when inflated, as the directory declares; reading fails if that is not so."""
    packed_size: int
    crc: int
    method: int
    """STORED or DEFLATED."""
    data_start: int
    """Where its packed bytes begin in the zip."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The members of a zip, in the order of its directory."""

    csvs: tuple[ArchiveMember, ...]
    """The members whose name ends with .csv, in any folder and any case."""
    other_names: tuple[str, ...]
    """Names of the other files; folders and the files that file managers add are left out."""


def read_directory(source: BinaryIO) -> Directory:
    """Read the directory of a zip and check it against the file.

    Raises InvalidFileFormat, with the reason, for anything but an intact, unencrypted zip of stored
    or deflated members that do not overlap. Raises OSError only as `source` raises it.
    """
    entries, directory_start = _read_entries(source)
    if len(entries) > limits.ARCHIVE_MEMBERS:
        raise InvalidFileFormat(
            f"The zip has {len(entries)} members; at most {limits.ARCHIVE_MEMBERS} are allowed"
        )
    csvs: list[ArchiveMember] = []
    other_names: list[str] = []
    ranges: list[tuple[int, int]] = []
    for entry in entries:
        _reject_unsupported(entry)
        if not 0 <= entry.header_offset < directory_start:
            raise InvalidFileFormat("The zip's directory points outside the file")
        start = _data_start(source, entry)
        ranges.append((entry.header_offset, start + entry.compress_size))
        path = _path(entry)
        if _is_ignored(path):
            continue
        name = safe_name(path)
        if name.lower().endswith(".csv"):
            csvs.append(
                ArchiveMember(
                    name,
                    size=entry.file_size,
                    packed_size=entry.compress_size,
                    crc=entry.CRC,
                    method=entry.compress_type,
                    data_start=start,
                )
            )
        else:
            other_names.append(name)
    _reject_overlaps(ranges, directory_start)
    return Directory(tuple(csvs), tuple(other_names))


def safe_name(path: str) -> str:
    """Returns the last part of a path, without invisible characters; never an empty string.

    At most `limits.MEMBER_NAME` characters are kept, a short extension among them.
    """
    base = re.split(r"[/\\]", path)[-1]
    name = "".join(c for c in base if unicodedata.category(c) not in _INVISIBLE).strip()
    if len(name) > limits.MEMBER_NAME:
        stem, dot, extension = name.rpartition(".")
        kept = dot + extension if stem and len(extension) <= 10 else ""
        name = name[: limits.MEMBER_NAME - len(kept)] + kept
    return name or "unnamed"


class _BoundedFile(io.RawIOBase):
    """The file as zipfile may use it: no read above _DIRECTORY_BYTES, no seek before the start.

    An OSError of the file is kept in `failure`, because zipfile would report it as a bad zip.
    """

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.failure: OSError | None = None

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset < 0:
            # As a real file would; zipfile searches there for records that small zips do not have.
            raise OSError(errno.EINVAL, "offset before the start of the file")
        if whence == io.SEEK_END and offset < 0:
            offset += self._source.seek(0, io.SEEK_END)
            return self.seek(offset)
        try:
            return self._source.seek(offset, whence)
        except OSError as error:
            self.failure = error
            raise

    def read(self, size: int = -1) -> bytes:
        most = _DIRECTORY_BYTES + 1
        try:
            data = self._source.read(most if size < 0 else min(size, most))
        except OSError as error:
            self.failure = error
            raise
        if len(data) == most:
            raise InvalidFileFormat("The zip's directory is too large")
        return data


def _read_entries(source: BinaryIO) -> tuple[list[zipfile.ZipInfo], int]:
    """The entries of the directory, and where in the file it begins."""
    bounded = _BoundedFile(source)
    try:
        with zipfile.ZipFile(cast(BinaryIO, bounded)) as directory:
            return directory.infolist(), directory.start_dir
    except InvalidFileFormat:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, struct.error) as error:
        if bounded.failure:
            raise bounded.failure from None
        raise InvalidFileFormat from error
    except UnicodeDecodeError as error:
        raise InvalidFileFormat("The zip says a name is UTF-8, and it is not") from error
    except (NotImplementedError, RuntimeError) as error:
        raise InvalidFileFormat("The zip needs a feature that is not supported") from error
    except OSError:
        if bounded.failure:
            raise
        raise InvalidFileFormat from None
    except (ValueError, LookupError, ArithmeticError, EOFError, zlib.error) as error:
        raise InvalidFileFormat from error


def _reject_unsupported(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise InvalidFileFormat("The zip is encrypted; upload it without a password")
    if entry.flag_bits & _PATCHED or entry.compress_type not in (STORED, DEFLATED):
        raise InvalidFileFormat(
            "The zip uses a compression method other than deflate; pack it as an ordinary zip"
        )
    if entry.volume:
        raise InvalidFileFormat("The zip is one part of several; upload it as one file")
    file_type = stat.S_IFMT(entry.external_attr >> 16)
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidFileFormat("The zip holds a link or a device; only files are supported")
    ratio = 1 if entry.compress_type == STORED else _MAX_DEFLATE_RATIO
    if entry.file_size > entry.compress_size * ratio:
        raise InvalidFileFormat("The zip declares a size that its data cannot have")


def _data_start(source: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where the member's data begin, by its local header, which must agree with the directory."""
    name = _name_bytes(entry)
    source.seek(entry.header_offset)
    header = source.read(_LOCAL_HEADER.size + len(name))
    if len(header) < _LOCAL_HEADER.size + len(name) or not header.startswith(b"PK\x03\x04"):
        raise InvalidFileFormat("The zip's directory points to where no member begins")
    (_, _, flags, method, _, _, crc, packed, size, name_size, extra_size) = (
        _LOCAL_HEADER.unpack_from(header)
    )
    same = (method, name_size) == (entry.compress_type, len(name))
    if not same or header[_LOCAL_HEADER.size :] != name or flags & _ENCRYPTED:
        raise InvalidFileFormat("A member of the zip is not what the zip's directory says")
    if not flags & _SIZES_FOLLOW:
        local = (crc, packed, size)
        declared = (entry.CRC, entry.compress_size, entry.file_size)
        if any(a not in (b, 0xFFFFFFFF) for a, b in zip(local, declared, strict=True)):
            raise InvalidFileFormat("A member of the zip is not what the zip's directory says")
    return entry.header_offset + _LOCAL_HEADER.size + int(name_size) + int(extra_size)


def _reject_overlaps(ranges: list[tuple[int, int]], directory_start: int) -> None:
    previous_end = 0
    for start, end in sorted(ranges):
        if start < previous_end:
            raise InvalidFileFormat("Members of the zip overlap")
        previous_end = end
    if previous_end > directory_start:
        raise InvalidFileFormat("A member of the zip is larger than the file")


def _name_bytes(entry: zipfile.ZipInfo) -> bytes:
    """The name as the file holds it; zipfile has decoded it from one of two encodings."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8_NAME else "cp437")


def _path(entry: zipfile.ZipInfo) -> str:
    """The path to show: many programs write UTF-8 without declaring it."""
    try:
        return _name_bytes(entry).decode()
    except UnicodeDecodeError:
        return entry.orig_filename


def _is_ignored(path: str) -> bool:
    """Folders, and what file managers add: `__MACOSX/...`, `.DS_Store` and other dot files."""
    parts = re.split(r"[/\\]", path)
    return (not parts[-1] and len(parts) > 1) or parts[0] == "__MACOSX" or parts[-1][:1] == "."
