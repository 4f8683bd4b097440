"""docs/commands.md, made from the commands themselves.

`python -m tests.docs.commands_page` writes it into the page.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from cyclopts import App
from cyclopts.argument import Argument

from bulkwright.cli import app
from bulkwright.cli.examples import EXAMPLES
from bulkwright.settings import Settings, WorkerSettings

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = """# Commands

<!-- made by `python -m tests.docs.commands_page` from src/bulkwright/cli -->

`bulkwright COMMAND --help` shows the same in short. Every option is also an environment variable
and a key of `bulkwright.toml` in the current folder; an option has priority over a variable, and a
variable over the file. Options that several commands share, such as `--data`, are in
[settings](settings.md). `bulkwright completion bash` or `zsh` prints a script that completes
commands and options, for the end of `~/.bashrc` or `~/.zshrc`; that of `fish` is the file
`~/.config/fish/completions/bulkwright.fish`.
"""


def commands(root: App = app, words: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    """Every command by its words, in the order of the alphabet."""
    for name in sorted(root):
        if name.startswith("-"):
            continue
        found = root[name]
        if found.default_command is not None:
            yield " ".join((*words, name)), found
        yield from commands(found, (*words, name))


def example(words: str, command: App) -> str:
    """The example of a command: of the table, or of its docstring."""
    written = re.findall(r"^Example: (.+)$", inspect.getdoc(command.default_command) or "", re.M)
    return EXAMPLES.get(words) or (written[0] if written else "")


def page() -> str:
    """Returns the page as it should be."""
    parts = [HEAD]
    for words, command in commands():
        parts.append(f"\n## {words}\n\n{_text(command)}\n\n    {example(words, command)}\n")
        rows = [row for one in command.assemble_argument_collection() if (row := _row(one))]
        if rows:
            parts.append("\n| | variable | default | meaning |\n|---|---|---|---|\n")
            parts.extend(rows)
    return "".join(parts)


def _text(command: App) -> str:
    paragraphs = inspect.getdoc(command.default_command) or ""
    texts = (" ".join(part.split()) for part in paragraphs.split("\n\n"))
    return "\n\n".join(text for text in texts if not text.startswith("Example: "))


def _row(argument: Argument) -> str:
    """The row of an argument; nothing for a setting, which has its own page."""
    name = argument.names[0]
    if not argument.show or (not argument.parameter.help and argument.children):
        return ""
    if name.lstrip("-").replace("-", "_") in _settings():
        return ""
    is_option = name.startswith("-")
    names = ", ".join(n for n in argument.names if not n.startswith(("--no-", "--empty-")))
    shown = f"`{names}`" if is_option else f"`{name.upper()}`"
    variable = f"`BULKWRIGHT_{name[2:].upper().replace('-', '_')}`" if is_option else ""
    text = with_choices(argument.parameter.help or "", argument.get_choices() or ())
    return f"| {shown} | {variable} | {_default(argument)} | {text} |\n"


def with_choices(text: str, choices: Sequence[str]) -> str:
    """Returns the text of an option with its choices, unless it names them itself."""
    if all(choice in text for choice in choices):
        return text
    return f"{text} One of {', '.join(f'`{choice}`' for choice in choices)}."


def _settings() -> set[str]:
    return {field.name for group in (Settings, WorkerSettings) for field in fields(group)}


def _default(argument: Argument) -> str:
    if argument.required:
        return "needed"
    value: Any = argument.field_info.default
    if value in (None, "", (), False, inspect.Parameter.empty):
        return ""
    return f"`{value.value if isinstance(value, Enum) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
