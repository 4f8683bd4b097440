"""docs/security.md: every requirement of ASVS 5.0.0 has one line, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222",
    "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
"""The level of each requirement of a section, in their order."""
STATES = {"holds", "partly", "operator", "no", "n/a"}
LINES = re.findall(
    r"^\| ([0-9.]+(?:(?:, | to )[0-9.]+)*) \| ([^|]*) \| (.*) \|$", PAGE, re.MULTILINE
)
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


def numbers(text: str) -> list[str]:
    """The requirements of a line: `1.2.6 to 1.2.8, 1.3.1`."""
    found = []
    for part in text.split(", "):
        first, _, last = part.partition(" to ")
        section, _, begin = first.rpartition(".")
        end = (last or first).rpartition(".")[2]
        assert not last or last.rpartition(".")[0] == section, part
        found += [f"{section}.{number}" for number in range(int(begin), int(end) + 1)]
    return found


def test_every_requirement_of_two_levels_has_one_line() -> None:
    """In the order of the standard's chapters; no requirement of level 3."""
    wanted = sorted(
        f"{section}.{number}"
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, 1)
        if level != "3"
    )
    assert len(wanted) == 253
    assert sorted(n for line, _, _ in LINES for n in numbers(line)) == wanted
    assert {state for _, state, _ in LINES} == STATES
    chapter = 0
    for row in PAGE.splitlines():
        if heading := re.match(r"### V([0-9]+) ", row):
            chapter = int(heading[1])
        elif requirement := re.match(r"\| ([0-9]+)[.][0-9]", row):
            assert int(requirement[1]) == chapter, row


def test_what_holds_is_shown() -> None:
    """Every line says where, or why not; nothing is claimed without a word."""
    for line, _, text in LINES:
        assert len(text) >= 8, line


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_test_that_is_named_exists(name: str) -> None:
    """Under the name that it has."""
    assert name in TESTS


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:src|tests|deploy|requirements)/[^`]+)`", PAGE)))
)
def test_a_file_that_is_named_exists(path: str) -> None:
    """Files and folders of the repository."""
    assert (ROOT / path).exists()
