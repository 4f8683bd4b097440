"""Uploads, result pieces and results: one protocol, two implementations.

local.py      a folder on a disk
objects.py    an object store: S3 and compatible stores, Google Cloud Storage, Azure
checksums.py  the checksum of a piece

A file has its own name only when it is complete and durable. Names are made of the service's own
ids; no text that a client sends becomes part of a name.

    uploads/<upload id>.zip      as acknowledged
    parts/<job id>/<name>        the result lines of one chunk, deflated, and their CRC-32
    results/<job id>.zip         the whole result
    owner                        the id of the database that the files belong to
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from bulkwright.outages import Outage


class DamagedFile(Exception):
    """A file does not have the content that was stored; the message names the file."""


class MissingFile(DamagedFile):
    """A file that was stored does not exist any more."""


class ForeignFiles(Outage):
    """The files belong to another database. Two databases give the same ids to their jobs."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the files in {where} belong to another database; give each database a place of its "
            f"own (--files, or --data). If that database is gone, delete {where}/{OWNER}."
        )


OWNER = "owner"
"""The file that holds the id of the database."""


class Area(Enum):
    """The folders whose files or subfolders are named after an id."""

    UPLOADS = "uploads"
    PIECES = "parts"
    RESULTS = "results"

    @property
    def suffix(self) -> str:
        """The end of a file name, after the id; empty for pieces, which have a folder for a job."""
        return "" if self is Area.PIECES else ".zip"

    def path(self, number: int) -> str:
        """Returns the path of an id's file, or of the folder of its pieces."""
        return f"{self.value}/{number}{self.suffix}"

    def id_of(self, name: str) -> int | None:
        """Returns the id that a name in this folder belongs to; None for a foreign name."""
        digits = name.removesuffix(self.suffix)
        ours = digits.isascii() and digits.isdigit() and digits + self.suffix == name
        return int(digits) if ours else None


class Incoming(Protocol):
    """A file that is being written and has no name yet. Without `save`, the block deletes it."""

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        ...

    def reader(self) -> BinaryIO:
        """Returns the written bytes as a file, at its start; nothing may be written afterwards."""
        ...

    def save(self, area: Area, number: int) -> None:
        """Makes it the upload or the result of an id, in place of an earlier one.

        The file is durable when this returns.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Files(Protocol):
    """What the service does with files, independent of where they are stored.

    Every method may raise OSError or Outage (outages.py); then it has changed nothing.
    """

    def check_space(self) -> None:
        """Raises Outage if less space is free on the local disk than has to stay free."""
        ...

    def incoming(self) -> Incoming:
        """Returns a new file to write to."""
        ...

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """Returns an upload or a result, complete, open at its start on a local disk.

        With `sha256`, its content is checked first. Raises FileNotFoundError, and DamagedFile if
        the content has another checksum.
        """
        ...

    def size(self, area: Area, number: int) -> int:
        """Returns the size of an upload or a result in bytes. Raises FileNotFoundError."""
        ...

    def put_piece(self, job_id: int, name: str, data: bytes) -> None:
        """Stores the result lines of a chunk; they are durable when this returns.

        Calls `check_space` before.
        """
        ...

    def read_piece(self, job_id: int, name: str, size: int) -> bytes:
        """Returns the result lines of a chunk, `size` bytes.

        Raises MissingFile if there are none, DamagedFile if they are not what was stored.
        """
        ...

    def delete_pieces(self, job_id: int) -> None:
        """Deletes the pieces of a job whose result exists.

        A piece that cannot be deleted now is left to the sweep.
        """
        ...

    def unchanged_for(self, area: Area, seconds: float) -> Iterator[int]:
        """Returns the ids whose files were not changed for `seconds`."""
        ...

    def delete(self, area: Area, number: int) -> int:
        """Deletes the files of an id, if there are any; returns their size in bytes."""
        ...

    def bind(self, owner: str) -> None:
        """Binds the files to the database with the id `owner`, if they are bound to none.

        Raises ForeignFiles if they are bound to another database. An object store is queried before
        the next use of the files, which then raises it.
        """
        ...

    def check_owner(self, owner: str) -> None:
        """Raises ForeignFiles if the files are bound to another database; changes nothing."""
        ...

    def check_reachable(self) -> None:
        """Raises OSError or Outage if the files cannot be reached."""
        ...

    def sweep(self) -> int:
        """Deletes incomplete files that crashes left an hour ago or more; returns their number."""
        ...
