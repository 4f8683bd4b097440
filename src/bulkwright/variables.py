"""The environment variables of settings: their names, and values as text."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

PREFIX = "BULKWRIGHT_"
"""Of every environment variable."""
PLACEHOLDER = "CHANGE_ME"
"""Stands for a secret in the templates of environment files."""
_TRUE = ("true", "1", "yes", "y", "t", "on")
_FALSE = ("false", "0", "no", "n", "f", "off")


class UnusableSetting(Exception):
    """The value of a setting cannot be used. The message names the option and a value that can."""


def refuse_placeholder(name: str, value: object) -> None:
    """Raises UnusableSetting if a variable still has the placeholder of a template in deploy/."""
    if isinstance(value, str) and PLACEHOLDER in value:
        raise UnusableSetting(f"{name} contains {PLACEHOLDER}; set a value of your own.")


def refuse_beyond(name: str, number: float, least: int, most: int) -> None:
    """Raises UnusableSetting unless the number of a field is from `least` to `most`."""
    if not least <= number <= most:  # false for NaN too
        option = name.replace("_", "-")
        raise UnusableSetting(f"--{option} takes a number from {least} to {most}, not {number}.")


def variable(name: str) -> str:
    """Returns the environment variable of a field: `log_format` has BULKWRIGHT_LOG_FORMAT."""
    return PREFIX + name.upper()


def written(value: object) -> str:
    """Returns the text of a value; `parsed` makes an equal value of it."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return " ".join(value)
        case _:
            return str(value)


def parsed(text: str, hint: Any, name: str) -> object:
    """Converts the text of the variable `name` to the type of its field. Raises UnusableSetting."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = [member for member in get_args(hint) if member is not type(None)]
    if get_origin(hint) is Literal and text not in get_args(hint):
        raise UnusableSetting(f"{name} takes one of {', '.join(get_args(hint))}, not {text!r}.")
    if get_origin(hint) is tuple:
        return tuple(text.split())
    if hint is bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise UnusableSetting(f"{name} takes true or false, not {text!r}.")
        return text.lower() in _TRUE
    if hint in (int, float, Path):
        try:
            return hint(text)
        except ValueError:
            raise UnusableSetting(f"{name} takes a number, not {text!r}.") from None
    return text
