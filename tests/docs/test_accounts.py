"""The commands of docs/accounts.md run from an empty folder, in their order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from bulkwright.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "accounts.md"
_VALUES = {
    "$TOKEN": ("token list --json", "token_id"),
    "$CLIENT": ("client list --json", "client_id"),
    "$ORG": ("org list --json", "org_id"),
}
"""Which list shows the value of each placeholder, and under which key; the last line counts."""


def commands() -> list[str]:
    """The lines of the page's shell block, without comments."""
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [line.partition(" #")[0].strip() for line in block.splitlines()]


def test_the_commands_of_the_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they are written; placeholders are read from the lists."""
    monkeypatch.chdir(tmp_path)
    lines = commands()
    assert len(lines) > 10
    for line in lines:
        for name, (listing, key) in _VALUES.items():
            if name in line:
                capsys.readouterr()
                app(listing, result_action="return_value")
                found = json.loads(capsys.readouterr().out)[-1][key]
                line = line.replace(name, found)
        program, *words = shlex.split(line)
        assert program == "bulkwright"
        app(words, result_action="return_value")


@pytest.mark.parametrize("group", ["org", "user", "client", "token", "audit", "init"])
def test_every_command_has_a_line_and_an_example(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` of each command shows both."""
    found = [name for name in app[group] if not name.startswith("-")]
    for line in [[group, name] for name in found] or [[group]]:
        capsys.readouterr()
        app([*line, "--help"], result_action="return_value")
        text = capsys.readouterr().out
        assert re.search(rf"[.] *\n(.*\n)*Example:\n  bulkwright {group}", text), text
