"""Files in a folder on a local disk.

A file is written beside its place, flushed to the disk, renamed, and the folder is flushed too.

    FOLDER/uploads/, parts/, results/    as files/__init__.py says
    FOLDER/incoming/                     what is being written
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from bulkwright.files import Area, Damaged, Gone
from bulkwright.files.sealing import seal, unsealed

_ABANDONED_SECONDS = 3600


class LocalIncoming:
    """A file being written beside its place."""

    def __init__(self, path: Path, place: Callable[[Area, int], Path]) -> None:
        self._path = path
        self._place = place
        self._file: BinaryIO = open(  # noqa: SIM115 - closed by __exit__
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b"
        )
        self._kept = False

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)

    def reader(self) -> BinaryIO:
        """What was written so far, from the start; not to be written to any more."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def keep(self, area: Area, number: int) -> None:
        """Make it durable under the name of an id, over whatever was there."""
        self.settle(self._place(area, number))

    def settle(self, place: Path) -> None:
        """Make the file durable in its place, over whatever was there."""
        self._file.flush()
        os.fsync(self._file.fileno())
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(self._path, place)
        _flush_folder(place.parent)
        _flush_folder(place.parent.parent)  # where a new folder is noted
        self._kept = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()  # on a full disk it cannot write what it still holds
        finally:
            if not self._kept:
                self._path.unlink(missing_ok=True)


class LocalFiles:
    """Files in a folder on a local disk: a `Files`."""

    def __init__(self, root: Path, *, make: bool = True) -> None:
        """The files under `root`; its folders are made, unless it is only to be looked at."""
        self._root = root
        folders = [root / name for name in ("uploads", "parts", "results", "incoming")]
        if make and not all(folder.is_dir() for folder in folders):
            for folder in folders:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _flush_folder(root)
            _flush_folder(root.parent)

    def place(self, area: Area, number: int) -> Path:
        """Where an id's file lies, or the folder of its parts."""
        return self._root / area.path(number)

    def incoming(self) -> LocalIncoming:
        """A new file to write to, not visible to anybody yet."""
        return LocalIncoming(self._root / "incoming" / secrets.token_hex(16), self.place)

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """An upload or a result, open at its start. Raises FileNotFoundError and Damaged."""
        file = _open_plain(self.place(area, number))
        try:
            if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise Damaged(f"{area.path(number)} is not what was kept")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def put_part(self, job_id: int, name: str, data: bytes) -> None:
        """Keep a chunk's result lines; durable when this returns."""
        with self.incoming() as file:
            file.write(data)
            file.write(seal(data))
            file.settle(self.place(Area.PARTS, job_id) / name)

    def part(self, job_id: int, name: str, size: int) -> bytes:
        """A chunk's result lines of that many bytes. Raises Gone and Damaged."""
        try:
            with _open_plain(self.place(Area.PARTS, job_id) / name) as file:
                sealed = file.read()
        except FileNotFoundError:
            raise Gone(f"part {name} is gone") from None
        return unsealed(name, sealed, size)

    def drop_parts(self, job_id: int) -> None:
        """Forget a job's parts, their result being whole."""
        shutil.rmtree(self.place(Area.PARTS, job_id), ignore_errors=True)

    def idle(self, area: Area, seconds: float) -> Iterator[int]:
        """The ids that have something there which nobody has changed for so many seconds."""
        before = time.time() - seconds
        folder = self._root / area.value
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                number = area.number(entry.name)
                if number is None:
                    continue
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < before:
                        yield number

    def drop(self, area: Area, number: int) -> int:
        """Remove what belongs to an id, if it is there; the bytes that it held."""
        place = self.place(area, number)
        size = 0
        for path in place.iterdir() if place.is_dir() else (place,):
            with suppress(FileNotFoundError):
                held = path.stat(follow_symlinks=False).st_size
                path.unlink()
                size += held
        if area is Area.PARTS:
            with suppress(OSError):  # gone, or somebody has just put another part there
                place.rmdir()
        return size

    def look(self) -> None:
        """See whether the files can be reached. Raises OSError when they cannot."""
        for area in Area:
            (self._root / area.value).stat()

    def sweep(self) -> int:
        """Remove what crashes left half-written an hour ago or more: nobody writes to it now.

        Says how many files that were.
        """
        removed = 0
        for path in (self._root / "incoming").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink()
                    removed += 1
        return removed


def _open_plain(place: Path) -> BufferedReader:
    """Open a file to read, but nothing that somebody put in its place: no link, no folder."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Damaged(f"{place.name} has become a link") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Damaged(f"{place.name} has become something else than a file")
    return open(handle, "rb")


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
