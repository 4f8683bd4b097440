"""Options that take whole numbers: from the command line, the environment or `bulkwright.toml`."""

from __future__ import annotations

from typing import get_args

from cyclopts import App, ArgumentCollection


def whole_numbers(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Raises UnusableSetting for a number with a point, which would be rounded, and for a text."""
    for argument in arguments:
        if int not in (argument.hint, *get_args(argument.hint)):
            continue
        for token in argument.tokens:
            if not _is_whole(token.value):
                from bulkwright.variables import UnusableSetting

                name = token.keyword or argument.name
                if name.startswith("["):
                    name = f"{token.source}: {name.strip('[]')}"
                raise UnusableSetting(f"{name} takes a whole number, not {token.value!r}.")


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
