"""The uploaded zip: one safe reading of it.

In:   a seekable file of bytes (only `read` and `seek` are used).
Out:  the names of its members, and the text of one of them as a stream of bytes.

Python's zipfile reads the directory and nothing else. Everything the directory says is then held
against the file itself: each local header, the ranges the members occupy, and, while inflating,
the size and the checksum. Declared sizes are compared, never believed and never allocated.
A zip inside a zip is a member like any other; it is never opened.
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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from isal import isal_zlib

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported, FileTooLarge, InvalidFileFormat

DIRECTORY_BYTES = 1 * limits.MiB
"""The directory is read in one piece; a thousand members with long names stay below this."""
INPUT_BYTES = 128 * 1024
"""Packed bytes handed to the inflater at a time."""

_STORED, _DEFLATED = 0, 8
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20
_SIZES_FOLLOW = 0x8
_UTF8_NAME = 0x800
_MOST_DEFLATE_GAINS = 1032
"""Deflate cannot pack tighter than 1032 to 1; a directory that says so lies."""
_DAMAGE = (zlib.error, cast(type[Exception], isal_zlib.IsalError), ValueError)
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside the zip."""

    name: str
    """Safe to show: a base name without control or direction characters, never empty."""
    size: int
    """Its size when inflated, as the directory says; the stream fails where that is not so."""
    packed_size: int
    crc: int
    method: int
    data_start: int
    """Where its packed bytes begin in the zip."""


class Archive:
    """An uploaded zip whose directory has been checked. Made by `open_archive`."""

    def __init__(self, source: BinaryIO, csvs: tuple[Member, ...], others: tuple[str, ...]) -> None:
        self._source = source
        self.csvs = csvs
        """The members whose name ends with .csv, in any folder and any case."""
        self.others = others
        """Names of the other real files; folders and what file managers add are left out."""

    def the_csv(self) -> Member:
        """The one CSV of the zip; other files beside it do not matter.

        Raises FileNotSupported when there is none, or more than one.
        """
        if not self.csvs:
            beside = f"; it holds {len(self.others)} other file(s)" if self.others else ""
            raise FileNotSupported(f"The zip holds no CSV file{beside}")
        if len(self.csvs) > 1:
            raise FileNotSupported(
                f"The zip holds {len(self.csvs)} CSV files; a bulk write takes exactly one"
            )
        return self.csvs[0]

    def named(self, name: str) -> Member:
        """The one CSV of that name. Raises FileNotSupported when there is none, or several."""
        found = [member for member in self.csvs if member.name == name]
        if len(found) != 1:
            raise FileNotSupported(f"The zip holds {len(found) or 'no'} CSV files named {name}")
        return found[0]

    def stream(self, member: Member, max_bytes: int, block: int = limits.MiB) -> Iterator[bytes]:
        """The member's bytes, in pieces of at most `block` bytes; memory does not grow with it.

        Reading to the end checks the whole member. Raises FileTooLarge as soon as more than
        `max_bytes` are declared or have come out, InvalidFileFormat where the packed data are
        damaged or cut off, or size or checksum differ from what the directory says.
        """
        if member.size > max_bytes:
            raise FileTooLarge(details={"limit": max_bytes})
        size = crc = 0
        for piece in self._unpacked(member, block):
            size += len(piece)
            if size > max_bytes:
                raise FileTooLarge(details={"limit": max_bytes})
            if size > member.size:
                break
            crc = isal_zlib.crc32(piece, crc)
            yield piece
        if size != member.size:
            raise InvalidFileFormat("The CSV's real size differs from the one the zip declares")
        if crc != member.crc:
            raise InvalidFileFormat("The CSV's checksum differs from the one the zip declares")

    def _packed(self, member: Member, most: int) -> Iterator[bytes]:
        position, left = member.data_start, member.packed_size
        while left:
            # Sought each time: two streams of one archive may run side by side.
            self._source.seek(position)
            piece = self._source.read(min(most, left))
            if not piece:
                raise InvalidFileFormat("The zip is cut off")
            position += len(piece)
            left -= len(piece)
            yield piece

    def _unpacked(self, member: Member, block: int) -> Iterator[bytes]:
        if member.method == _STORED:
            yield from self._packed(member, block)
            return
        inflater = isal_zlib.decompressobj(-15)
        for packed in self._packed(member, INPUT_BYTES):
            while packed and not inflater.eof:
                try:
                    piece = inflater.decompress(packed, block)
                except _DAMAGE as error:
                    raise InvalidFileFormat("The zip's compressed data are damaged") from error
                packed = inflater.unconsumed_tail
                if piece:
                    yield piece
            if inflater.eof and (packed or inflater.unused_data):
                raise InvalidFileFormat("The zip's compressed data end before their declared size")
        # What the last piece of input held back because `block` was full.
        while not inflater.eof and (piece := _rest(inflater, block)):
            yield piece
        if not inflater.eof:
            raise InvalidFileFormat("The zip's compressed data are cut off")


