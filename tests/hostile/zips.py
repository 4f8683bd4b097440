"""Zips: files that are not zips, wrong or contradictory directories, and bombs."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tests.hostile.case import Case, Done, Outcome, Rejection
from tests.hostile.forging import (
    ROWS,
    Entry,
    archive,
    deflate,
    nested,
    overlapping,
    quoted_overlap,
    zip64_sizes,
)

if TYPE_CHECKING:
    from tests.hostile.target import Target

MiB = 1024 * 1024


@dataclass(frozen=True)
class Zip:
    """Upload a zip and insert the rows of its CSV."""

    make: Callable[[], bytes]

    def __call__(self, target: Target) -> Outcome:
        """Send it."""
        from tests.hostile.target import insert

        file_id = target.upload(self.make())
        return file_id if isinstance(file_id, Rejection) else target.run(insert(file_id))


DAMAGED = Rejection("upload", 200, "INVALID_FILE_FORMAT")
TOO_LARGE = Rejection("upload", 413, "FILE_TOO_LARGE")
NO_CSV = Rejection("create", 400, "FILE_NOT_SUPPORTED", "$.resource[0].file_id")


LAST_ONE = Done(("ADDED",), name="leads.csv")
"""The last directory in the file is the one that counts."""


def three(name: str = "leads.csv") -> Done:
    """The three rows of the valid CSV, under this name."""
    return Done(("ADDED", "ADDED", "ADDED"), name=name)


def case(
    name: str,
    wrong: str,
    make: Callable[[], bytes],
    outcome: Outcome = DAMAGED,
    *,
    group: str = "zip container",
    **more: Any,
) -> Case:
    """A case of this module."""
    return Case(group, name, wrong, Zip(make), outcome, **more)


def one(**lies: Any) -> Callable[[], bytes]:
    """A zip of one entry with these fields."""
    return lambda: archive(Entry(**lies))


def good() -> bytes:
    """An intact zip."""
    return archive(Entry())


def by_zipfile(method: int, *, zip64: bool = False) -> bytes:
    """A zip as Python's zipfile writes it."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", method) as made,
        made.open("leads.csv", "w", force_zip64=zip64) as member,
    ):
        member.write(ROWS)
    return out.getvalue()


class _Streamed(io.RawIOBase):
    """A sink that cannot seek, so that sizes follow the data."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += data
        return len(data)


def streamed() -> bytes:
    """A zip as it is written to a pipe."""
    sink = _Streamed()
    with zipfile.ZipFile(cast(BinaryIO, sink), "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("leads.csv", ROWS)
    return bytes(sink.data)


def tar() -> bytes:
    """A tar of the CSV."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        entry = tarfile.TarInfo("leads.csv")
        entry.size = len(ROWS)
        made.addfile(entry, io.BytesIO(ROWS))
    return out.getvalue()


