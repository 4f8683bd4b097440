"""The uploaded zip: sound ones are read byte for byte, all others refused in plain words."""

from __future__ import annotations

import contextlib
import gzip
import io
import stat
import struct
import tarfile
import time
import tracemalloc
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import pytest

from bulkwright.csvzip.archive import Archive, open_archive, safe_name
from bulkwright.domain import limits
from bulkwright.domain.errors import FileError, FileNotSupported, FileTooLarge, InvalidFileFormat

from .hostile import (
    ROWS,
    Entry,
    Flaky,
    archive,
    deflate,
    overlapping,
    quoted_overlap,
    zip64_sizes,
)

MOST = 8 * limits.MiB


def opened(data: bytes) -> Archive:
    return open_archive(io.BytesIO(data))


def read(data: bytes, most: int = MOST) -> bytes:
    """All that the one CSV of a zip holds."""
    found = opened(data)
    return b"".join(found.stream(found.the_csv(), most))


def by_zipfile(method: int, *, zip64: bool = False) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", method) as made,
        made.open("leads.csv", "w", force_zip64=zip64) as member,
    ):
        member.write(ROWS)
    return out.getvalue()


class Streamed(io.RawIOBase):
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
    sink = Streamed()
    with zipfile.ZipFile(cast(BinaryIO, sink), "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("leads.csv", ROWS)
    return bytes(sink.data)


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        entry = tarfile.TarInfo("leads.csv")
        entry.size = len(ROWS)
        made.addfile(entry, io.BytesIO(ROWS))
    return out.getvalue()


GOOD = archive(Entry())

READ: dict[str, bytes] = {
    "plain": GOOD,
    "Z13 csv_plus_txt": archive(Entry(), Entry(b"hello", b"readme.txt")),
    "Z18 macosx_shadow": archive(
        Entry(), Entry(b"\0\5\x16\7", b"__MACOSX/._leads.csv"), Entry(b"x", b".DS_Store")
    ),
    "Z19 csv_in_folder": archive(Entry(b"", b"folder/", 0), Entry(name=b"folder/leads.csv")),
    "Z20 upper_ext": archive(Entry(name=b"LEADS.CSV")),
    "Z21 stored_method": archive(Entry(method=0)),
    "Z22 data_descriptor": streamed(),
    "Z23 zip64_small_ok": by_zipfile(zipfile.ZIP_DEFLATED, zip64=True),
    "Z36 eocd_count_high": archive(Entry(), count=5),
    "Z42 prefix_junk": archive(Entry(), prefix=b"#!/bin/sh\nexit\n"),
    "Z44 comment_64k": archive(Entry(), comment=b"c" * 65535),
    "Z45 dos_date_zero": archive(Entry(dos_date=0)),
    "Z46 dos_date_max": archive(Entry(dos_date=0xFFFF)),
    "N24 name_empty beside": archive(Entry(), Entry(b"x", b"")),
    "N28 setuid_entry": archive(Entry(attributes=stat.S_IFREG | 0o4755)),
    "B06 bomb_nested_beside_csv": archive(Entry(), Entry(GOOD, b"more.zip")),
    "level 1": archive(Entry(packed=deflate(ROWS, 1))),
}


@pytest.mark.parametrize("case", READ)
def test_zips_of_real_life_are_read_exactly(case: str) -> None:
    """Z13, Z18-Z23, Z36, Z42-Z46, N24, N28, B06: the CSV's bytes come out as they went in."""
    assert read(READ[case]) == ROWS


def test_zips_of_other_programs_are_read() -> None:
    """What Python's own zipfile writes, stored or deflated, is sound."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(by_zipfile(method)) == ROWS


REFUSED: dict[str, bytes] = {
    "Z01 empty_body": b"",
    "Z02 two_bytes_pk": b"PK",
    "Z03 plain_csv": ROWS,
    "Z04 gzip_csv": gzip.compress(ROWS),
    "Z05 tar_csv": tar(),
    "Z06 sevenzip_magic": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "Z07 pdf_named_zip": b"%PDF-1.4\n" + bytes(100),
    "Z08 random_noise": bytes((i * 7919 + i // 3) % 256 for i in range(5000)),
    "Z09 eocd_only": archive(),
    "Z10 dir_only": archive(Entry(b"", b"folder/", 0)),
    "Z12 two_csv": archive(Entry(), Entry(name=b"more.csv")),
    "Z14 no_csv_txt": archive(Entry(name=b"leads.txt")),
    "Z16 csv_exe_ext": archive(Entry(name=b"leads.csv.exe")),
    "Z17 xlsx": archive(Entry(b"<x/>", b"xl/workbook.xml"), Entry(b"<x/>", b"[Content_Types].xml")),
    "Z24 zip64_absurd_size": archive(
        Entry(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=zip64_sizes(1 << 62, 50))
    ),
    "Z25 zip64_extra_short": archive(
        Entry(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=struct.pack("<HHL", 1, 4, 1))
    ),
    "Z26 extra_len_overrun": archive(Entry(local_extra_size=60000)),
    "Z26 extra_len_overrun_directory": archive(Entry(extra=struct.pack("<HH", 1, 50000))),
    "Z27 usize_lies_big": archive(Entry(size=len(ROWS) + 1000)),
    "Z27 usize_lies_huge": archive(Entry(size=0xFFFFFFF0)),
    "Z28 usize_lies_small": archive(Entry(size=5)),
    "Z29 crc_wrong": archive(Entry(crc=1)),
    "Z30 crc_wrong_local_only": archive(Entry(local_crc=1)),
    "Z31 deflate_garbage": archive(Entry(packed=b"\xff\xfe\xfd" * 20)),
    "Z32 deflate_truncated": archive(Entry(packed=deflate(ROWS)[:-9])),
    "deflate_ends_early": archive(Entry(packed=deflate(ROWS) + b"more")),
    "Z33 truncated_30": GOOD[: len(GOOD) * 30 // 100],
    "Z34 truncated_60": GOOD[: len(GOOD) * 60 // 100],
    "Z35 truncated_95": GOOD[: len(GOOD) * 95 // 100],
    "Z37 cd_offset_past_end": archive(Entry(), directory_offset=0x7FFFFFFF),
    "Z38 multi_disk": archive(Entry(disk=1), disk=1),
    "Z39 name_mismatch": archive(Entry(local_name=b"other.exe")),
    "method_mismatch": archive(Entry(local_method=0)),
    "size_mismatch": archive(Entry(local_size=7)),
    "no_local_signature": archive(Entry(local_signature=b"PK\x03\x05")),
    "offset_past_end": archive(Entry(offset=0x7FFFFFFF)),
    "offset_of_64_bits": archive(
        Entry(offset=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, (1 << 64) - 1))
    ),
    "Z40 dup_member_names": archive(Entry(), Entry(b"a,b\n1,2\n")),
    "stored_size_differs": archive(Entry(method=0, size=len(ROWS) - 1)),
    "Z47 shrink": archive(Entry(method=1)),
    "Z48 implode": archive(Entry(method=6)),
    "Z49 deflate64": archive(Entry(method=9)),
    "Z50 zstd": archive(Entry(method=93)),
    "Z51 wavpack": archive(Entry(method=97)),
    "Z52 unknown": archive(Entry(method=4711)),
    "Z53 bzip2": by_zipfile(zipfile.ZIP_BZIP2),
    "Z54 lzma": by_zipfile(zipfile.ZIP_LZMA),
    "Z55 encrypted_zipcrypto": archive(Entry(flags=1, packed=bytes(12) + deflate(ROWS))),
    "Z56 encrypted_aes": archive(Entry(flags=1, method=99, needs=51)),
    "Z57 central_dir_encrypted": archive(Entry(flags=0x2041, needs=62)),
    "future_version": archive(Entry(needs=90)),
    "patched_data": archive(Entry(flags=0x20)),
    "N21 name_bad_utf8": archive(Entry(name=b"\xff\xfe.csv", flags=0x800)),
    "N25 symlink_passwd": archive(Entry(b"/etc/passwd", attributes=stat.S_IFLNK | 0o777)),
    "N26 symlink_then_write": archive(
        Entry(b"/tmp", b"d", attributes=stat.S_IFLNK | 0o777), Entry(name=b"d/leads.csv")
    ),
    "N27 device_entry": archive(Entry(b"", attributes=stat.S_IFCHR | 0o666)),
    "B05 bomb_nested": archive(Entry(GOOD, b"inner.zip")),
    "B09 bomb_full_overlap": overlapping(50, b"a,b\n" + b"1,2\n" * 1000),
    "B10 bomb_quoted_overlap": quoted_overlap(50, b"a,b\n" + b"1,2\n" * 1000),
    "B11 many_entries": archive(*[Entry(b"", b"%d.csv" % i, 0) for i in range(12_000)]),
    "huge_directory": archive(
        *[Entry(b"", b"%d" % i + b"n" * 60_000, 0, local=False) for i in range(20)]
    ),
    "directory_of_another_member": archive(Entry(local=False, offset=0)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unsound_zips_are_refused_in_words(case: str) -> None:
    """Z01-Z57, N21-N27, B05-B11: one kind of error, with a message, and quickly."""
    begun = time.monotonic()
    with pytest.raises(FileError) as refusal:
        read(REFUSED[case])
    assert refusal.value.code in ("INVALID_FILE_FORMAT", "FILE_NOT_SUPPORTED", "FILE_TOO_LARGE")
    assert len(refusal.value.message) > 15 and "Traceback" not in refusal.value.message
    assert time.monotonic() - begun < 2


def test_what_is_no_zip_gets_the_documented_message() -> None:
    """The wire's own words for the commonest mistake."""
    with pytest.raises(InvalidFileFormat) as refusal:
        opened(ROWS)
    assert refusal.value.message == InvalidFileFormat.default_message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (REFUSED["Z55 encrypted_zipcrypto"], "encrypted"),
        (REFUSED["Z49 deflate64"], "compression method"),
        (REFUSED["B09 bomb_full_overlap"], "overlap"),
        (REFUSED["B10 bomb_quoted_overlap"], "overlap"),
        (REFUSED["B11 many_entries"], "12000 members"),
        (REFUSED["Z29 crc_wrong"], "checksum"),
        (REFUSED["Z39 name_mismatch"], "not what the zip's directory says"),
        (REFUSED["N25 symlink_passwd"], "link"),
        (REFUSED["Z12 two_csv"], "2 CSV files"),
        (REFUSED["Z14 no_csv_txt"], "no CSV file"),
    ],
)
def test_a_refusal_says_what_is_wrong(data: bytes, words: str) -> None:
    """Whoever packed the zip learns what to change."""
    with pytest.raises(FileError, match=words):
        read(data)


