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
