"""Where a download goes: to a new file that replaces the old one, or to a target that must stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bulkwright.atomic_file import atomic_write

_TO_STDOUT = """
from pathlib import Path
from bulkwright.atomic_file import atomic_write
with atomic_write(Path("/dev/stdout")) as file:
    file.write(b"result")
print(" and more", flush=True)
"""


def write(path: Path, data: bytes = b"new") -> None:
    """Write a file."""
    with atomic_write(path) as file:
        file.write(data)


def test_standard_output_is_written_to(tmp_path: Path) -> None:
    """A pipe gets the bytes, and a file that the shell opened stays the same file."""
    line = [sys.executable, "-c", _TO_STDOUT]
    piped = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    assert piped.stdout == b"result and more\n"
    target = tmp_path / "out"
    with target.open("ab") as out:
        subprocess.run(line, stdout=out, check=True)
    assert target.read_bytes() == b"result and more\n"


def test_a_file_with_several_names_keeps_them(tmp_path: Path) -> None:
    """Both names lead to the new content."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"old and longer")
    second.hardlink_to(first)
    write(first)
    assert first.samefile(second)
    assert second.read_bytes() == b"new"


def test_an_error_names_the_path_that_was_given(tmp_path: Path) -> None:
    """A missing folder, and a loop of symbolic links."""
    missing = tmp_path / "no" / "x.zip"
    with pytest.raises(FileNotFoundError) as raised:
        write(missing)
    assert raised.value.filename == str(missing)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        write(loop)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_permissions_of_file_and_folder_are_respected(tmp_path: Path) -> None:
    """A read-only file is not replaced; a writable one in a read-only folder is written."""
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder / "x.zip"
    target.write_bytes(b"old")
    target.chmod(0o444)
    with pytest.raises(PermissionError):
        write(target)
    target.chmod(0o644)
    folder.chmod(0o555)
    try:
        write(target)
        assert target.read_bytes() == b"new"
        assert list(folder.iterdir()) == [target]
    finally:
        folder.chmod(0o755)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no /dev/shm")
def test_a_file_in_memory_is_replaced_like_any_other() -> None:
    """`/dev/shm` is a folder of files, whatever else `/dev` has."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "saved"
        path.write_bytes(b"of yesterday")
        with pytest.raises(ValueError), atomic_write(path) as file:
            file.write(b"half")
            raise ValueError
        assert [p.read_bytes() for p in Path(folder).iterdir()] == [b"of yesterday"]
        write(path)
        assert [p.read_bytes() for p in Path(folder).iterdir()] == [b"new"]
