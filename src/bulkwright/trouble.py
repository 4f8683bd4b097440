"""Tells trouble of the machine from a fault of the work at hand.

A full disk, a lock that somebody holds, an object store that does not answer, a database server
that is gone: none of it is the fault of a request or a job, and all of it passes. Whoever meets it
leaves things as they were, says so in one line, and tries again.

No driver is imported here: errors are known by where they come from, and PostgreSQL's by SQLSTATE.
"""

from __future__ import annotations

import errno

_NO_SPACE = "no space is left for the data folder; free some"
_LOCKED = "another program holds the database's lock; end it"
_READ_ONLY = "the data folder cannot be written to; look at its mount and its permissions"
_BROKEN = "the disk answers with an input/output error; look at the system's log"
_UNREACHABLE = "the database cannot be opened; look at its permissions and the limit of open files"
_TOO_MANY_FILES = "too many files are open; raise the limit (ulimit -n)"

_BY_NUMBER = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EFBIG: _NO_SPACE,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EIO: _BROKEN,
    errno.ESTALE: _BROKEN,
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
}

_BY_TEXT = {
    "database or disk is full": _NO_SPACE,
    "database is locked": _LOCKED,
    "database table is locked": _LOCKED,
    "attempt to write a readonly database": _READ_ONLY,
    "disk I/O error": _BROKEN,
    "unable to open database file": _UNREACHABLE,
}
"""SQLite's own words: both drivers pass them on, and only one of them the number too."""


_GONE = "the database server cannot be reached; look whether it runs, and at --database"
_LOST = "the connection to the database server was lost; look at its log if that goes on"
_STARTING = "the database server is starting or shutting down; start it if it stays so"
_FULL = "no connection is left; raise the server's max_connections, or run fewer processes"
_BUSY = "every connection of this process is in use; look what the database server waits for"
_SERVER_SPACE = "no space is left for the database server; free some"
_SERVER_MEMORY = "the database server is out of memory or of another resource; look at its log"
_SERVER_BROKEN = "the database server meets input/output errors; look at its log"
_SLOW = "the database server took too long; look in pg_stat_activity for who holds a lock there"
_PAUSED = "this process was stopped in the middle of a transaction; nothing needs to be done"
_CROSSED = "two transactions were in each other's way; nothing needs to be done"
_STANDBY = "the database server only reads; name the primary in --database"
_DENIED = "the database role lacks a permission; grant it, or name another role in --database"
_REFUSED = "the database server refuses role, password or database; look at --database"

_BY_STATE = {
    "08": _LOST,
    "25006": _STANDBY,
    "25P03": _PAUSED,
    "25P04": _PAUSED,
    "28": _REFUSED,
    "3D": _REFUSED,
    "40": _CROSSED,
    "42501": _DENIED,
    "53": _SERVER_MEMORY,
    "53100": _SERVER_SPACE,
    "53300": _FULL,
    "55P03": _SLOW,
    "57014": _SLOW,
    "57P": _STARTING,
    "58": _SERVER_BROKEN,
}
"""By SQLSTATE, or what it begins with: the longest entry counts."""

_BY_CONNECT_TEXT = {
    "too many clients": _FULL,
    "too many connections": _FULL,
    "connection slots": _FULL,
    "starting up": _STARTING,
    "shutting down": _STARTING,
    "recovery mode": _STARTING,
    "not yet accepting": _STARTING,
    "session is read-only": _STANDBY,
    "session is not read-write": _STANDBY,
    "server is in hot standby": _STANDBY,
    "authentication failed": _REFUSED,
    "no password supplied": _REFUSED,
    "pg_hba.conf": _REFUSED,
    "does not exist": _REFUSED,
    "permission denied": _DENIED,
    "connection failed": _GONE,
    "connection timeout": _GONE,
    "failed to resolve host": _GONE,
    "couldn't get a connection": _BUSY,
}
"""Where no connection came about, there is no SQLSTATE either."""

_SQLITE = ("sqlite3", "adbc_driver_manager")
_POSTGRES = ("psycopg", "psycopg_pool")


class Trouble(Exception):
    """Trouble that whoever met it could tell; the message says what is wrong and what to do."""


def trouble(error: BaseException) -> str | None:
    """What is wrong with the machine and what to do about it; None for any other error."""
    if isinstance(error, Trouble):
        return str(error)
    if isinstance(error, OSError):
        named = error.filename is not None or error.errno not in (errno.EACCES, errno.EPERM)
        return _BY_NUMBER.get(error.errno or 0) if named else None
    driver = type(error).__module__
    if driver.partition(".")[0] in _POSTGRES:
        return _server_trouble(error)
    return _said(error, _BY_TEXT) if driver in _SQLITE else None


def _server_trouble(error: BaseException) -> str | None:
    state: str | None = getattr(error, "sqlstate", None)
    if state is not None:
        return next((_BY_STATE[state[:n]] for n in (5, 3, 2) if state[:n] in _BY_STATE), None)
    # What comes without one and is no OperationalError is a mistake in the use of the driver.
    if all(kind.__name__ != "OperationalError" for kind in type(error).__mro__):
        return None
    return _said(error, _BY_CONNECT_TEXT) or _LOST


def _said(error: BaseException, by_text: dict[str, str]) -> str | None:
    told = str(error)
    return next((said for text, said in by_text.items() if text in told), None)