@pytest.mark.parametrize(
    "case",
    [
        archive(Entry(), comment=archive(Entry(b"a,b\n9,9\n"))),
        archive(Entry(), suffix=b"junk" * 10),
        GOOD + GOOD,
    ],
    ids=["Z41 eocd_in_comment", "Z43 trailing_junk", "two_zips"],
)
def test_an_ambiguous_zip_is_refused_or_read_in_one_way(case: bytes) -> None:
    """Z41, Z43: never a mixture of two readings."""
    try:
        first = read(case)
    except FileError:
        return
    assert first in (ROWS, b"a,b\n9,9\n")


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_no_single_damaged_byte_changes_the_text_or_surprises(at: int) -> None:
    """Each byte of a zip is flipped in turn: refused as a file error, or read without a change."""
    for flip in (0x01, 0x80, 0xFF):
        damaged = bytearray(GOOD)
        damaged[at] ^= flip
        with contextlib.suppress(FileError):
            assert read(bytes(damaged)) == ROWS


def test_every_truncation_is_refused() -> None:
    """No shortened zip is read, and none raises anything but a file error."""
    for size in range(len(GOOD)):
        with pytest.raises(FileError):
            read(GOOD[:size])


# Names

NAMES: dict[str, tuple[bytes, str]] = {
    "N01 dotdot": (b"../../etc/leads.csv", "leads.csv"),
    "N02 abs": (b"/etc/leads.csv", "leads.csv"),
    "N03 backslash": (b"..\\..\\leads.csv", "leads.csv"),
    "N04 drive": (b"C:\\leads.csv", "leads.csv"),
    "N05 unc": (b"\\\\host\\share\\leads.csv", "leads.csv"),
    "N06 mixed": (b"a/..\\b/leads.csv", "leads.csv"),
    "N07 encoded_dots": (b"%2e%2e%2fleads.csv", "%2e%2e%2fleads.csv"),
    "N08 tilde": (b"~/leads.csv", "leads.csv"),
    "N09 dash": (b"-rf.csv", "-rf.csv"),
    "N11 reserved_win": (b"CON.csv", "CON.csv"),
    "N12 crlf_header": (b"a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
    "N13 html": (b"<b>x.csv", "<b>x.csv"),
    "N14 sql": (b"'; drop.csv", "'; drop.csv"),
    "N15 formula": (b"=1+1.csv", "=1+1.csv"),
    "N16 rtlo": ("a\u202evsc.csv".encode(), "avsc.csv"),
    "N17 emoji": ("😀.csv".encode(), "😀.csv"),
    "N18 spaces": (b"  my leads.csv  ", "my leads.csv"),
    "N19 quote": (b'a"b.csv', 'a"b.csv'),
    "N20 nul": (b"a\0b.csv", "ab.csv"),
    "N22 cp437": (b"M\x81ller.csv", "Müller.csv"),
    "only_extension": (b"x/ .csv", ".csv"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_is_safe_to_show(case: str) -> None:
    """N01-N22: the last part only, nothing unseen in it; the data are read all the same."""
    name, shown = NAMES[case]
    found = opened(archive(Entry(name=name)))
    assert found.the_csv().name == shown
    assert b"".join(found.stream(found.the_csv(), MOST)) == ROWS


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    """N23: 65,535 bytes of name are no obstacle."""
    name = opened(archive(Entry(name=b"n" * 65_531 + b".csv"))).the_csv().name
    assert len(name) == limits.MEMBER_NAME and name.endswith(".csv")


@pytest.mark.parametrize("path", ["", "/", "\0", "\u202e", "a/", "  ", "\r\n", "\ud800"])
def test_a_name_is_never_empty(path: str) -> None:
    """N24: there is always something to show, and always something that can be encoded."""
    name = safe_name(path)
    assert name.encode() and all(unicodedata.category(c) != "Cc" for c in name)


def test_dot_files_are_nobodys_csv() -> None:
    """N10: `.csv` is a hidden file without an extension."""
    with pytest.raises(FileNotSupported):
        opened(archive(Entry(name=b".csv"))).the_csv()


def test_other_files_are_named() -> None:
    """What is beside the CSV can be told to whoever asks."""
    made = archive(Entry(), Entry(b"x", b"a/read me.txt"), Entry(b"x", b""), Entry(b"", b"b/", 0))
    assert opened(made).others == ("read me.txt", "unnamed")


# Bombs and memory


def bomb(name: str) -> bytes:
    """64 MiB of text behind a small zip."""
    filling = {
        "B01 bomb_nul": b"\0" * limits.MiB,
        "B02 bomb_rows": b"1,2\n" * (limits.MiB // 4),
        "B03 bomb_one_cell": b"x" * limits.MiB,
    }[name]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join([packer.compress(filling) for _ in range(64)]) + packer.flush()
    crc = 0
    for _ in range(64):
        crc = zlib.crc32(filling, crc)
    return archive(Entry(packed=packed, size=64 * limits.MiB, crc=crc))


@pytest.mark.parametrize("lie", [False, True], ids=["declared", "B04 bomb_lying_size"])
@pytest.mark.parametrize("name", ["B01 bomb_nul", "B02 bomb_rows", "B03 bomb_one_cell"])
def test_bombs_are_refused_before_they_unfold(
    name: str, lie: bool, record: Callable[[], int]
) -> None:
    """B01-B04: over the limit is over the limit, declared or found out while inflating."""
    data = bomb(name)
    if lie:
        at = data.rfind(b"PK\x01\x02") + 24
        size = struct.pack("<L", 4 * limits.MiB)
        local = data.replace(struct.pack("<L", 64 * limits.MiB), size, 1)
        data = local[:at] + size + local[at + 4 :]
    with pytest.raises(InvalidFileFormat if lie else FileTooLarge):
        read(data, 16 * limits.MiB)
    assert record() < 12 * limits.MiB


@pytest.fixture
def record() -> Iterator[Callable[[], int]]:
    """Peak memory that Python objects took since."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_memory_does_not_grow_with_the_member(record: Callable[[], int]) -> None:
    """64 MiB pass through in pieces of at most 1 MiB."""
    found = opened(bomb("B02 bomb_rows"))
    sizes = [len(piece) for piece in found.stream(found.the_csv(), 1 << 40)]
    assert sum(sizes) == 64 * limits.MiB and max(sizes) <= limits.MiB
    assert record() < 8 * limits.MiB


def test_a_size_just_within_the_limit_passes() -> None:
    """The limit itself is allowed; one byte less is not."""
    assert read(GOOD, len(ROWS)) == ROWS
    with pytest.raises(FileTooLarge):
        read(GOOD, len(ROWS) - 1)


def test_small_blocks_give_the_same_bytes() -> None:
    """However little is taken at a time, everything comes, and is checked."""
    found = opened(archive(Entry(ROWS * 100)))
    for block in (1, 3, 4096):
        pieces = list(found.stream(found.the_csv(), MOST, block))
        assert b"".join(pieces) == ROWS * 100 and max(map(len, pieces)) <= block


def test_two_streams_of_one_archive_do_not_disturb_each_other() -> None:
    """Each keeps its own place in the file."""
    data = b"".join(b"%d,%d\n" % (i, i * i) for i in range(100_000))
    found = opened(archive(Entry(data)))
    one = found.stream(found.the_csv(), MOST, 10_000)
    two = found.stream(found.the_csv(), MOST, 10_000)
    for a, b in zip(one, two, strict=True):
        assert a == b


def test_a_quine_is_one_file_like_any_other() -> None:
    """B07: a zip that holds itself is never opened a second time; it holds no CSV."""
    with pytest.raises(FileNotSupported):
        opened(archive(Entry(b"r/r.zip" * 50, b"r/r.zip"))).the_csv()


@pytest.mark.parametrize("reads", range(4))
def test_a_failing_disk_is_not_a_bad_zip(reads: int) -> None:
    """What the storage raises comes through: the upload may be perfectly sound."""
    with pytest.raises(ConnectionError):
        found = open_archive(cast(BinaryIO, Flaky(GOOD, reads)))
        list(found.stream(found.the_csv(), MOST))
