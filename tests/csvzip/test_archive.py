"""The uploaded zip: sound ones are read byte for byte, all others refused in plain words."""

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
from tests.hostile.case import Done, Refused
from tests.hostile.forging import ROWS, Entry, Flaky, archive

from bulkwright.csvzip.archive import Archive, open_archive, safe_name
from bulkwright.domain import limits
from bulkwright.domain.errors import FileError, FileNotSupported, FileTooLarge, InvalidFileFormat

MOST = 8 * limits.MiB


def opened(data: bytes) -> Archive:
    return open_archive(io.BytesIO(data))


def read(data: bytes, most: int = MOST) -> bytes:
    """All that the one CSV of a zip holds."""
    found = opened(data)
    return b"".join(found.stream(found.the_csv(), most))


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
"""Sound zips whose text is looked at later."""
OVER = limits.ZOHO.csv_bytes


def made(name: str) -> bytes:
    """A zip of the corpus."""
    attempt = ZIPS[name].attempt
    assert isinstance(attempt, zips.Zip)
    return attempt.make()


@pytest.mark.parametrize(
    "name", [n for n, c in ZIPS.items() if isinstance(c.outcome, Done) and n not in ABOUT_TEXT]
)
def test_zips_of_real_life_are_read_exactly(name: str) -> None:
    """The CSV's bytes come out as they went in, under a name that is safe to show."""
    outcome = ZIPS[name].outcome
    assert isinstance(outcome, Done)
    found = opened(made(name))
    assert found.the_csv().name == outcome.name
    text = b"".join(found.stream(found.the_csv(), MOST))
    assert text == (ROWS if len(outcome.rows) == 3 else b"a,b\n9,9\n")


def test_zips_of_other_programs_are_read() -> None:
    """What Python's own zipfile writes, stored or deflated, is sound."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(zips.by_zipfile(method)) == ROWS


@pytest.mark.parametrize(
    "name", [n for n, c in ZIPS.items() if isinstance(c.outcome, Refused) and n not in ABOUT_TEXT]
)
def test_unsound_zips_are_refused_in_words(name: str) -> None:
    """One kind of error, with a message, and quickly."""
    outcome = ZIPS[name].outcome
    assert isinstance(outcome, Refused)
    begun = time.monotonic()
    with pytest.raises(FileError) as refusal:
        read(made(name), OVER)
    known = refusal.value.code
    # Too much text, or none, is told by the creation of a job.
    assert known == outcome.code or (name.startswith("bomb") and known == "FILE_TOO_LARGE")
    assert len(refusal.value.message) > 15 and "Traceback" not in refusal.value.message
    assert time.monotonic() - begun < 5


def test_what_is_no_zip_gets_the_documented_message() -> None:
    """The wire's own words for the commonest mistake."""
    with pytest.raises(InvalidFileFormat) as refusal:
        opened(ROWS)
    assert refusal.value.message == InvalidFileFormat.default_message


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
def test_a_refusal_says_what_is_wrong(name: str, words: str) -> None:
    """Whoever packed the zip learns what to change."""
    with pytest.raises(FileError, match=words):
        read(made(name))


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


def test_an_extension_alone_is_a_name() -> None:
    """A folder's file whose stem is a blank."""
    assert opened(archive(Entry(name=b"x/ .csv"))).the_csv().name == ".csv"


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


FILLINGS = {
    "nul": b"\0" * limits.MiB,
    "rows": b"1,2\n" * (limits.MiB // 4),
    "one cell": b"x" * limits.MiB,
}


@pytest.mark.parametrize("lie", [False, True], ids=["declared", "lying"])
@pytest.mark.parametrize("filling", FILLINGS)
def test_bombs_are_refused_before_they_unfold(
    filling: str, lie: bool, record: Callable[[], int]
) -> None:
    """Over the limit is over the limit, declared or found out while inflating."""
    data = zips.bomb(FILLINGS[filling], 64, size=4 * limits.MiB if lie else None)
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
    found = opened(zips.bomb(FILLINGS["rows"], 64, crc=True))
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


@pytest.mark.parametrize("reads", range(4))
def test_a_failing_disk_is_not_a_bad_zip(reads: int) -> None:
    """What the storage raises comes through: the upload may be perfectly sound."""
    with pytest.raises(ConnectionError):
        found = open_archive(cast(BinaryIO, Flaky(GOOD, reads)))
        list(found.stream(found.the_csv(), MOST))
