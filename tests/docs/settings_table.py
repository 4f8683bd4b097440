"""The table of all settings in docs/settings.md, made from the dataclasses.

`python -m tests.docs.settings_table` writes it into the page.
"""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from bulkwright.setting import help_text
from bulkwright.settings import (
    CsvSettings,
    DataLocation,
    OrgLocation,
    RetentionSettings,
    Settings,
    WorkerSettings,
)
from bulkwright.variables import variable

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
START, END = (
    "<!-- settings: made from src/bulkwright/settings.py -->\n",
    "<!-- end of settings -->\n",
)


def table() -> str:
    """Returns the rows of all settings, those of single commands at the end."""
    lines = [
        "| option | variable | default | commands | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(Settings, field) for field in fields(Settings)]
    known = {field.name for field in fields(Settings)}
    lines += [
        _row(group, field)
        for group in (WorkerSettings, OrgLocation)
        for field in fields(group)
        if field.name not in known
    ]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Returns the page with the present table."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


def _row(group: type[DataLocation], field: Field[Any]) -> str:
    hint = get_type_hints(group)[field.name]
    choices = [choice for choice in _choices(hint) if isinstance(choice, str)]
    meaning = help_text(group, field.name)
    if choices:
        meaning += f" One of: {', '.join(choices)}."
    default = "" if field.default in (None, "", ()) else f"`{field.default}`".lower()
    option = f"`--{field.name.replace('_', '-')}`"
    return (
        f"| {option} | `{variable(field.name)}` | {default} | {_commands(field.name)} | {meaning} |"
    )


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values of a Literal, optional or not."""
    inner = [choice for member in get_args(hint) for choice in get_args(member)]
    return tuple(inner) or get_args(hint)


def _commands(name: str) -> str:
    if name in {f.name for f in fields(DataLocation)}:
        return "all but `demo`"
    if name in {f.name for f in fields(OrgLocation)}:
        return "those that work for one org"
    commands = {
        "serve": fields(Settings),
        "worker": fields(WorkerSettings),
        "sweep": fields(RetentionSettings),
        **dict.fromkeys(("write", "jobs result", "records export"), fields(CsvSettings)),
    }
    return ", ".join(f"`{c}`" for c, known in commands.items() if name in {f.name for f in known})


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
