"""The output of commands: lines and lists."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from json import dumps
from typing import Any

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text


class _Output(Console):
    """Output whose reader may close it: `main` ends the command then."""

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError; Rich would exit with status 1, which is that of a failure."""
        raise BrokenPipeError


class _Errors(Console):
    """Standard error. Nothing is printed beside a progress bar: the bar ends first."""

    end_bar: Callable[[], None] | None = None
    """Ends the bar that is shown."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints as any console does."""
        if self.end_bar is not None:
            self.end_bar()
        super().print(*objects, **options)


console = _Output()
errors = _Errors(stderr=True)

_COLOURS = {
    "ADDED": "green", "UPDATED": "cyan", "SKIPPED": "yellow", "COMPLETED": "green",
    "FAILED": "red", "INPROGRESS": "blue", "UNPROCESSED": "red",
}  # fmt: skip
_GAP = "  "


@contextmanager
def lines_on_stderr() -> Iterator[None]:
    """Prints lines on standard error in the block, because a program reads standard output."""
    console.file = sys.stderr
    try:
        yield
    finally:
        console.file = None  # type: ignore[assignment]  # the present standard output again


def print_line(*parts: str | Text | tuple[str, str]) -> None:
    """Prints one line, which is never cut or wrapped."""
    console.print(Text.assemble(*parts), soft_wrap=True)


def print_json(value: object) -> None:
    """Prints a value as JSON, for other programs. Times are as those of the API, to the second."""
    plain = msgspec.to_builtins(value, builtin_types=(datetime,))
    print(dumps(plain, indent=2, ensure_ascii=False, default=_json_moment))


def print_object(
    values: Mapping[str, object], *, json: bool, line: str | Text | None = None
) -> None:
    """Prints what a command did or found: as a JSON object, or as a line.

    Without a line, it is one line for each name and value. An id is a text in JSON, as everywhere
    in this program, because some readers round large numbers.
    """
    if json:
        print_json({name: _id_as_text(name, value) for name, value in values.items()})
    elif line is not None:
        print_line(line)
    else:
        for name, value in values.items():
            print_line(f"{name:<14} {shown_time(value) if isinstance(value, datetime) else value}")


def print_list(
    rows: Sequence[Mapping[str, object]], *, json: bool, dispensable: Sequence[str] = ()
) -> None:
    """Prints rows that have the same keys: as a table, or as a JSON array.

    Nothing is cut: in a pipe, each row is one line with all columns. In a narrow terminal, empty
    columns are left out, and then those of the `dispensable` keys, the last one first.
    """
    if json:
        print_json(rows)
        return
    if not rows:
        print_line("none")
        return
    titles = {key: key.replace("_", " ").capitalize() for key in rows[0]}
    widths = {
        key: max(cell_len(text) for text in (title, *(_text(row[key]) for row in rows)))
        for key, title in titles.items()
    }
    empty = [key for key in rows[0] if not any(_text(row[key]) for row in rows)]
    for key in (*empty, *(one for one in reversed(dispensable) if one not in empty)):
        needed = sum(widths.values()) + len(_GAP) * (len(widths) - 1)
        if console.is_terminal and needed > console.width:
            del widths[key]
    for row in (titles, *rows):
        line = Text(_GAP).join(_cell(row[key], width) for key, width in widths.items())
        line.rstrip()
        console.print(line, soft_wrap=True)


def coloured(word: str) -> Text:
    """Returns a status or an outcome in its colour."""
    return Text(word, style=_COLOURS.get(word, ""))


def _id_as_text(name: str, value: object) -> object:
    is_id = isinstance(value, int) and (name == "id" or name.endswith("_id"))
    return str(value) if is_id else value


def _json_moment(value: datetime) -> str:
    return value.isoformat(timespec="seconds")


def _cell(value: object, width: int) -> Text:
    text = _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(text.rjust(width))
    return Text(set_cell_size(text, width), style=_COLOURS.get(text, ""))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(map(_text, value))
        case datetime():
            return shown_time(value)
        case _:
            # A line end in a name would break the line of its row.
            return " ".join(str(value).split())


def shown_time(value: datetime) -> str:
    """Returns a time for a person, to the second."""
    return value.isoformat(" ", "seconds")