def open_archive(source: BinaryIO) -> Archive:
    """Read the directory of a zip and check it against the file.

    Raises InvalidFileFormat, saying what is wrong, for anything but a sound, unencrypted zip of
    stored or deflated members that do not overlap. Raises OSError only as `source` raises it.
    """
    entries, directory_start = _directory(source)
    if len(entries) > limits.ARCHIVE_MEMBERS:
        raise InvalidFileFormat(
            f"The zip has {len(entries)} members; at most {limits.ARCHIVE_MEMBERS} are allowed"
        )
    csvs: list[Member] = []
    others: list[str] = []
    ranges: list[tuple[int, int]] = []
    for entry in entries:
        _refuse_what_is_never_read(entry)
        if not 0 <= entry.header_offset < directory_start:
            raise InvalidFileFormat("The zip's directory points outside the file")
        start = _data_start(source, entry)
        ranges.append((entry.header_offset, start + entry.compress_size))
        path = _path(entry)
        if _is_noise(path):
            continue
        name = safe_name(path)
        if name.lower().endswith(".csv"):
            csvs.append(
                Member(
                    name,
                    entry.file_size,
                    entry.compress_size,
                    entry.CRC,
                    entry.compress_type,
                    start,
                )
            )
        else:
            others.append(name)
    _refuse_overlaps(ranges, directory_start)
    return Archive(source, tuple(csvs), tuple(others))


def safe_name(path: str) -> str:
    """The last part of a path, fit to be shown: no folder, no unseen character, never empty.

    At most `limits.MEMBER_NAME` characters are kept, a short extension among them.
    """
    base = re.split(r"[/\\]", path)[-1]
    shown = "".join(c for c in base if unicodedata.category(c) not in _UNSEEN).strip()
    if len(shown) > limits.MEMBER_NAME:
        stem, dot, extension = shown.rpartition(".")
        kept = dot + extension if stem and len(extension) <= 10 else ""
        shown = shown[: limits.MEMBER_NAME - len(kept)] + kept
    return shown or "unnamed"


