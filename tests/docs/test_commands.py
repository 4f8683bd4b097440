"""docs/commands.md and `--help`: current, short, with an example of each command."""

from __future__ import annotations

import io
import shlex

import pytest
from rich.console import Console
from tests.docs.commands_page import PAGE, commands, page

from bulkwright.cli import app
from bulkwright.cli.examples import EXAMPLES

COMMANDS = dict(commands())


def test_the_page_of_commands_is_current() -> None:
    """`python -m tests.docs.commands_page` writes it anew."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_has_an_example(words: str) -> None:
    """It is understood, with its options."""
    line = shlex.split(EXAMPLES[words], comments=True)
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
    text, _, example = shown.getvalue().partition("\nExample:\n")
    assert [line for line in text.splitlines() if len(line) > 80 and "Usage" not in line] == []
    if words:
        assert example.strip() == EXAMPLES[words]
        assert "env var" not in text and "default:" not in text
