"""A copy of a folder of files that costs no space: hard links, because no file is ever changed."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from bulkwright.files import Area
from bulkwright.folders import make_private


class Mirror:
    """Saves the files of a `LocalFiles` in another folder, and loads them again.

    Nothing may write to either meanwhile.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def save(self, folder: Path) -> None:
        """Makes `folder` hold the files as they are now."""
        for area in Area:
            make_private(folder / area.value)
            _mirror(self._root / area.value, folder / area.value)

    def load(self, folder: Path) -> None:
        """Makes the files those that `folder` holds."""
        for area in Area:
            _mirror(folder / area.value, self._root / area.value)


def _mirror(source: Path, target: Path) -> None:
    """Makes `target` hold exactly what `source` holds; a source that does not exist holds nothing.

    A file that both have, under its name and as the same file, is not touched.
    """
    wanted, found = _entries(source), _entries(target)
    for name, entry in found.items():
        if entry.is_dir(follow_symlinks=False):
            if name in wanted:
                _mirror(source / name, target / name)
            else:
                shutil.rmtree(entry.path, ignore_errors=True)
        elif name not in wanted or wanted[name].inode() != entry.inode():
            with suppress(FileNotFoundError):
                Path(entry.path).unlink()
    for name, entry in wanted.items():
        if entry.is_dir(follow_symlinks=False):
            if name not in found:
                (target / name).mkdir(mode=0o700)
                _mirror(source / name, target / name)
        elif name not in found or found[name].inode() != entry.inode():
            _link(entry.path, target / name)


def _entries(folder: Path) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except FileNotFoundError:
        return {}


def _link(source: str, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        shutil.copy2(source, target)
