"""Small disks, and servers that are faced with faults."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.faults.served import Served

MiB = 1024 * 1024
_PAGE = 4096


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a server; it is stopped, and its store checked, at the end of the test."""
    with ExitStack() as stack:

        def start(data: Path | None = None, **more: Any) -> Served:
            return stack.enter_context(Served(data or tmp_path / "data", tmp_path, **more))

        yield start


class SmallDisk:
    """A file system of its own that can be filled up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Take all room but so many bytes."""
        size = os.statvfs(self.path).f_bavail * _PAGE - leave
        with self._ballast.open("ab") as file:
            # In smaller and smaller pieces, for others write too.
            while size >= _PAGE:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                    size = os.statvfs(self.path).f_bavail * _PAGE - leave
                except OSError:
                    size = size // 2 // _PAGE * _PAGE

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 24 MiB in memory; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        pytest.skip(f"no small disk can be mounted here: {reason}")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
