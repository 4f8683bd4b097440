"""Folders that are for their owner only, also if they existed before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_root(folder: Path) -> None:
    """Makes a folder with all folders above it; other users cannot replace what is in it.

    The folder may be one that the user made for other things too, so that its other permissions
    stay as they are.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_replaceable(folder, _WRITERS):
        _close(folder, _WRITERS)


def make_private(folder: Path) -> None:
    """Makes a folder below a root; other users can neither read it nor write into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder, _OTHERS)


def is_open(folder: Path) -> bool:
    """Returns whether every user can replace what is in a folder.

    `make_root` does not change this in a folder of another user.
    """
    return _is_replaceable(folder, stat.S_IWOTH)


def _is_replaceable(folder: Path, writers: int) -> bool:
    """Whether these writers may replace files of others; in a sticky folder they may not."""
    mode = folder.stat().st_mode
    return bool(mode & writers) and not mode & stat.S_ISVTX


def _close(folder: Path, permissions: int) -> None:
    """Takes permissions from a folder, if it is one of this user."""
    found = folder.stat()
    if found.st_mode & permissions and found.st_uid == os.geteuid():
        with suppress(OSError):  # the disk is read-only: nothing in it can be replaced
            folder.chmod(stat.S_IMODE(found.st_mode) & ~permissions)
