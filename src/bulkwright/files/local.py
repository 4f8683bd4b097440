"""Files in a folder on a local disk.

A file is written beside its final path, flushed to the disk and renamed. Then its folder is
flushed.

    FOLDER/uploads/, parts/, results/    as described in files/__init__.py
    FOLDER/owner                         likewise
    FOLDER/incoming/                     files that are being written
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.files import OWNER, Area, DamagedFile, ForeignFiles, MissingFile
from bulkwright.files.checksums import checksum, verified
from bulkwright.files.space import check_free_space
from bulkwright.folders import make_private, make_root

_ABANDONED_SECONDS = 3600


class LocalIncoming:
    """A file that is being written beside its final path."""

    def __init__(
        self, path: Path, path_of: Callable[[Area, int], Path], durable: Set[Path]
    ) -> None:
        """`durable` folders have been flushed with the folders that hold them."""
        self._path = path
        self._path_of = path_of
        self._durable = durable
        self._file: BinaryIO = open(  # noqa: SIM115 - closed by __exit__
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b"
        )
        self._saved = False

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._file.write(data)

    def reader(self) -> BinaryIO:
        """Returns the written bytes as a file, at its start; nothing may be written afterwards."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def save(self, area: Area, number: int) -> None:
        """Makes it the upload or the result of an id, durable, in place of an earlier one."""
        self.move_to(self._path_of(area, number))

    def move_to(self, path: Path) -> None:
        """Flushes the file and renames it to `path`, in place of an earlier file; durable then."""
        self._file.flush()
        os.fsync(self._file.fileno())
        is_durable = path.parent in self._durable and path.parent.is_dir()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(self._path, path)
        _flush_folder(path.parent)
        if not is_durable:
            _flush_folder(path.parent.parent)  # it holds the entry of a new folder
        self._saved = True

    def link_to(self, path: Path) -> None:
        """Gives the file the name `path`, durable then, unless another file has it already."""
        self._file.flush()
        os.fsync(self._file.fileno())
        with suppress(FileExistsError):
            os.link(self._path, path)
        _flush_folder(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()  # raises if the disk is full, because the buffer cannot be written
        finally:
            if not self._saved:
                self._path.unlink(missing_ok=True)


class LocalFiles:
    """Files in a folder on a local disk; implements `Files`."""

    def __init__(
        self, root: Path, *, make: bool = True, free_bytes: int = 0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Uses the files under `root`. Without `make`, missing folders are not created.

        `free_bytes` have to stay free on the disk.
        """
        self.root = self._root = root
        """The folder of the files."""
        self._free_bytes = free_bytes
        self._clock = clock
        folders = [root / name for name in ("uploads", "parts", "results", "incoming")]
        self._durable: Set[Path] = frozenset()
        if make:
            make_root(root)
            for folder in folders:
                make_private(folder)
            # Also if they exist: the process that made them may have ended before it did this.
            _flush_folder(root)
            _flush_folder(root.parent)
            self._durable = frozenset(folders)

    def path(self, area: Area, number: int) -> Path:
        """Returns the path of an id's file, or of the folder of its pieces."""
        return self._root / area.path(number)

    def check_space(self) -> None:
        """Raises Outage if less space is free than has to stay free."""
        check_free_space(self._root, self._free_bytes)

    def incoming(self) -> LocalIncoming:
        """Returns a new file to write to, which has no final name yet."""
        path = self._root / "incoming" / secrets.token_hex(16)
        return LocalIncoming(path, self.path, self._durable)

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """Returns an upload or a result, open at its start. See `Files.open` for the errors."""
        file = _open_regular(self.path(area, number))
        try:
            if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise DamagedFile(f"{area.path(number)} is not what was stored")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def size(self, area: Area, number: int) -> int:
        """Returns the size of an upload or a result in bytes. Raises FileNotFoundError."""
        return self.path(area, number).stat(follow_symlinks=False).st_size

    def put_piece(self, job_id: int, name: str, data: bytes) -> None:
        """Stores the result lines of a chunk; they are durable when this returns."""
        self.check_space()
        with self.incoming() as file:
            file.write(data)
            file.write(checksum(data))
            file.move_to(self.path(Area.PIECES, job_id) / name)

    def read_piece(self, job_id: int, name: str, size: int) -> bytes:
        """Returns the result lines of a chunk, `size` bytes. Raises MissingFile, DamagedFile."""
        try:
            with _open_regular(self.path(Area.PIECES, job_id) / name) as file:
                stored = file.read()
        except FileNotFoundError:
            raise MissingFile(f"piece {name} is missing") from None
        return verified(name, stored, size)

    def delete_pieces(self, job_id: int) -> None:
        """Deletes the pieces of a job whose result exists."""
        shutil.rmtree(self.path(Area.PIECES, job_id), ignore_errors=True)

    def unchanged_for(self, area: Area, seconds: float) -> Iterator[int]:
        """Returns the ids whose files were not changed for `seconds`."""
        before = self._clock.now().timestamp() - seconds
        folder = self._root / area.value
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                number = area.id_of(entry.name)
                if number is None:
                    continue
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < before:
                        yield number

    def delete(self, area: Area, number: int) -> int:
        """Deletes the files of an id, if there are any; returns their size in bytes."""
        found = self.path(area, number)
        deleted = 0
        for path in found.iterdir() if found.is_dir() else (found,):
            with suppress(FileNotFoundError):
                size = path.stat(follow_symlinks=False).st_size
                path.unlink()
                deleted += size
        if area is Area.PIECES:
            with suppress(OSError):  # it does not exist, or a worker has just stored another piece
                found.rmdir()
        return deleted

    def bind(self, owner: str) -> None:
        """Binds the files to a database. Raises ForeignFiles if they are bound to another one."""
        path = self._root / OWNER
        if not path.exists():
            with self.incoming() as file:
                file.write(owner.encode())
                file.link_to(path)
        self.check_owner(owner)

    def check_owner(self, owner: str) -> None:
        """Raises ForeignFiles if the files are bound to another database."""
        path = self._root / OWNER
        if path.exists() and path.read_text() != owner:
            raise ForeignFiles(str(self._root))

    def check_reachable(self) -> None:
        """Raises OSError if the files cannot be reached."""
        for area in Area:
            (self._root / area.value).stat()

    def sweep(self) -> int:
        """Deletes incomplete files that crashes left an hour ago or more; returns their number.

        No process is still writing to a file of that age.
        """
        before = self._clock.now().timestamp() - _ABANDONED_SECONDS
        deleted = 0
        for path in (self._root / "incoming").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    deleted += 1
        return deleted


def _open_regular(path: Path) -> BufferedReader:
    """Opens a regular file to read. Raises DamagedFile for a link, a folder or a device."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamagedFile(f"{path.name} has become a link") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DamagedFile(f"{path.name} is not a regular file any more")
    return open(handle, "rb")


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
