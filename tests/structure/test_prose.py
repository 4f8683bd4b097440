"""The prose check of `run.py check` finds what the rules forbid."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.structure.tree import ROOT

WORDS = ROOT / "docs" / "prose-words.txt"


def codespell(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the check as run.py does, with the settings of pyproject.toml."""
    program = Path(sys.executable).with_name("codespell")
    return subprocess.run(
        [str(program), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def phrases() -> list[str]:
    """The words and phrases that the check rejects."""
    return [line.partition("->")[0] for line in WORDS.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "form",
    ["The lock {} the row.", "{} ends the line", "    # A comment {} code.", "def _{}(self): ..."],
)
def test_a_planted_word_fails(tmp_path: Path, form: str) -> None:
    """In a sentence, at its beginning, in a comment and in a private name; in capitals too."""
    word = next(phrase for phrase in phrases() if phrase.isalpha())
    for planted in (word, word.capitalize()):
        page = tmp_path / "page.md"
        page.write_text(f"A plain sentence.\n{form.format(planted)}\n")
        checked = codespell(page)
        assert checked.returncode != 0
        assert re.search(rf"page\.md:2: {planted} ==> ", checked.stdout), checked.stdout


def test_plain_sentences_pass(tmp_path: Path) -> None:
    """So does a line that must keep a word and says so."""
    page = tmp_path / "page.md"
    page.write_text(
        "The database rejected a record: it violates a constraint.\n"
        "`worker_trouble` counts outages.  <!-- codespell:ignore trouble -->\n"
    )
    checked = codespell(page)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_phrase_of_the_list_is_found(tmp_path: Path) -> None:
    """The list and the pattern in pyproject.toml belong together."""
    page = tmp_path / "page.md"
    page.write_text("".join(f"It {phrase} it\n" for phrase in phrases()))
    found = {int(number) for number in re.findall(r"page\.md:(\d+):", codespell(page).stdout)}
    assert [p for n, p in enumerate(phrases(), 1) if n not in found] == []
