"""What every implementation of `Files` promises: one suite for a disk and an object store."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from tests.files.conftest import Kind

from bulkwright.files import Area, DamagedFile, Files, ForeignFiles, MissingFile
from bulkwright.settings import Settings
from bulkwright.wiring import open_files

BIG = os.urandom(1024) * 12_000
"""More than two pieces of a multipart upload."""


def save(files: Files, area: Area, number: int, data: bytes) -> str:
    """Stores a file and returns its SHA-256."""
    with files.incoming() as incoming:
        incoming.write(data[: len(data) // 2])
        incoming.write(data[len(data) // 2 :])
        assert incoming.reader().read() == data
        incoming.save(area, number)
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("area", [Area.UPLOADS, Area.RESULTS])
@pytest.mark.parametrize("data", [b"a zip", BIG])
def test_what_is_kept_comes_back(kind: Kind, area: Area, data: bytes) -> None:
    """Byte for byte, under its own name, at its start and seekable, any number of times."""
    digest = save(kind.files, area, 7, data)
    assert kind.read(f"{area.value}/7.zip") == data
    for sha256 in (digest, None, digest):
        with kind.files.open(area, 7, sha256) as file:
            assert file.seek(0, os.SEEK_CUR) == 0
            assert os.fstat(file.fileno()).st_size == len(data)
            assert file.read() == data
            file.seek(-2, os.SEEK_END)
            assert file.read() == data[-2:]


def test_what_is_not_kept_is_not_there(kind: Kind) -> None:
    """Neither while it is written nor after its block has ended."""
    with kind.files.incoming() as incoming:
        incoming.write(BIG)
        assert list(kind.files.unchanged_for(Area.UPLOADS, -60)) == []
    with pytest.raises(KeyError), kind.files.incoming() as incoming:
        incoming.write(b"half")
        raise KeyError
    assert list(kind.files.unchanged_for(Area.UPLOADS, -60)) == []


def test_a_missing_file_is_reported(kind: Kind) -> None:
    """A missing file raises the errors of a file system."""
    for area in (Area.UPLOADS, Area.RESULTS):
        with pytest.raises(FileNotFoundError) as absent:
            kind.files.open(area, 404, "0" * 64)
        assert absent.value.strerror == "No such file or directory"
        assert kind.files.delete(area, 404) == 0
    with pytest.raises(MissingFile):
        kind.files.read_piece(404, "0-00000000", 3)
    assert kind.files.delete(Area.PIECES, 404) == 0
    kind.files.delete_pieces(404)


def test_ids_do_not_mix(kind: Kind) -> None:
    """The upload 7 is not the result 7, and job 1 is not job 12."""
    save(kind.files, Area.UPLOADS, 7, b"an upload")
    save(kind.files, Area.RESULTS, 7, b"a result")
    for job in (1, 12):
        kind.files.put_piece(job, "0-00000000", b"lines of %d" % job)
    with kind.files.open(Area.UPLOADS, 7, None) as file:
        assert file.read() == b"an upload"
    kind.files.delete_pieces(1)
    assert kind.files.read_piece(12, "0-00000000", 11) == b"lines of 12"
    with pytest.raises(MissingFile):
        kind.files.read_piece(1, "0-00000000", 10)


def test_a_file_is_kept_over_another(kind: Kind) -> None:
    """A result that is made again replaces the first one."""
    save(kind.files, Area.RESULTS, 7, BIG)
    digest = save(kind.files, Area.RESULTS, 7, b"shorter")
    with kind.files.open(Area.RESULTS, 7, digest) as file:
        assert file.read() == b"shorter"


@pytest.mark.parametrize("area", [Area.UPLOADS, Area.RESULTS])
def test_a_flipped_byte_is_found_before_the_first_is_given_out(kind: Kind, area: Area) -> None:
    """A file with a byte less or more is damaged too, and so is an empty one."""
    digest = save(kind.files, area, 7, BIG)
    flipped = bytearray(BIG)
    flipped[len(BIG) // 2] ^= 1
    for wrong in (bytes(flipped), BIG[:-1], BIG + b"x", b""):
        kind.write(f"{area.value}/7.zip", wrong)
        with pytest.raises(DamagedFile, match=r"7\.zip is not what was stored"):
            kind.files.open(area, 7, digest)
    kind.write(f"{area.value}/7.zip", BIG)
    kind.files.open(area, 7, digest).close()


def test_a_part_is_as_it_was_put_or_damaged(kind: Kind) -> None:
    """By its checksum; a piece from before there were checksums is accepted."""
    lines = b"lines" * 1000
    path = "parts/5/0-00000003-w1"
    kind.files.put_piece(5, "0-00000003-w1", lines)
    assert kind.files.read_piece(5, "0-00000003-w1", len(lines)) == lines
    stored = kind.read(path)
    assert stored[:-4] == lines
    for wrong in (b"x" + stored[1:], stored[:-1], stored + b"x", stored[:3], b""):
        kind.write(path, wrong)
        with pytest.raises(DamagedFile):
            kind.files.read_piece(5, "0-00000003-w1", len(lines))
    kind.write(path, lines)
    assert kind.files.read_piece(5, "0-00000003-w1", len(lines)) == lines
    kind.remove(path)
    with pytest.raises(MissingFile):
        kind.files.read_piece(5, "0-00000003-w1", len(lines))


def test_a_part_is_put_again(kind: Kind) -> None:
    """The worker that repeats a chunk replaces its piece."""
    kind.files.put_piece(5, "0-00000000", b"first")
    kind.files.put_piece(5, "0-00000000", b"again")
    assert kind.files.read_piece(5, "0-00000000", 5) == b"again"


def test_the_ids_of_unchanged_files(kind: Kind) -> None:
    """By id, in each area; the youngest piece of a job counts; foreign files are left out."""
    for number in (3, 33):
        save(kind.files, Area.UPLOADS, number, b"u")
        save(kind.files, Area.RESULTS, number, b"r")
        for name in ("a", "b"):
            kind.files.put_piece(number, name, b"p")
    if kind.name == "s3":
        for foreign in ("uploads/notes.txt", "uploads/³.zip", "parts/x/a"):
            kind.write(foreign, b"not ours")
    for area in Area:
        assert sorted(kind.files.unchanged_for(area, -60)) == [3, 33]
        assert list(kind.files.unchanged_for(area, 60)) == []


def test_drop_says_how_much_went(kind: Kind) -> None:
    """The files of one id are deleted, and of no other."""
    save(kind.files, Area.UPLOADS, 3, b"12345")
    save(kind.files, Area.UPLOADS, 33, b"1")
    for n in range(3):
        kind.files.put_piece(3, f"part{n}", b"123456")
    assert kind.files.delete(Area.UPLOADS, 3) == 5
    assert kind.files.delete(Area.UPLOADS, 3) == 0
    assert kind.files.delete(Area.PIECES, 3) == 3 * (6 + 4)
    assert list(kind.files.unchanged_for(Area.UPLOADS, -60)) == [33]
    assert list(kind.files.unchanged_for(Area.PIECES, -60)) == []


@pytest.mark.long
def test_more_parts_than_a_page_of_a_listing(kind: Kind) -> None:
    """All of them are deleted."""
    for n in range(1100 if kind.name == "local" else 0):
        kind.files.put_piece(3, str(n), b"")
    if kind.name == "s3":
        for n in range(1100):
            kind.write(f"parts/3/{n}", b"1234")
    assert kind.files.delete(Area.PIECES, 3) == 4400
    assert list(kind.files.unchanged_for(Area.PIECES, -60)) == []


def test_a_reader_keeps_what_it_has_opened(kind: Kind) -> None:
    """It can be read to its end, even if a sweep deletes it."""
    digest = save(kind.files, Area.RESULTS, 7, BIG)
    with kind.files.open(Area.RESULTS, 7, digest) as file:
        assert kind.files.delete(Area.RESULTS, 7) == len(BIG)
        assert file.read() == BIG
    with pytest.raises(FileNotFoundError):
        kind.files.open(Area.RESULTS, 7, digest)


def test_many_at_once(kind: Kind) -> None:
    """Each thread gets its own file."""
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            data = str(number).encode() * 1000
            digest = save(kind.files, Area.UPLOADS, number, data)
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
    """Neither a written nor a read file leaves one, open or closed."""
    digest = save(kind.files, Area.UPLOADS, 7, BIG)
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
    """On a disk; an object store has no incomplete files."""
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
    save(files, area, 7, b"a zip")
    path = files.path(area, 7)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedFile, match="has become a link"):
        files.open(area, 7, None)


def test_files_belong_to_the_first_database_that_is_bound(kind: Kind, tmp_path: Path) -> None:
    """Every process of that database may use them; a process of another one changes nothing."""
    for _ in range(2):
        again = open_files(Settings(tmp_path / "data", files=kind.url))
        again.bind("first")
        save(again, Area.UPLOADS, 7, b"an upload")
    assert kind.read("owner") == b"first"
    with pytest.raises(ForeignFiles, match="belong to another database"):
        foreign = open_files(Settings(tmp_path / "data", files=kind.url))
        foreign.bind("second")
        foreign.delete(Area.UPLOADS, 7)
    assert kind.read("uploads/7.zip") == b"an upload"
    assert kind.read("owner") == b"first"


def test_the_owner_is_checked_without_a_change(kind: Kind, tmp_path: Path) -> None:
    """Files without an owner are those of every database, and stay so."""
    files = open_files(Settings(tmp_path / "data", files=kind.url), make=False)
    files.check_owner("second")
    kind.files.bind("first")
    kind.files.check_reachable()
    files.check_owner("first")
    with pytest.raises(ForeignFiles, match="belong to another database"):
        files.check_owner("second")


def test_files_without_an_owner_are_bound_once_under_a_race(kind: Kind, tmp_path: Path) -> None:
    """Of two databases that start at the same moment, one gets the files."""
    start = threading.Barrier(8)
    bound: list[str] = []

    def run(owner: str) -> None:
        files = open_files(Settings(tmp_path / "data", files=kind.url))
        start.wait()
        try:
            files.bind(owner)
            files.check_reachable()
        except ForeignFiles:
            return
        bound.append(owner)

    threads = [threading.Thread(target=run, args=(f"database {i % 2}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bound == [kind.read("owner").decode()] * 4