class _Cautious(io.RawIOBase):
    """The file as zipfile may see it: no huge read, no seek before the start.

    A failure of the real file is kept, since zipfile would call it a bad zip.
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
            # As a real file would; zipfile looks there for what small zips do not have.
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
        most = DIRECTORY_BYTES + 1
        try:
            data = self._source.read(most if size < 0 else min(size, most))
        except OSError as error:
            self.failure = error
            raise
        if len(data) == most:
            raise InvalidFileFormat("The zip's directory is too large")
        return data


def _directory(source: BinaryIO) -> tuple[list[zipfile.ZipInfo], int]:
    guarded = _Cautious(source)
    try:
        with zipfile.ZipFile(cast(BinaryIO, guarded)) as directory:
            return directory.infolist(), directory.start_dir
    except InvalidFileFormat:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, struct.error) as error:
        if guarded.failure:
            raise guarded.failure from None
        raise InvalidFileFormat from error
    except UnicodeDecodeError as error:
        raise InvalidFileFormat("The zip says a name is UTF-8, and it is not") from error
    except (NotImplementedError, RuntimeError) as error:
        raise InvalidFileFormat("The zip needs a feature that is not supported") from error
    except OSError:
        if guarded.failure:
            raise
        raise InvalidFileFormat from None
    except (ValueError, LookupError, ArithmeticError, EOFError, zlib.error) as error:
        raise InvalidFileFormat from error


def _refuse_what_is_never_read(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise InvalidFileFormat("The zip is encrypted; upload it without a password")
    if entry.flag_bits & _PATCHED or entry.compress_type not in (_STORED, _DEFLATED):
        raise InvalidFileFormat(
            "The zip uses a compression method other than deflate; pack it as an ordinary zip"
        )
    if entry.volume:
        raise InvalidFileFormat("The zip is one part of several; upload it as one file")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidFileFormat("The zip holds a link or a device; only files are supported")
    gain = 1 if entry.compress_type == _STORED else _MOST_DEFLATE_GAINS
    if entry.file_size > entry.compress_size * gain:
        raise InvalidFileFormat("The zip declares a size that its data cannot have")


def _data_start(source: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where the member's data begin, by its local header, which must agree with the directory."""
    name = _name_bytes(entry)
    source.seek(entry.header_offset)
    header = source.read(_LOCAL.size + len(name))
    if len(header) < _LOCAL.size + len(name) or not header.startswith(b"PK\x03\x04"):
        raise InvalidFileFormat("The zip's directory points to where no member begins")
    (_, _, flags, method, _, _, crc, packed, size, name_size, extra_size) = _LOCAL.unpack_from(
        header
    )
    same = (method, name_size) == (entry.compress_type, len(name))
    if not same or header[_LOCAL.size :] != name or flags & _ENCRYPTED:
        raise InvalidFileFormat("A member of the zip is not what the zip's directory says")
    if not flags & _SIZES_FOLLOW:
        declared = (crc, packed, size)
        known = (entry.CRC, entry.compress_size, entry.file_size)
        if any(a not in (b, 0xFFFFFFFF) for a, b in zip(declared, known, strict=True)):
            raise InvalidFileFormat("A member of the zip is not what the zip's directory says")
    return entry.header_offset + _LOCAL.size + int(name_size) + int(extra_size)


def _refuse_overlaps(ranges: list[tuple[int, int]], directory_start: int) -> None:
    end_before = 0
    for start, end in sorted(ranges):
        if start < end_before:
            raise InvalidFileFormat("Members of the zip overlap")
        end_before = end
    if end_before > directory_start:
        raise InvalidFileFormat("A member of the zip is larger than the file")


def _name_bytes(entry: zipfile.ZipInfo) -> bytes:
    """The name as it stands in the file; zipfile keeps it in one of two encodings."""
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8_NAME else "cp437")


def _path(entry: zipfile.ZipInfo) -> str:
    """The name to show: many programs write UTF-8 without saying so."""
    try:
        return _name_bytes(entry).decode()
    except UnicodeDecodeError:
        return entry.orig_filename


def _is_noise(path: str) -> bool:
    """Folders, and what file managers add: `__MACOSX/...`, `.DS_Store` and other dot files."""
    parts = re.split(r"[/\\]", path)
    return (not parts[-1] and len(parts) > 1) or parts[0] == "__MACOSX" or parts[-1][:1] == "."


def _rest(inflater: isal_zlib.Decompress, block: int) -> bytes:
    try:
        return inflater.decompress(inflater.unconsumed_tail, block)
    except _DAMAGE as error:
        raise InvalidFileFormat("The zip's compressed data are damaged") from error
