"""docs/commands.md and `--help`: current, short, with an example of each command."""

from __future__ import annotations

import io
import re
import shlex

import pytest
from cyclopts import App
from rich.console import Console
from tests.docs.commands_page import PAGE, commands, example, page

from bulkwright.cli import app

COMMANDS = {words: example(words, command) for words, command in commands()}
"""The example of each command."""
WITHOUT_JSON = (
    ("completion", "it prints a script for a shell"),
    ("demo", "it shows one job to people; `write --json` is for programs"),
    ("emulator run", "standard output is that of the command that it runs"),
    ("intercept", "standard output is that of the program that it runs"),
    ("record", "standard output is that of the program that it runs"),
    ("records export", "it prints a CSV"),
    ("serve", "it runs until it is stopped; `--log-format json` is for programs"),
    ("worker", "it runs until it is stopped; `--log-format json` is for programs"),
)
"""The commands without `--json`, each with the reason."""


def test_the_page_of_commands_is_current() -> None:
    """`python -m tests.docs.commands_page` writes it anew."""
    assert PAGE.read_text("utf-8") == page()
    assert "cli/__init__.py" not in page()  # it is for users, who have no sources


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_has_an_example(words: str) -> None:
    """It is understood, with its options."""
    line = shlex.split(COMMANDS[words], comments=True)
    typed = line[1 : line.index(">>") if ">>" in line else None]
    assert typed[: len(words.split())] == words.split()
    app.parse_args(typed, exit_on_error=False, print_error=False, help_on_error=False)


def test_each_command_has_json_or_a_reason() -> None:
    """A new command has `--json`, or is in `WITHOUT_JSON`."""
    without = [
        words
        for words, command in commands()
        if not any("--json" in one.names for one in command.assemble_argument_collection())
    ]
    assert without == [words for words, _reason in WITHOUT_JSON]


def help_of(words: str) -> str:
    """What `--help` of a command shows in a terminal of 80 columns."""
    shown = io.StringIO()
    app.help_print(words.split(), console=Console(file=shown, width=80))
    return shown.getvalue()


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_help_names_each_choice(words: str, command: App) -> None:
    """Of each option; a name that is longer than its column has a line of its own."""
    text = help_of(words)
    for argument in command.assemble_argument_collection():
        choices = argument.get_choices() or ()
        if argument.show and len(choices) <= 20:
            assert [one for one in choices if one not in text] == []
    assert [line for line in text.splitlines() if re.match("  --.{22}[^ ].* ", line)] == []


def test_help_shows_the_options_of_the_command_first() -> None:
    """Those that several commands share follow, below their titles."""
    titles = re.findall(r"(?m)^([A-Z].*):$", help_of("write"))
    assert titles[:3] == ["Arguments", "Parameters", "Columns and their values"]
    assert titles[-2:] == ["Where the data is", "Example"]
    assert "\n\nWhere the data is:\n  --data PATH" in help_of("jobs list")


@pytest.mark.parametrize("words", ["", *COMMANDS])
def test_help_fits_a_terminal(words: str) -> None:
    """80 columns, apart from the example; each option is in one line or says the rest below."""
    text = help_of(words)
    lines = text.splitlines()
    assert lines[0].startswith("Usage: bulkwright")
    assert [line for line in lines if len(line) > 80 and "bulkwright " not in line] == []
    if words:
        purpose = text.split("\n\n")[1]
        assert "\n" not in purpose.strip(), "the purpose of a command is one line"
        assert f"\nExample:\n  {COMMANDS[words]}\n" in text
        assert "env var" not in text and "default:" not in text