def noise() -> bytes:
    """Random bytes."""
    return bytes((i * 7919 + i // 3) % 256 for i in range(5000))


def cut(percent: int) -> Callable[[], bytes]:
    """The first `percent` of an intact zip."""
    return lambda: good()[: len(good()) * percent // 100]


def spreadsheet() -> bytes:
    """The files of an xlsx."""
    return archive(Entry(b"<x/>", b"xl/workbook.xml"), Entry(b"<x/>", b"[Content_Types].xml"))


CONTAINER = [
    case("empty_body", "There is not one byte.", lambda: b""),
    case("two_bytes_pk", "The file ends after the first two bytes of a zip.", lambda: b"PK"),
    case("plain_csv", "The CSV was uploaded as it is.", lambda: ROWS),
    case("gzip_csv", "The CSV was packed with gzip.", lambda: gzip.compress(ROWS)),
    case("tar_csv", "The CSV was packed with tar.", tar),
    case("sevenzip_magic", "A 7-Zip archive by its first bytes.",
         lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100)),
    case("pdf_named_zip", "A PDF that was renamed.", lambda: b"%PDF-1.4\n" + bytes(100)),
    case("random_noise", "Five thousand bytes without meaning.", noise),
    case("eocd_only", "A directory without any member.", archive, NO_CSV),
    case("dir_only", "The only member is a folder.",
         lambda: archive(Entry(b"", b"folder/", 0)), NO_CSV),
    case("zero_byte_csv", "The CSV is empty.", one(data=b""), NO_CSV),
    case("two_csv", "There are two CSVs, and nothing says which one is meant.",
         lambda: archive(Entry(), Entry(name=b"more.csv")), NO_CSV),
    case("eleven_csv", "There are more CSVs than a job may have.",
         lambda: archive(*[Entry(name=b"%d.csv" % i) for i in range(11)]), NO_CSV),
    case("csv_plus_txt", "A text file lies beside the CSV.",
         lambda: archive(Entry(), Entry(b"hello", b"readme.txt")), three()),
    case("no_csv_txt", "The CSV is called .txt.", one(name=b"leads.txt"), NO_CSV),
    case("exe_named_csv", "A program that is called .csv.",
         one(data=b"MZ\x90\0\3\0\0\0" + bytes(200)), NO_CSV),
    case("csv_exe_ext", "The last extension is .exe.", one(name=b"leads.csv.exe"), NO_CSV),
    case("xlsx", "A spreadsheet, which is a zip too.", spreadsheet, NO_CSV),
    case("macosx_shadow", "A Mac has added its own files, one of them called .csv.",
         lambda: archive(Entry(), Entry(b"\0\5\x16\7", b"__MACOSX/._leads.csv"),
                         Entry(b"x", b".DS_Store")), three()),
    case("csv_in_folder", "The CSV lies in a folder.",
         lambda: archive(Entry(b"", b"folder/", 0), Entry(name=b"folder/leads.csv")), three()),
    case("upper_ext", "The extension is in capitals.", one(name=b"LEADS.CSV"),
         three("LEADS.CSV")),
    case("stored_method", "The CSV is stored and not deflated.", one(method=0), three()),
    case("fastest_deflate", "It was deflated as quickly as can be.",
         one(packed=deflate(ROWS, 1)), three()),
    case("data_descriptor", "Sizes and checksum follow the data.", streamed, three()),
    case("zip64_small_ok", "A small zip in the form for huge ones.",
         lambda: by_zipfile(zipfile.ZIP_DEFLATED, zip64=True), three()),
    case("zip64_absurd_size", "The size is said to be four exbibytes.",
         one(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=zip64_sizes(1 << 62, 50))),
    case("zip64_extra_short", "The field for large sizes is too short to hold them.",
         one(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=struct.pack("<HHL", 1, 4, 1))),
    case("extra_len_overrun", "The local extra field runs past the end of the file.",
         one(local_extra_size=60000)),
    case("extra_overrun_directory", "An extra field runs past the end of the directory.",
         one(extra=struct.pack("<HH", 1, 50000))),
    case("usize_lies_big", "The declared size is larger than the data.",
         one(size=len(ROWS) + 1000)),
    case("usize_lies_huge", "The declared size is four gigabytes.", one(size=0xFFFFFFF0)),
    case("usize_lies_small", "The declared size is smaller than the data.", one(size=5)),
    case("stored_size_differs", "A stored member is said to be a byte shorter than it is.",
         one(method=0, size=len(ROWS) - 1)),
    case("crc_wrong", "The checksum is not that of the data.", one(crc=1)),
    case("crc_wrong_local_only", "The two headers give different checksums.",
         one(local_crc=1)),
    case("deflate_garbage", "The packed data are no deflate.", one(packed=b"\xff\xfe\xfd" * 20)),
    case("deflate_truncated", "The packed data end too early.",
         lambda: archive(Entry(packed=deflate(ROWS)[:-9]))),
    case("deflate_ends_early", "Something follows the end of the packed data.",
         lambda: archive(Entry(packed=deflate(ROWS) + b"more"))),
    case("truncated_30", "The file ends after 30 percent.", cut(30)),
    case("truncated_60", "The file ends after 60 percent.", cut(60)),
    case("truncated_95", "The file ends after 95 percent.", cut(95)),
    case("eocd_count_high", "The end record counts more members than there are.",
         lambda: archive(Entry(), count=5), three()),
    case("cd_offset_past_end", "The directory is said to begin behind the end of the file.",
         lambda: archive(Entry(), directory_offset=0x7FFFFFFF)),
    case("offset_past_end", "A member is said to begin behind the end of the file.",
         one(offset=0x7FFFFFFF)),
    case("offset_of_64_bits", "A member is said to begin at the last of all numbers.",
         one(offset=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, (1 << 64) - 1))),
    case("no_local_header", "The directory names a member that is not there.",
         one(local=False, offset=0)),
    case("no_local_signature", "The member does not begin as members do.",
         one(local_signature=b"PK\x03\x05")),
    case("multi_disk", "One part of a zip that was split.",
         lambda: archive(Entry(disk=1), disk=1)),
    case("name_mismatch", "The two headers give different names.",
         one(local_name=b"other.exe")),
    case("method_mismatch", "The two headers give different methods.", one(local_method=0)),
    case("size_mismatch", "The two headers give different sizes.", one(local_size=7)),
    case("dup_member_names", "Two members have one name.",
         lambda: archive(Entry(), Entry(b"a,b\n1,2\n")), NO_CSV),
    case("eocd_in_comment", "The comment is a zip of its own.",
         lambda: archive(Entry(), comment=archive(Entry(b"a,b\n9,9\n"))), LAST_ONE),
    case("prefix_junk", "A shell script stands before the zip.",
         lambda: archive(Entry(), prefix=b"#!/bin/sh\nexit\n"), three()),
    case("trailing_junk", "Something follows the zip.",
         lambda: archive(Entry(), suffix=b"junk" * 10), three()),
    case("two_zips", "Two zips, one after the other.", lambda: good() + good(), three()),
    case("comment_64k", "The comment is as long as it can be.",
         lambda: archive(Entry(), comment=b"c" * 65535), three()),
    case("dos_date_zero", "The date is day 0 of month 0.", one(dos_date=0), three()),
    case("dos_date_max", "The date is day 31 of month 15.", one(dos_date=0xFFFF), three()),
    case("method_shrink", "It is packed with method 1 of the eighties.", one(method=1)),
    case("method_implode", "It is packed with method 6.", one(method=6)),
    case("method_deflate64", "It is packed with Deflate64.", one(method=9)),
    case("method_zstd", "It is packed with Zstandard.", one(method=93)),
    case("method_wavpack", "It is packed as sound.", one(method=97)),
    case("method_unknown", "It is packed with an unknown method.", one(method=4711)),
    case("method_bzip2", "It is packed with bzip2.", lambda: by_zipfile(zipfile.ZIP_BZIP2)),
    case("method_lzma", "It is packed with LZMA.", lambda: by_zipfile(zipfile.ZIP_LZMA)),
    case("encrypted_zipcrypto", "It is encrypted in the old way.",
         lambda: archive(Entry(flags=1, packed=bytes(12) + deflate(ROWS)))),
    case("encrypted_aes", "It is encrypted with AES.", one(flags=1, method=99, needs=51)),
    case("central_dir_encrypted", "The directory is encrypted.", one(flags=0x2041, needs=62)),
    case("future_version", "It needs version 9.0 of the format.", one(needs=90)),
    case("patched_data", "It holds a patch for data that are elsewhere.", one(flags=0x20)),
]  # fmt: skip


def named(name: bytes | str, **traits: Any) -> Callable[[], bytes]:
    """A zip whose CSV has this name."""
    raw = name.encode() if isinstance(name, str) else name
    return lambda: archive(Entry(name=raw, **traits))


def name_case(name: str, wrong: str, member: bytes | str, shown: str = "leads.csv") -> Case:
    """A name, and how it is shown."""
    return case(name, wrong, named(member), three(shown), group="zip names")


NAMES = [
    name_case("traversal_dotdot", "The name climbs out of its folder.", "../../canary/leads.csv"),
    name_case("traversal_abs", "The name is an absolute path.", "/etc/leads.csv"),
    name_case("traversal_backslash", "The name climbs with backslashes.", "..\\..\\leads.csv"),
    name_case("traversal_drive", "The name begins with a drive.", "C:\\leads.csv"),
    name_case("traversal_unc", "The name is a share of another machine.",
              "\\\\host\\share\\leads.csv"),
    name_case("traversal_mixed", "The name mixes both kinds of slashes.", "a/..\\b/leads.csv"),
    name_case("name_encoded_dots", "The name climbs in percent-encoding.",
              "%2e%2e%2fleads.csv", "%2e%2e%2fleads.csv"),
    name_case("name_tilde", "The name is a path in a home folder.", "~/leads.csv"),
    name_case("name_dash", "The name is an option of rm.", "-rf.csv", "-rf.csv"),
    case("name_dotcsv", "The name is nothing but an extension.", named(".csv"), NO_CSV,
         group="zip names"),
    name_case("name_reserved_win", "The name is a device on Windows.", "CON.csv", "CON.csv"),
    name_case("name_crlf_header", "The name holds a line end and a header.",
              "a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
    name_case("name_html", "The name is markup.", "<b>x.csv", "<b>x.csv"),
    name_case("name_sql", "The name is SQL.", "'; DROP TABLE jobs;--.csv",
              "'; DROP TABLE jobs;--.csv"),
    name_case("name_formula", "The name is a formula.", "=1+1.csv", "=1+1.csv"),
    name_case("name_rtlo", "The name is written backwards from its middle on.",
              "a\u202evsc.csv", "avsc.csv"),
    name_case("name_emoji", "The name is a face.", "😀.csv", "😀.csv"),
    name_case("name_spaces", "The name has blanks around it.", "  my leads.csv  ",
              "my leads.csv"),
    name_case("name_quote", "The name holds a quote, as a header's value may not.",
              'a"b.csv', 'a"b.csv'),
    name_case("name_nul", "The name holds NUL.", "a\0b.csv", "ab.csv"),
    case("name_bad_utf8", "The name is said to be UTF-8, and is not.",
         named(b"\xff\xfe.csv", flags=0x800), group="zip names"),
    name_case("name_cp437", "The name is in the encoding of DOS.", b"M\x81ller.csv",
              "Müller.csv"),
    name_case("name_65535", "The name is as long as it can be.", b"n" * 65_531 + b".csv",
              "n" * 251 + ".csv"),
    case("name_empty", "A member beside the CSV has no name.",
         lambda: archive(Entry(), Entry(b"x", b"")), three(), group="zip names"),
    case("symlink_passwd", "The CSV is a link to /etc/passwd.",
         one(data=b"/etc/passwd", attributes=stat.S_IFLNK | 0o777), group="zip names"),
    case("symlink_then_write", "A link to a folder, and a CSV that goes through it.",
         lambda: archive(Entry(b"/tmp", b"d", attributes=stat.S_IFLNK | 0o777),
                         Entry(name=b"d/leads.csv")), group="zip names"),
    case("device_entry", "The CSV is a device.", one(data=b"", attributes=stat.S_IFCHR | 0o666),
         group="zip names"),
    case("setuid_entry", "The CSV wants to run as its owner.",
         one(attributes=stat.S_IFREG | 0o4755), three(), group="zip names"),
]  # fmt: skip


def bomb(
    filling: bytes, times: int, *, size: int | None = None, crc: bool = False, first: bytes = b""
) -> bytes:
    """A small zip that inflates to `first` and `times` the filling.

    `size` is the declared size, if it is wrong. The checksum is right only with `crc`: most bombs
    are rejected before it is checked.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = packer.compress(filling) + packer.flush(zlib.Z_FULL_FLUSH)
    begun = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = begun.compress(first) + begun.flush(zlib.Z_FULL_FLUSH)
    sum_ = zlib.crc32(first)
    for _ in range(times if crc else 0):
        sum_ = zlib.crc32(filling, sum_)
    real = len(first) + len(filling) * times
    packed = start + once * times + deflate(b"")
    return archive(Entry(packed=packed, size=real if size is None else size, crc=sum_))


KERNEL = b"a,b\n" + b"1,2\n" * 1000
JUST_OVER = 513
"""Mebibytes: one more than a CSV may inflate to."""
BOMB: dict[str, Any] = {"group": "zip bombs"}

BOMBS = [
    case("bomb_nul", "NUL, 513 MiB of it, behind half a megabyte.",
         lambda: bomb(bytes(MiB), JUST_OVER), NO_CSV, **BOMB),
    case("bomb_rows", "Rows, 134 million of them, behind half a megabyte.",
         lambda: bomb(b"1,2\n" * (MiB // 4), JUST_OVER), NO_CSV, **BOMB),
    case("bomb_one_cell", "One cell of 513 MiB.",
         lambda: bomb(b"x" * MiB, JUST_OVER), NO_CSV, **BOMB),
    case("bomb_lying_size", "A text of 513 MiB is said to be one of 4 MiB.",
         lambda: bomb(b"1,2\n" * (MiB // 4), JUST_OVER, size=4 * MiB), **BOMB),
    case("bomb_within_limit", "The text of 256 MiB is allowed, but not its number of rows.",
         lambda: bomb(b"1,2\n" * (MiB // 4), 256, crc=True),
         Rejection("create", 400, "LIMIT_EXCEEDED"), **BOMB),
    case("bomb_blank_lines", "Line ends, 256 million of them, and not one row.",
         lambda: bomb(b"\n" * MiB, 256, crc=True), NO_CSV, **BOMB),
    *(case(f"bomb_header_{name}", f"The header is 64 MiB of {shown}: as much as it likes, "
           "but not as much memory.", partial(bomb, text, 64), NO_CSV, **BOMB)
      for name, shown, text in (
          ("nul", "NUL", bytes(MiB)), ("quotes", "quotes", b'"' * MiB),
          ("cells", "empty cells", b"," * MiB), ("pairs", "quoted cells", b'"a",' * (MiB // 4)),
          ("strays", "stray quotes", b'a"' * (MiB // 2)), ("bad", "no characters", b"\xff" * MiB),
          ("euros", "cells of one byte that is three in UTF-8", b"\x80," * (MiB // 2)),
          ("open", "one open quote", b'"' + b"x" * (MiB - 1)),
      )),
    *(case(f"bomb_row_{name}", f"The only row is 64 MiB of {shown}.",
           partial(bomb, text, 64, first=b"Name,Text\n", crc=True),
           Done((errors,), name="leads.csv"), **BOMB)
      for name, shown, text, errors in (
          ("nul", "NUL", bytes(MiB), "INVALID_DATA-Name,Text"),
          ("quotes", "quotes", b'"' * MiB, "INVALID_DATA-Name,Text"),
          ("cells", "empty cells", b"," * MiB, "MANDATORY_NOT_FOUND-Name:INVALID_DATA-Text"),
          ("strays", "stray quotes", b'a"' * (MiB // 2), "INVALID_DATA-Name,Text"),
          ("quoted", "quoted cells", b'ab",' * (MiB // 4), "INVALID_DATA-Text"),
      )),
    case("bomb_nested", "A zip in a zip.", lambda: archive(Entry(good(), b"inner.zip")), NO_CSV,
         **BOMB),
    case("bomb_nested_beside_csv", "A zip in a zip, beside a sound CSV.",
         lambda: archive(Entry(), Entry(good(), b"more.zip")), three(), **BOMB),
    case("bomb_nested_deep", "A hundred zips, each in the next.", lambda: nested(100), NO_CSV,
         **BOMB),
    case("zip_inside_csv_name", "A zip that is called .csv, in a zip.",
         lambda: archive(Entry(good(), b"leads.csv")), NO_CSV, **BOMB),
    case("bomb_full_overlap", "Fifty names for one and the same data.",
         lambda: overlapping(50, KERNEL), **BOMB),
    case("bomb_quoted_overlap", "Fifty members, each of which holds those behind it.",
         lambda: quoted_overlap(50, KERNEL), **BOMB),
    case("many_entries", "Twelve thousand members.",
         lambda: archive(*[Entry(b"", b"%d.csv" % i, 0) for i in range(12_000)]), **BOMB),
    case("huge_directory", "The directory alone is longer than a megabyte.",
         lambda: archive(*[Entry(b"", b"%d" % i + b"n" * 60_000, 0, local=False)
                           for i in range(20)]), **BOMB),
    case("just_25_mb", "As large as an upload may be, and nearly all of it a comment's.",
         lambda: archive(Entry(), Entry(bytes(25 * MiB - 1000), b"filling.bin", 0)), three(),
         **BOMB),
    case("over_25_mb", "One byte more than an upload may have.",
         lambda: bytes(25 * MiB + 1), TOO_LARGE, **BOMB),
]  # fmt: skip

CASES = [*CONTAINER, *NAMES, *BOMBS]
