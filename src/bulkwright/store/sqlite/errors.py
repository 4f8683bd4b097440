"""Classifies the errors of both SQLite drivers (see outages.py); imports neither of them.

`sqlite3` passes on SQLite's result code. ADBC does not: it has a status of its own, which only
separates violated constraints (INTEGRITY) from everything else, and the text that SQLite has for
the code. So its errors are classified by status first, then by exactly that text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkwright.outages import DISK_ERROR, NO_SPACE, READ_ONLY

if TYPE_CHECKING:
    import sqlite3

    import adbc_driver_manager

_LOCKED = "another program holds the database's lock; end it"
_CANNOT_OPEN = "the database cannot be opened; check its permissions and the limit of open files"

_SLOW = "the database took too long for a query; ask for less, or by a field that has an index"

_BUSY = 5
_BY_CODE = {
    _BUSY: _LOCKED,
    6: _LOCKED,
    8: READ_ONLY,
    9: _SLOW,
    10: DISK_ERROR,
    13: NO_SPACE,
    14: _CANNOT_OPEN,
}
"""By primary result code: BUSY, LOCKED, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN.

They are those of sqlite.org/rescode.html. An extended code has its primary code in the lowest byte.
"""

_BUSY_TEXT = "database is locked"
_BY_TEXT = {
    _BUSY_TEXT: _LOCKED,
    "database table is locked": _LOCKED,
    "attempt to write a readonly database": READ_ONLY,
    "disk I/O error": DISK_ERROR,
    "database or disk is full": NO_SPACE,
    "unable to open database file": _CANNOT_OPEN,
}
"""By the text that SQLite has for the codes above (`sqlite3_errstr`)."""


def stdlib_outage(error: sqlite3.Error) -> str | None:
    """Returns the outage that an error of `sqlite3` means; None for any other error."""
    return _BY_CODE.get(_code(error) & 0xFF)


def adbc_outage(error: adbc_driver_manager.Error) -> str | None:
    """Returns the outage that an error of ADBC means; None for any other error.

    The status INTEGRITY means none, even if a trigger's own message reads like one.
    """
    return None if error.status_code.name == "INTEGRITY" else _BY_TEXT.get(_text(error))


def is_busy(error: Exception) -> bool:
    """Returns whether another connection holds a lock, so that the statement may be tried again."""
    if _code(error):
        return _code(error) & 0xFF == _BUSY
    return _text(error) == _BUSY_TEXT


def _code(error: Exception) -> int:
    """Returns SQLite's result code; 0 for an error of ADBC, and of `sqlite3` itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code


def _text(error: Exception) -> str:
    """Returns SQLite's own text, without what ADBC puts before it and after it."""
    return str(error).partition("\nquery: ")[0].rpartition(": ")[2]
