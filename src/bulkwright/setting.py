"""How a setting is declared: a field of a dataclass, with its help and its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

from bulkwright.variables import refuse_beyond, refuse_placeholder, variable

T = TypeVar("T")


def option(default: T, help: str, *, least: int = 0, most: int = 2**40) -> T:
    """Declares a field; `help` is its text in `--help` and in docs/settings.md.

    A number is from `least` to `most`.
    """
    made: T = field(default=default, metadata={"help": help, "least": least, "most": most})
    return made


@dataclass(frozen=True)
class SettingsGroup:
    """The base class of the groups. Each group's check calls `super()`; this one is the last."""

    def __post_init__(self) -> None:
        """Raises UnusableSetting for a value that cannot be used."""
        for each in fields(self):
            value = getattr(self, each.name)
            refuse_placeholder(variable(each.name), value)
            if isinstance(value, int | float):
                refuse_beyond(each.name, value, each.metadata["least"], each.metadata["most"])


def help_text(group: type[SettingsGroup], name: str) -> str:
    """Returns the text of `--help` of a field."""
    (found,) = [f for f in fields(group) if f.name == name]
    return str(found.metadata["help"])
