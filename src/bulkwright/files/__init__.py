"""Uploads, result parts and results: one seam, two adapters.

local.py      a folder on a disk
objects.py    an object store: S3 and what speaks like it, Google Cloud Storage, Azure
sealing.py    what shows that a part is whole

A file is there under its own name only when it is whole and durable. Names are made of our own
ids; nothing that a client sends becomes part of one.

    uploads/<upload id>.zip      as acknowledged
    parts/<job id>/<name>        result lines of one chunk, deflated, and their CRC-32
    results/<job id>.zip         the whole result
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import TracebackType
from typing import BinaryIO, Protocol, Self


class Damaged(Exception):
    """A file is not what was kept; the message says which one."""


class Gone(Damaged):
    """A file that was kept is not there any more."""


class Area(Enum):
    """The folders whose files are named after an id, and how."""

    UPLOADS = "uploads"
    PARTS = "parts"
    RESULTS = "results"

    @property
    def ending(self) -> str:
        """What follows the id; parts lie in a folder that is named after their job."""
        return "" if self is Area.PARTS else ".zip"

    def path(self, number: int) -> str:
        """Where an id's file lies, or the folder of its parts."""
        return f"{self.value}/{number}{self.ending}"

    def number(self, name: str) -> int | None:
        """The id that a name in this folder belongs to; None when it is none of ours."""
        digits = name.removesuffix(self.ending)
        ours = digits.isascii() and digits.isdigit() and digits + self.ending == name
        return int(digits) if ours else None


class Incoming(Protocol):
    """A file being written, seen by nobody. Leaving the block without `keep` leaves nothing."""

    def write(self, data: bytes) -> None:
        """Append bytes."""
        ...

    def reader(self) -> BinaryIO:
        """What was written so far, from the start; not to be written to any more."""
        ...

    def keep(self, area: Area, number: int) -> None:
        """Make it the upload or the result of an id, over whatever was there; durable then."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Files(Protocol):
    """What the service does with files, wherever they lie.

    Every operation may raise OSError or Trouble (trouble.py): the machine is in the way, and all
    is as it was.
    """

    def incoming(self) -> Incoming:
        """A new file to write to."""
        ...

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """An upload or a result, whole, open at its start on a local disk.

        Raises FileNotFoundError, and Damaged when it is not, byte for byte, what was kept: known
        by its SHA-256, if there is one.
        """
        ...

    def put_part(self, job_id: int, name: str, data: bytes) -> None:
        """Keep a chunk's result lines; durable when this returns."""
        ...

    def part(self, job_id: int, name: str, size: int) -> bytes:
        """A chunk's result lines of that many bytes.

        Raises Gone when there are none, Damaged when they are not as kept.
        """
        ...

    def drop_parts(self, job_id: int) -> None:
        """Forget a job's parts, their result being whole; what cannot go now is swept later."""
        ...

    def idle(self, area: Area, seconds: float) -> Iterator[int]:
        """The ids that have something there which nobody has changed for so many seconds."""
        ...

    def drop(self, area: Area, number: int) -> int:
        """Remove what belongs to an id, if it is there; the bytes that it held."""
        ...

    def look(self) -> None:
        """See whether the files can be reached; raises where they cannot."""
        ...

    def sweep(self) -> int:
        """Remove what crashes left half-written an hour ago or more; how many files that were."""
        ...
