"""Uploaded zips: intact ones are read byte for byte, all others are rejected with a reason."""

from __future__ import annotations

import contextlib
import io
import time
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import pytest
from tests.hostile import zips
from tests.hostile.case import Done, Rejection
from tests.hostile.forging import ROWS, Entry, Flaky, archive

from bulkwright.domain import limits
from bulkwright.domain.errors import FileError, FileNotSupported, FileTooLarge, InvalidFileFormat
from bulkwright.formats.zip import Archive, open_archive
from bulkwright.formats.zip_directory import safe_name

MOST = 8 * limits.MiB


def opened(data: bytes) -> Archive:
    return open_archive(io.BytesIO(data))


def read(data: bytes, most: int = MOST) -> bytes:
    """The bytes of the one CSV of a zip."""
    found = opened(data)
    return b"".join(found.stream(found.single_csv(), most))


GOOD = archive(Entry())
ZIPS = {
    case.name: case
    for case in (*zips.CONTAINER, *zips.NAMES, *zips.BOMBS)
    if case.name not in ("just_25_mb", "over_25_mb")
}
"""The corpus' own zips, which a live service meets too; those of 25 MB are about uploads."""
ABOUT_TEXT = {
    "zero_byte_csv", "exe_named_csv", "zip_inside_csv_name", "bomb_within_limit",
    "bomb_blank_lines", *(name for name in ZIPS if name.startswith(("bomb_header", "bomb_row"))),
}  # fmt: skip
"""Intact zips whose text is read later."""
OVER = limits.ZOHO.csv_bytes


def made(name: str) -> bytes:
    """A zip of the corpus."""
    attempt = ZIPS[name].attempt
    assert isinstance(attempt, zips.Zip)
    return attempt.make()


@pytest.mark.parametrize(
    "name", [n for n, c in ZIPS.items() if isinstance(c.outcome, Done) and n not in ABOUT_TEXT]
)
def test_usual_zips_are_read_exactly(name: str) -> None:
    """The bytes of the CSV are the original ones; its name is safe to show."""
    outcome = ZIPS[name].outcome
    assert isinstance(outcome, Done)
    found = opened(made(name))
    assert found.single_csv().name == outcome.name
    text = b"".join(found.stream(found.single_csv(), MOST))
    assert text == (ROWS if len(outcome.rows) == 3 else b"a,b\n9,9\n")


def test_zips_of_other_programs_are_read() -> None:
    """Zips that Python's zipfile writes are read, stored and deflated."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(zips.by_zipfile(method)) == ROWS


@pytest.mark.parametrize(
    "name",
    [n for n, c in ZIPS.items() if isinstance(c.outcome, Rejection) and n not in ABOUT_TEXT],
)
def test_damaged_zips_are_rejected_with_a_reason(name: str) -> None:
    """A FileError with a message, within five seconds of CPU time."""
    outcome = ZIPS[name].outcome
    assert isinstance(outcome, Rejection)
    begun = time.process_time()
    with pytest.raises(FileError) as rejection:
        read(made(name), OVER)
    known = rejection.value.code
    # Too much text, or none, is reported when a job is created.
    assert known == outcome.code or (name.startswith("bomb") and known == "FILE_TOO_LARGE")
    assert len(rejection.value.message) > 15 and "Traceback" not in rejection.value.message
    assert time.process_time() - begun < 5


def test_a_file_that_is_not_a_zip_gets_the_documented_message() -> None:
    """The documented message for the most frequent mistake."""
    with pytest.raises(InvalidFileFormat) as rejection:
        opened(ROWS)
    assert rejection.value.message == InvalidFileFormat.default_message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("encrypted_zipcrypto", "encrypted"),
        ("method_deflate64", "compression method"),
        ("bomb_full_overlap", "overlap"),
        ("bomb_quoted_overlap", "overlap"),
        ("many_entries", "12000 members"),
        ("crc_wrong", "checksum"),
        ("name_mismatch", "not what the zip's directory says"),
        ("symlink_passwd", "link"),
        ("two_csv", "2 CSV files"),
        ("no_csv_txt", "no CSV file"),
    ],
)
def test_a_rejection_names_the_reason(name: str, words: str) -> None:
    """The user learns from the message what to change."""
    with pytest.raises(FileError, match=words):
        read(made(name))


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_no_damaged_byte_changes_the_text(at: int) -> None:
    """With any one byte flipped, a zip raises a FileError, or its text is unchanged."""
    for flip in (0x01, 0x80, 0xFF):
        damaged = bytearray(GOOD)
        damaged[at] ^= flip
        with contextlib.suppress(FileError):
            assert read(bytes(damaged)) == ROWS


def test_every_truncation_is_rejected() -> None:
    """Every shortened zip raises a FileError."""
    for size in range(len(GOOD)):
        with pytest.raises(FileError):
            read(GOOD[:size])


# Names


def test_an_extension_alone_is_a_name() -> None:
    """A folder's file whose stem is a blank."""
    assert opened(archive(Entry(name=b"x/ .csv"))).single_csv().name == ".csv"


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    """A name of 65,535 bytes is accepted."""
    name = opened(archive(Entry(name=b"n" * 65_531 + b".csv"))).single_csv().name
    assert len(name) == limits.MEMBER_NAME and name.endswith(".csv")


