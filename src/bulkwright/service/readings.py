"""Readings of uploads in encodings that jobs name: one of an org at a time, and none twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from bulkwright.domain.errors import FileError
from bulkwright.domain.upload import CsvFacts

_MOST_CHARACTERS = 4_000_000
"""Characters of all headers that are kept."""
_LEAST_CHARACTERS = 1_000
"""What a reading counts for at least, so that their number has a limit too."""

_Facts = tuple[CsvFacts, ...]


class Readings:
    """The facts about uploads in other encodings than the recognised one. Threads share it.

    A reading takes as long as the text is, so the requests of one org wait for each other, and a
    request that names the same upload and encoding again gets the result of the first one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reading: dict[int, Lock] = {}
        """By org: held while an upload of the org is read."""
        self._found: OrderedDict[tuple[int, str], _Facts | FileError] = OrderedDict()
        """By upload and encoding; the last used ones are at the end."""
        self._characters = 0

    def facts(
        self, org_id: int, upload_id: int, encoding: str, read: Callable[[], _Facts]
    ) -> _Facts:
        """Returns what `read` returns for this upload and encoding, now or earlier.

        Raises the FileError that it raises; its other errors are not kept.
        """
        key = (upload_id, encoding)
        with self._lock:
            of_org = self._reading.setdefault(org_id, Lock())
        with of_org:
            found = self._find(key)
            if found is None:
                try:
                    found = read()
                except FileError as error:
                    found = error
                self._keep(key, found)
        if isinstance(found, FileError):
            raise type(found)(found.message, found.details)
        return found

    def known(self, upload_id: int, encoding: str) -> bool:
        """Returns whether `facts` would not have to read the upload."""
        return (upload_id, encoding) in self._found

    def _find(self, key: tuple[int, str]) -> _Facts | FileError | None:
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def _keep(self, key: tuple[int, str], found: _Facts | FileError) -> None:
        with self._lock:
            self._found[key] = found
            self._characters += _characters(found)
            while self._characters > _MOST_CHARACTERS:
                _, oldest = self._found.popitem(last=False)
                self._characters -= _characters(oldest)


def _characters(found: _Facts | FileError) -> int:
    if isinstance(found, FileError):
        return _LEAST_CHARACTERS
    return _LEAST_CHARACTERS + sum(
        len(name) for csv in found for under in csv.splittings for name in under.header
    )
