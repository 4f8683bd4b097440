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
        [str(program), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("A statement waits: somebody holds its lock.", "somebody"),  # codespell:ignore
        ("It is put off until the lock is let go.", "put off"),  # codespell:ignore
        ("Unchanged for so many seconds.", "so many"),  # codespell:ignore
        ("Whoever asks is told.", "Whoever"),  # codespell:ignore
        ("The worker goes on, for there is more.", "goes on"),  # codespell:ignore
        ("def _told(self) -> None: ...", "told"),  # codespell:ignore
        ("# A table of one's own.", "one's own"),  # codespell:ignore
    ],
)
def test_a_planted_sentence_fails(tmp_path: Path, sentence: str, found: str) -> None:
    """In text, in a comment and in a private name."""
    page = tmp_path / "page.md"
    page.write_text(f"A plain sentence.\n{sentence}\n")
    checked = codespell(page)
    assert checked.returncode != 0
    assert re.search(rf"page\.md:2: {found} ==> ", checked.stdout), checked.stdout


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
    phrases = [line.partition("->")[0] for line in WORDS.read_text("utf-8").splitlines()]
    page = tmp_path / "page.md"
    page.write_text("".join(f"It {phrase} it\n" for phrase in phrases))
    found = {int(number) for number in re.findall(r"page\.md:(\d+):", codespell(page).stdout)}
    assert [p for n, p in enumerate(phrases, 1) if n not in found] == []
