"""Classifies the errors of psycopg (see outages.py): by SQLSTATE, else by class.

A connection that was never established has no SQLSTATE, neither from libpq nor from psycopg. Only
for those the text is the last resort; a server with another language of messages is then reported
as one that cannot be reached.
"""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolTimeout

_UNREACHABLE = "the database server cannot be reached; check that it runs, and --database"
_LOST = "the connection to the database server was lost; check its log if this continues"
_STARTING = "the database server is starting or shutting down; start it if it stays so"
_FULL = "no connection is left; raise the server's max_connections, or run fewer processes"
_ALL_IN_USE = "every connection of this process is in use; check what the database server waits for"
_NO_SPACE = "no space is left for the database server; free some"
_NO_MEMORY = "the database server is out of memory or of another resource; check its log"
_SERVER_ERROR = "the database server has input/output errors; check its log"
_SLOW = "the database server took too long; check in pg_stat_activity which session holds a lock"
_PAUSED = "this process was stopped in the middle of a transaction; nothing needs to be done"
_CONFLICT = "two transactions were in conflict; nothing needs to be done"
_STANDBY = "the database server is read-only; name the primary in --database"
_NOT_PERMITTED = "the database role lacks a permission; grant it, or use another role in --database"
_REJECTED = "the database server rejects role, password or database; check --database"

_BY_STATE = {
    "08": _LOST,
    "25006": _STANDBY,
    "25P03": _PAUSED,
    "25P04": _PAUSED,
    "28": _REJECTED,
    "3D": _REJECTED,
    "40": _CONFLICT,
    "42501": _NOT_PERMITTED,
    "53": _NO_MEMORY,
    "53100": _NO_SPACE,
    "53300": _FULL,
    "55P03": _SLOW,
    "57014": _SLOW,
    "57P": _STARTING,
    "58": _SERVER_ERROR,
}
"""By SQLSTATE or its first characters; the longest entry counts."""

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
    "authentication failed": _REJECTED,
    "no password supplied": _REJECTED,
    "pg_hba.conf": _REJECTED,
    "does not exist": _REJECTED,
    "permission denied": _NOT_PERMITTED,
    "connection failed": _UNREACHABLE,
    "failed to resolve host": _UNREACHABLE,
}
"""By the text of an error without SQLSTATE; the first entry counts."""


def postgres_outage(error: psycopg.Error) -> str | None:
    """Returns the outage that an error of psycopg means; None for any other error."""
    state = error.sqlstate
    if state is not None:
        return next((_BY_STATE[state[:n]] for n in (5, 3, 2) if state[:n] in _BY_STATE), None)
    if isinstance(error, PoolTimeout):
        return _ALL_IN_USE
    if not isinstance(error, psycopg.OperationalError):
        return None  # a wrong use of the driver
    text = str(error)
    by_text = next((outage for words, outage in _BY_CONNECT_TEXT.items() if words in text), None)
    if by_text is None and isinstance(error, psycopg.errors.ConnectionTimeout):
        return _UNREACHABLE
    return by_text or _LOST
