"""The state that a reset restores: database and files as they were when the server started."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

from bulkwright.domain.limits import BASELINE_BYTES
from bulkwright.folders import make_private


class Copies(Protocol):
    """Saves and loads what the service has in a database."""

    def size(self) -> int:
        """Returns its bytes."""
        ...

    def keep(self, path: Path) -> None:
        """Saves the database, as it is now, to a path for `load_kept`."""
        ...

    def load_kept(self) -> None:
        """Replaces the database by what the last `keep` has saved, at once for all processes."""
        ...

    def save(self, path: Path) -> None:
        """Saves the database, as it is now, to a file."""
        ...

    def adopt(self, path: Path, client_id: str) -> None:
        """Brings a copy of another database up to date, so that it can be loaded here.

        Raises UnusableCopy, also if it has no OAuth client with this id.
        """
        ...

    def load(self, path: Path) -> None:
        """Replaces the database by what a file holds, at once for all processes."""
        ...

    def close(self) -> None:
        """Closes what it has opened."""
        ...


class FileCopies(Protocol):
    """Saves and loads uploads, pieces and results."""

    def save(self, folder: Path) -> None:
        """Makes a folder hold the files as they are now."""
        ...

    def load(self, folder: Path) -> None:
        """Makes the files those that a folder holds."""
        ...


class Baseline:
    """The baseline of a server. Nothing else may use database or files while it works."""

    def __init__(self, copies: Copies, files: FileCopies, folder: Path) -> None:
        self.copies = copies
        self.files = files
        self.folder = folder
        """Where its copies are."""
        self._lock = threading.Lock()
        self.is_taken = False
        """Whether there is one: not if the database had more bytes than BASELINE_BYTES."""

    @property
    def database_path(self) -> Path:
        """The copy of the database."""
        return self.folder / "database"

    @property
    def files_path(self) -> Path:
        """The copies of the files."""
        return self.folder / "files"

    def take(self) -> None:
        """Takes the baseline anew."""
        make_private(self.folder)
        with self._lock:
            self.is_taken = self.copies.size() <= BASELINE_BYTES
            if self.is_taken:
                self.copies.keep(self.database_path)
                self.files.save(self.files_path)

    def restore(self) -> None:
        """Restores database and files."""
        with self._lock:
            self.copies.load_kept()
            self.files.load(self.files_path)
