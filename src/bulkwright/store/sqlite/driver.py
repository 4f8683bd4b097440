"""What both SQLite drivers share, and the guard that keeps them apart."""

from __future__ import annotations

from pathlib import Path

BUSY_SECONDS = 60.0
"""How long a writer waits for another one before it gives up."""

UNDO_INNER = ("ROLLBACK TO inner", "RELEASE inner")
"""Takes back a savepoint, and leaves it."""

_drivers: dict[Path, str] = {}


def claim_driver(path: Path, driver: str) -> None:
    """State that this process opens the file through `driver`.

    POSIX file locks belong to the process: when two SQLite libraries have one file open in it,
    the one that closes first drops the other's locks and the database is open to corruption
    (sqlite.org/howtocorrupt.html, 2.2.1). Raises AssertionError for a second driver.
    """
    first = _drivers.setdefault(path.resolve(), driver)
    if first != driver:
        raise AssertionError(f"{path} is open through {first} in this process, not {driver} too")
