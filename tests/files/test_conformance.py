"""What every kind of files keeps to: the same suite for a disk and for an object store."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from tests.files.conftest import Kind

from bulkwright.files import Area, Damaged, Files, Gone

BIG = os.urandom(1024) * 12_000
"""More than two pieces of a multipart upload."""


def keep(files: Files, area: Area, number: int, data: bytes) -> str:
    """Keep a file; its SHA-256."""
    with files.incoming() as incoming:
        incoming.write(data[: len(data) // 2])
        incoming.write(data[len(data) // 2 :])
        assert incoming.reader().read() == data
        incoming.keep(area, number)
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("area", [Area.UPLOADS, Area.RESULTS])
@pytest.mark.parametrize("data", [b"a zip", BIG])
def test_what_is_kept_comes_back(kind: Kind, area: Area, data: bytes) -> None:
    """Byte for byte, under its own name, at its start and seekable, as often as one likes."""
    digest = keep(kind.files, area, 7, data)
    assert kind.read(f"{area.value}/7.zip") == data
    for sha256 in (digest, None, digest):
        with kind.files.open(area, 7, sha256) as file:
            assert file.tell() == 0 and os.fstat(file.fileno()).st_size == len(data)
            assert file.read() == data
            file.seek(-2, os.SEEK_END)
            assert file.read() == data[-2:]


def test_what_is_not_kept_is_not_there(kind: Kind) -> None:
    """Neither while it is written nor after its block was left."""
    with kind.files.incoming() as incoming:
        incoming.write(BIG)
        assert list(kind.files.idle(Area.UPLOADS, -60)) == []
    with pytest.raises(KeyError), kind.files.incoming() as incoming:
        incoming.write(b"half")
        raise KeyError
    assert list(kind.files.idle(Area.UPLOADS, -60)) == []


def test_what_is_absent_is_told_so(kind: Kind) -> None:
    """A file that never was: as from any file system."""
    for area in (Area.UPLOADS, Area.RESULTS):
        with pytest.raises(FileNotFoundError) as absent:
            kind.files.open(area, 404, "0" * 64)
        assert absent.value.strerror == "No such file or directory"
        assert kind.files.drop(area, 404) == 0
    with pytest.raises(Gone):
        kind.files.part(404, "0-00000000", 3)
    assert kind.files.drop(Area.PARTS, 404) == 0
    kind.files.drop_parts(404)


def test_ids_do_not_mix(kind: Kind) -> None:
    """The upload 7 is not the result 7, and job 1 is not job 12."""
    keep(kind.files, Area.UPLOADS, 7, b"an upload")
    keep(kind.files, Area.RESULTS, 7, b"a result")
    for job in (1, 12):
        kind.files.put_part(job, "0-00000000", b"lines of %d" % job)
    with kind.files.open(Area.UPLOADS, 7, None) as file:
        assert file.read() == b"an upload"
    kind.files.drop_parts(1)
    assert kind.files.part(12, "0-00000000", 11) == b"lines of 12"
    with pytest.raises(Gone):
        kind.files.part(1, "0-00000000", 10)


def test_a_file_is_kept_over_another(kind: Kind) -> None:
    """A result that is made again takes the place of the first."""
    keep(kind.files, Area.RESULTS, 7, BIG)
    digest = keep(kind.files, Area.RESULTS, 7, b"shorter")
    with kind.files.open(Area.RESULTS, 7, digest) as file:
        assert file.read() == b"shorter"


@pytest.mark.parametrize("area", [Area.UPLOADS, Area.RESULTS])
def test_a_flipped_byte_is_found_before_the_first_is_given_out(kind: Kind, area: Area) -> None:
    """So is one too few, one too many, and nothing at all."""
    digest = keep(kind.files, area, 7, BIG)
    flipped = bytearray(BIG)
    flipped[len(BIG) // 2] ^= 1
    for wrong in (bytes(flipped), BIG[:-1], BIG + b"x", b""):
        kind.write(f"{area.value}/7.zip", wrong)
        with pytest.raises(Damaged, match=r"7\.zip is not what was kept"):
            kind.files.open(area, 7, digest)
    kind.write(f"{area.value}/7.zip", BIG)
    kind.files.open(area, 7, digest).close()


def test_a_part_is_as_it_was_put_or_damaged(kind: Kind) -> None:
    """Its seal tells; a part from before there were seals is believed."""
    lines = b"lines" * 1000
    path = "parts/5/0-00000003-w1"
    kind.files.put_part(5, "0-00000003-w1", lines)
    assert kind.files.part(5, "0-00000003-w1", len(lines)) == lines
    sealed = kind.read(path)
    assert sealed[:-4] == lines
    for wrong in (b"x" + sealed[1:], sealed[:-1], sealed + b"x", sealed[:3], b""):
        kind.write(path, wrong)
        with pytest.raises(Damaged):
            kind.files.part(5, "0-00000003-w1", len(lines))
    kind.write(path, lines)
    assert kind.files.part(5, "0-00000003-w1", len(lines)) == lines
    kind.remove(path)
    with pytest.raises(Gone):
        kind.files.part(5, "0-00000003-w1", len(lines))


def test_a_part_is_put_again(kind: Kind) -> None:
    """By whoever does its chunk again."""
    kind.files.put_part(5, "0-00000000", b"first")
    kind.files.put_part(5, "0-00000000", b"again")
    assert kind.files.part(5, "0-00000000", 5) == b"again"


def test_idle_names_what_nobody_has_changed(kind: Kind) -> None:
    """By id, in each area; a job's parts are as young as the youngest; nothing foreign."""
    for number in (3, 33):
        keep(kind.files, Area.UPLOADS, number, b"u")
        keep(kind.files, Area.RESULTS, number, b"r")
        for name in ("a", "b"):
            kind.files.put_part(number, name, b"p")
    if kind.name == "s3":
        for foreign in ("uploads/notes.txt", "uploads/³.zip", "parts/x/a"):
            kind.write(foreign, b"not ours")
    for area in Area:
        assert sorted(kind.files.idle(area, -60)) == [3, 33]
        assert list(kind.files.idle(area, 60)) == []


