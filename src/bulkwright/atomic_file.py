"""Writes a file that appears under its name only when it is whole."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

_STREAMS = re.compile("/dev/[^/]+|/dev/fd/.*|/proc/.*")
"""Names that lead to an open stream, such as /dev/stdout, which no file can replace. Others in /dev
are files: /dev/shm is a folder in memory."""


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Opens a new file beside `path`, which replaces `path` when the block ends.

    If the block raises, the new file is deleted and `path` stays as it was. The permissions of an
    existing file stay, and a symbolic link still leads to it. Some targets cannot be replaced, and
    the block writes to them directly: devices, pipes, standard output, files with several names,
    and files in a folder that this process cannot write to. Raises OSError, which names `path`.
    """
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{token_hex(8)}.part")
    file = None if _must_stay(path, target) else _create(partial, path)
    if file is None:
        with path.open("wb") as direct:
            yield direct
        return
    try:
        with file:
            yield file
        if target.exists():
            partial.chmod(stat.S_IMODE(target.stat().st_mode))
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _must_stay(path: Path, target: Path) -> bool:
    """Whether a new file must not replace the target."""
    if any(_STREAMS.fullmatch(str(name)) for name in (path.absolute(), target)):
        return True
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    # A file that this process may not write stays as it is: opening it raises.
    return not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or not os.access(target, os.W_OK)


def _create(partial: Path, path: Path) -> IO[bytes] | None:
    """Creates the new file; None if only the folder forbids it and the target exists."""
    try:
        return partial.open("xb")
    except OSError as error:
        if isinstance(error, PermissionError) and path.exists():
            return None
        raise type(error)(error.errno, error.strerror, str(path)) from None
