"""What a folder of files flushes: everything that a power cut could undo, and nothing twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bulkwright.files import Area
from bulkwright.files.local import LocalFiles


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The folders that are flushed, in order."""
    found: list[str] = []
    flush = os.fsync

    def noted(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            found.append(path.relative_to(tmp_path).as_posix())
        flush(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def save(files: LocalFiles, number: int) -> None:
    """Store a result."""
    with files.incoming() as file:
        file.write(b"text")
        file.save(Area.RESULTS, number)


def test_a_known_folder_is_flushed_without_the_one_above(
    flushed: list[str], tmp_path: Path
) -> None:
    """Its own entry is durable since the start, also if another process had made it."""
    (tmp_path / "files" / "results").mkdir(parents=True)
    files = LocalFiles(tmp_path / "files")
    assert flushed == ["files", "."]
    flushed.clear()
    save(files, 1)
    assert flushed == ["files/results"]


def test_a_folder_that_was_deleted_is_made_durable_again(
    flushed: list[str], tmp_path: Path
) -> None:
    files = LocalFiles(tmp_path / "files")
    shutil.rmtree(tmp_path / "files" / "results")
    flushed.clear()
    save(files, 1)
    assert flushed == ["files/results", "files"]


def test_the_folder_of_a_job_is_flushed_with_each_part(flushed: list[str], tmp_path: Path) -> None:
    """Another worker may have made it and ended before it was durable."""
    files = LocalFiles(tmp_path / "files")
    flushed.clear()
    files.put_piece(7, "0-00000000-1", b"lines")
    files.put_piece(7, "0-00000001-1", b"lines")
    assert flushed == ["files/parts/7", "files/parts"] * 2
