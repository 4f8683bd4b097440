"""docs/commands.md and `--help`: current, short, with an example of each command."""

from __future__ import annotations

import io
import shlex

import pytest
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


@pytest.mark.parametrize("words", ["", *COMMANDS])
def test_help_fits_a_terminal(words: str) -> None:
    """80 columns, apart from the example; each option is in one line or says the rest below."""
    shown = io.StringIO()
    app.help_print(words.split(), console=Console(file=shown, width=80))
    lines = shown.getvalue().splitlines()
    assert lines[0].startswith("Usage: bulkwright")
    assert [line for line in lines if len(line) > 80 and "bulkwright " not in line] == []
    if words:
        purpose = shown.getvalue().split("\n\n")[1]
        assert "\n" not in purpose.strip(), "the purpose of a command is one line"
        assert f"\nExample:\n  {COMMANDS[words]}\n" in shown.getvalue()
        assert "env var" not in shown.getvalue() and "default:" not in shown.getvalue()