def test_drop_says_how_much_went(kind: Kind) -> None:
    """Of one id, and of no other."""
    keep(kind.files, Area.UPLOADS, 3, b"12345")
    keep(kind.files, Area.UPLOADS, 33, b"1")
    for n in range(3):
        kind.files.put_part(3, f"part{n}", b"123456")
    assert kind.files.drop(Area.UPLOADS, 3) == 5
    assert kind.files.drop(Area.UPLOADS, 3) == 0
    assert kind.files.drop(Area.PARTS, 3) == 3 * (6 + 4)
    assert list(kind.files.idle(Area.UPLOADS, -60)) == [33]
    assert list(kind.files.idle(Area.PARTS, -60)) == []


@pytest.mark.long
def test_more_parts_than_a_page_of_a_listing(kind: Kind) -> None:
    """All of them go."""
    for n in range(1100 if kind.name == "local" else 0):
        kind.files.put_part(3, str(n), b"")
    if kind.name == "s3":
        for n in range(1100):
            kind.write(f"parts/3/{n}", b"1234")
    assert kind.files.drop(Area.PARTS, 3) == 4400
    assert list(kind.files.idle(Area.PARTS, -60)) == []


def test_a_reader_keeps_what_it_has_opened(kind: Kind) -> None:
    """To the end, though it is swept meanwhile."""
    digest = keep(kind.files, Area.RESULTS, 7, BIG)
    with kind.files.open(Area.RESULTS, 7, digest) as file:
        assert kind.files.drop(Area.RESULTS, 7) == len(BIG)
        assert file.read() == BIG
    with pytest.raises(FileNotFoundError):
        kind.files.open(Area.RESULTS, 7, digest)


def test_many_at_once(kind: Kind) -> None:
    """Each thread gets its own."""
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            data = str(number).encode() * 1000
            digest = keep(kind.files, Area.UPLOADS, number, data)
            with kind.files.open(Area.UPLOADS, number, digest) as file:
                assert file.read() == data
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_nothing_is_left_beside_what_is_kept(kind: Kind, tmp_path: Path) -> None:
    """Neither of what was written nor of what was read, open or not."""
    digest = keep(kind.files, Area.UPLOADS, 7, BIG)
    with kind.files.incoming() as incoming, kind.files.open(Area.UPLOADS, 7, digest):
        incoming.write(BIG)
        if kind.name == "s3":
            assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
            assert (tmp_path / "data" / "scratch").stat().st_mode & 0o777 == 0o700
            assert os.fstat(incoming.reader().fileno()).st_mode & 0o777 == 0o600
    kept = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert kept == (["7.zip"] if kind.name == "local" else [])
    assert kind.files.sweep() == 0


def test_what_a_crash_left_half_written_goes_after_an_hour(kind: Kind, tmp_path: Path) -> None:
    """On a disk; an object store has nothing half-written."""
    if kind.name == "s3":
        assert kind.files.sweep() == 0
        return
    left = tmp_path / "files" / "incoming" / "left"
    left.write_bytes(b"half")
    assert kind.files.sweep() == 0
    os.utime(left, (time.time() - 3700,) * 2)
    assert kind.files.sweep() == 1 and not left.exists()


@pytest.mark.parametrize("area", [Area.UPLOADS, Area.RESULTS])
def test_nothing_is_read_through_a_link(tmp_path: Path, area: Area) -> None:
    """Only a disk has links; a file that has become one is damaged."""
    from bulkwright.files.local import LocalFiles

    files = LocalFiles(tmp_path)
    keep(files, area, 7, b"a zip")
    place = files.place(area, 7)
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Damaged, match="has become a link"):
        files.open(area, 7, None)
