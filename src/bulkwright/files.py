"""Uploads, result parts and results as files in a data folder.

A file exists under its own name only when it is whole and durable: it is written beside its
place, flushed to the disk, renamed, and the folder is flushed too. Names are made of our own ids;
nothing that a client sends becomes part of a path.

    DATA/files/uploads/<upload id>.zip      as acknowledged
    DATA/files/parts/<job id>/<name>        result lines of one chunk, deflated
    DATA/files/results/<job id>.zip         the whole result
    DATA/files/incoming/                    what is being written
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_ABANDONED_SECONDS = 3600


class Incoming:
    """A file being written. Leaving the block without `keep` leaves nothing behind."""

    def __init__(self, path: Path) -> None:
        self._path = path
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

    def keep(self, place: Path) -> None:
        """Make the file durable under its own name, over whatever was there."""
        self._file.flush()
        os.fsync(self._file.fileno())
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(self._path, place)
        _flush_folder(place.parent)
        self._kept = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)


class LocalFiles:
    """The file area on a local disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for name in ("uploads", "parts", "results", "incoming"):
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def incoming(self) -> Incoming:
        """A new file to write to, not visible to anybody yet."""
        return Incoming(self._root / "incoming" / secrets.token_hex(16))

    def upload_place(self, upload_id: int) -> Path:
        """Where an upload is kept."""
        return self._root / "uploads" / f"{upload_id}.zip"

    def part_place(self, job_id: int, name: str) -> Path:
        """Where a chunk's result lines are kept until the job ends."""
        return self._root / "parts" / str(job_id) / name

    def result_place(self, job_id: int) -> Path:
        """Where a result is kept."""
        return self._root / "results" / f"{job_id}.zip"

    def put_part(self, job_id: int, name: str, data: bytes) -> None:
        """Keep a chunk's result lines; durable when this returns."""
        with self.incoming() as file:
            file.write(data)
            file.keep(self.part_place(job_id, name))

    def drop_parts(self, job_id: int) -> None:
        """Forget a job's parts, their result being whole."""
        shutil.rmtree(self._root / "parts" / str(job_id), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what crashes left half-written an hour ago or more: nobody writes to it now."""
        for path in (self._root / "incoming").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
