"""Copies of a SQLite file, on which jobs run that are to store nothing.

A copy is made in one read transaction, so that no writer waits, and is deleted at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.store.sqlite.driver import make_private

_PREFIX = "copy-"
_FORGOTTEN_SECONDS = 24 * 3600.0
"""A copy that was not written for this long belongs to a process that was killed."""


def size_of(database: AdbcDatabase) -> int:
    """Returns how many bytes a database has, also those that are still in its log."""
    (row,) = database.sql(
        "SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size"
    )
    return int(row["n"])


@contextmanager
def copied(database: AdbcDatabase, folder: Path, clock: Clock) -> Iterator[AdbcDatabase]:
    """Opens a copy of a database in an existing folder, and deletes it at the end."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            # Files have the times of the machine, whatever clock the stores have.
            if SYSTEM_CLOCK.now().timestamp() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
                path.unlink()
    path = folder / f"{_PREFIX}{os.getpid()}.sqlite"
    _delete(path)
    make_private(path)
    try:
        database.sql("VACUUM INTO ?", (str(path),))
        with closing(AdbcDatabase(path, clock)) as copy:
            yield copy
    finally:
        _delete(path)


def _delete(path: Path) -> None:
    """Deletes a copy, its logs and its locks."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink(missing_ok=True)
