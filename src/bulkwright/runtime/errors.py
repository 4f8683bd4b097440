"""Why a server does not start."""

from __future__ import annotations


class CannotServe(Exception):
    """The server cannot start with these settings. The message says what to change."""
