"""Judges what options are given on the command line, in the environment or in `bulkwright.toml`.

Python would make something of these texts that no user means: a number with a point is rounded, and
an empty path is the current folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from cyclopts import App, ArgumentCollection, Token


def check_given(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Raises UnusableSetting for a number that is not whole where one is needed, and for a path
    that is empty.
    """
    for argument in arguments:
        types = (argument.hint, *get_args(argument.hint))
        for token in argument.tokens:
            if int in types and not _is_whole(token.value):
                _refuse(token, argument.name, f"takes a whole number, not {token.value!r}")
            if Path in types and not token.value.strip():
                _refuse(token, argument.name, "takes a path, and is empty")


def _refuse(token: Token, name: str, why: str) -> None:
    from bulkwright.variables import UnusableSetting

    name = token.keyword or name
    if name.startswith("["):
        name = f"{token.source}: {name.strip('[]')}"
    raise UnusableSetting(f"{name} {why}.")


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
