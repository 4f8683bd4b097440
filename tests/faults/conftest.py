"""Small disks, and servers with injected faults."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.faults.served import FaultedServer

MiB = 1024 * 1024
_PAGE = 4096


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., FaultedServer]]:
    """A function that starts a server. The test's end stops it and checks its store."""
    with ExitStack() as stack:

        def start(data: Path | None = None, **more: Any) -> FaultedServer:
            return stack.enter_context(FaultedServer(data or tmp_path / "data", tmp_path, **more))

        yield start


class SmallDisk:
    """A separate file system that can be filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Fills the disk; `leave` bytes stay free."""
        size = os.statvfs(self.path).f_bavail * _PAGE - leave
        with self._ballast.open("ab") as file:
            # In smaller and smaller pieces, because other processes write too.
            while size >= _PAGE:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                    size = os.statvfs(self.path).f_bavail * _PAGE - leave
                except OSError:
                    size = size // 2 // _PAGE * _PAGE

    def free(self) -> None:
        """Frees the space again."""
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
