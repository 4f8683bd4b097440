"""Classifies errors: is it an outage of the machine, or a fault of the request or the job?

A full disk, a lock that another program holds, an object store that does not respond, a database
server that is down: no request or job has caused them, and they end. The caller leaves everything
unchanged, reports the outage in one line, and tries again.

No driver is imported here. The module that imports a driver registers a classifier for its errors.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, TypeVar

NO_SPACE = "no space is left for the data folder; free some"
READ_ONLY = "the data folder cannot be written to; check its mount and its permissions"
DISK_ERROR = "the disk responds with an input/output error; check the system's log"
_TOO_MANY_FILES = "too many files are open; raise the limit (ulimit -n)"

_BY_ERRNO = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: NO_SPACE,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EIO: DISK_ERROR,
    errno.ESTALE: DISK_ERROR,
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
}


class Outage(Exception):
    """An outage of the machine or of a server; the message says what is wrong and what to do."""


Error = TypeVar("Error", bound=BaseException)

_classifiers: dict[type[BaseException], Callable[[Any], str | None]] = {}


def register(kind: type[Error], classifier: Callable[[Error], str | None]) -> None:
    """Lets `classify` use `classifier` for errors of the class `kind` and its subclasses.

    The classifier returns the message of the outage, or None for any other error.
    """
    _classifiers[kind] = classifier


def classify(error: BaseException) -> Outage | None:
    """Returns the outage that an error means; None for any other error."""
    if isinstance(error, Outage):
        return error
    message = _by_errno(error) if isinstance(error, OSError) else _by_driver(error)
    return None if message is None else Outage(message)


def _by_errno(error: OSError) -> str | None:
    # An EACCES without a file name comes from a socket or a process, not from the data folder.
    if error.filename is None and error.errno in (errno.EACCES, errno.EPERM):
        return None
    return _BY_ERRNO.get(error.errno or 0)


def _by_driver(error: BaseException) -> str | None:
    for kind, classifier in _classifiers.items():
        if isinstance(error, kind):
            return classifier(error)
    return None