@pytest.mark.parametrize("path", ["", "/", "\0", "\u202e", "a/", "  ", "\r\n", "\ud800"])
def test_a_name_is_never_empty(path: str) -> None:
    """The name always has a character, and can always be encoded."""
    name = safe_name(path)
    assert name.encode() and all(unicodedata.category(c) != "Cc" for c in name)


def test_dot_files_are_not_csvs() -> None:
    """`.csv` is a hidden file without an extension."""
    with pytest.raises(FileNotSupported):
        opened(archive(Entry(name=b".csv"))).single_csv()


def test_other_files_are_named() -> None:
    """The names of the files beside the CSV are known."""
    made = archive(Entry(), Entry(b"x", b"a/read me.txt"), Entry(b"x", b""), Entry(b"", b"b/", 0))
    assert opened(made).other_names == ("read me.txt", "unnamed")


# Bombs and memory


FILLINGS = {
    "nul": b"\0" * limits.MiB,
    "rows": b"1,2\n" * (limits.MiB // 4),
    "one cell": b"x" * limits.MiB,
}


@pytest.mark.parametrize("lie", [False, True], ids=["declared", "lying"])
@pytest.mark.parametrize("filling", FILLINGS)
def test_bombs_are_rejected_before_they_are_inflated(
    filling: str, lie: bool, record: Callable[[], int]
) -> None:
    """The limit holds, whether the size is declared or counted while inflating."""
    data = zips.bomb(FILLINGS[filling], 64, size=4 * limits.MiB if lie else None)
    with pytest.raises(InvalidFileFormat if lie else FileTooLarge):
        read(data, 16 * limits.MiB)
    assert record() < 12 * limits.MiB


@pytest.fixture
def record() -> Iterator[Callable[[], int]]:
    """Returns the peak memory of Python objects since the start of the test."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_memory_does_not_grow_with_the_member(record: Callable[[], int]) -> None:
    """64 MiB are read in pieces of at most 1 MiB."""
    found = opened(zips.bomb(FILLINGS["rows"], 64, crc=True))
    sizes = [len(piece) for piece in found.stream(found.single_csv(), 1 << 40)]
    assert sum(sizes) == 64 * limits.MiB and max(sizes) <= limits.MiB
    assert record() < 8 * limits.MiB


def test_a_size_at_the_limit_is_accepted() -> None:
    """The limit itself is allowed; one byte less is not."""
    assert read(GOOD, len(ROWS)) == ROWS
    with pytest.raises(FileTooLarge):
        read(GOOD, len(ROWS) - 1)


def test_small_blocks_give_the_same_bytes() -> None:
    """With blocks of any size all bytes are read and checked."""
    found = opened(archive(Entry(ROWS * 100)))
    for block in (1, 3, 4096):
        pieces = list(found.stream(found.single_csv(), MOST, block))
        assert b"".join(pieces) == ROWS * 100 and max(map(len, pieces)) <= block


def test_two_streams_of_one_archive_do_not_disturb_each_other() -> None:
    """Each stream has its own position in the file."""
    data = b"".join(b"%d,%d\n" % (i, i * i) for i in range(100_000))
    found = opened(archive(Entry(data)))
    one = found.stream(found.single_csv(), MOST, 10_000)
    two = found.stream(found.single_csv(), MOST, 10_000)
    for a, b in zip(one, two, strict=True):
        assert a == b


@pytest.mark.parametrize("reads", range(4))
def test_a_failing_disk_is_not_a_bad_zip(reads: int) -> None:
    """An error of the storage is raised as it is, because the upload may be intact."""
    with pytest.raises(ConnectionError):
        found = open_archive(cast(BinaryIO, Flaky(GOOD, reads)))
        list(found.stream(found.single_csv(), MOST))
